"""A chain database on the flat state, without an EVM: blocks are drawn state changes."""

from pathlib import Path
from random import Random

from consensus.block import Block
from cvm.evm.header import BlockHeader
from cvm.evm.state_committer import StateCommitter, StateUpdate
from cvm.evm.state_reader import EMPTY_TRIE_ROOT, Account, StateChanges
from node.storage.chain_database import ChainDatabase, FinalBlock
from node.storage.stored_header import header_of_block

NO_CHANGES = StateChanges({}, {}, frozenset(), {})


class StateWorld:
    """One database with its committer; `add` computes a block and writes it."""

    def __init__(self, folder: Path) -> None:
        self.database = ChainDatabase(folder)
        self.committer = StateCommitter(self.database.state)
        self.roots: list[bytes] = []
        while (block_hash := self.database.hash_at(len(self.roots))) is not None:
            header = self.database.header(block_hash)
            assert header is not None
            self.roots.append(header.state_root)

    def add(self, changes: StateChanges) -> StateUpdate:
        number = len(self.roots)
        parent = self.roots[-1] if self.roots else EMPTY_TRIE_ROOT
        update = self.committer.commit(parent, changes)
        block = final_block(number, update)
        if number == 0:
            self.database.write_genesis(b"{}", header_of_block(block.block.encode()), update)
        else:
            self.database.write_block(block)
        self.roots.append(update.root)
        return update

    def close(self) -> None:
        self.database.close()


def final_block(number: int, update: StateUpdate) -> FinalBlock:
    """Return an empty block with a state root, and the state behind it."""
    header = BlockHeader(
        block_number=number,
        gas_limit=0,
        timestamp=number,
        state_root=update.root,
        base_fee_per_gas=0,
        withdrawals_root=EMPTY_TRIE_ROOT,
        blob_gas_used=0,
        excess_blob_gas=0,
        parent_beacon_block_root=bytes(32),
        requests_hash=bytes(32),
    )
    return FinalBlock(Block(header, ()), (), None, update)


def transfers(random: Random, addresses: list[bytes], count: int) -> StateChanges:
    """Return new balances of some of the addresses."""
    accounts: dict[bytes, Account | None] = {
        address: Account(random.randrange(300), random.randrange(10**20))
        for address in random.sample(addresses, count)
    }
    return StateChanges(accounts, {}, frozenset(), {})
