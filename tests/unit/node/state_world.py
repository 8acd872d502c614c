"""A chain database on the flat state, without an EVM: blocks are drawn state changes."""

from pathlib import Path
from random import Random
from typing import Any

import rlp

from cvm.evm.keccak import keccak256
from cvm.evm.state_committer import StateCommitter, StateUpdate
from cvm.evm.state_reader import EMPTY_TRIE_ROOT, Account, StateChanges
from cvm.evm.strict_rlp import decode_rlp
from node.storage.chain_database import ChainDatabase, EncodedBlock

NO_CHANGES = StateChanges({}, {}, frozenset(), {})


class StateWorld:
    """One database with its committer; `add` computes a block and writes it."""

    def __init__(self, folder: Path) -> None:
        self.database = ChainDatabase(folder)
        self.committer = StateCommitter(self.database.state)
        self.roots: list[bytes] = []
        while (block_hash := self.database.hash_at(len(self.roots))) is not None:
            header: Any = decode_rlp(self.database.block_bytes(block_hash) or b"")[0]
            self.roots.append(header[3])

    def add(self, changes: StateChanges) -> StateUpdate:
        number = len(self.roots)
        parent = self.roots[-1] if self.roots else EMPTY_TRIE_ROOT
        update = self.committer.commit(parent, changes)
        block = encoded(number, update)
        if number == 0:
            self.database.write_encoded_genesis(b"{}", block)
        else:
            self.database.write_encoded_block(block)
        self.roots.append(update.root)
        return update

    def close(self) -> None:
        self.database.close()


def encoded(number: int, update: StateUpdate) -> EncodedBlock:
    """Return a block with a header that has the state root in its place, and nothing else."""
    header = [b"", b"", b"", update.root, number.to_bytes(8, "big")]
    body: bytes = rlp.encode([header, [], []])
    block_hash = keccak256(body)
    return EncodedBlock(number, block_hash, body, b"\xc0", b"\xc1\x80", (block_hash,), update)


def transfers(random: Random, addresses: list[bytes], count: int) -> StateChanges:
    """Return new balances of some of the addresses."""
    accounts: dict[bytes, Account | None] = {
        address: Account(random.randrange(300), random.randrange(10**20))
        for address in random.sample(addresses, count)
    }
    return StateChanges(accounts, {}, frozenset(), {})
