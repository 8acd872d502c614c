"""A plain Ethereum chain in a database, and the import of a file of its blocks.

The file is what geth exports: the RLP of one block after the other. Senders of the blocks ahead are
recovered on other threads while a block is executed.
"""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from consensus.ethereum.ethereum_block import (
    EthereumBlock,
    decode_ethereum_block,
    split_blocks,
)
from consensus.ethereum.ethereum_chain import CheckedEthereumBlock, EthereumChain
from consensus.ethereum.ethereum_forks import EthereumForks
from consensus.ethereum.ethereum_genesis import ethereum_genesis_block, parse_ethereum_genesis
from consensus.faults import InvalidGenesis
from cvm.evm.header import BlockHeader
from cvm.evm.state_committer import StateCommitter, StateUpdate
from cvm.evm.state_reader import StateChanges, StateReader
from cvm.evm.trie_state import TrieState
from node.chain import OtherGenesis
from node.sender_recovery import PendingSenders, SenderRecovery
from node.storage.block_group import BlockGroup
from node.storage.chain_database import ChainDatabase, FinalBlock, NoChainHere

BLOCKS_AHEAD = 32
"""Blocks whose senders are recovered together, ahead of their execution."""
BLOCKS_TOGETHER = 256
"""Blocks that one durable transaction holds."""


class GroupStates:
    """The states of a chain while blocks are written in groups; see `block_execution.States`."""

    def __init__(self, group: BlockGroup) -> None:
        self._group = group
        self._committer = StateCommitter(group.state)

    @contextmanager
    def reader(self, state_root: bytes) -> Iterator[StateReader]:
        """Open the state of a root."""
        flat = self._group.head_state()
        if flat.root == state_root:
            yield flat
        else:
            yield TrieState(state_root, self._group.state, self._group.code)

    def commit(self, parent_root: bytes, changes: StateChanges) -> StateUpdate:
        """Return what a block makes of a state; nothing is written."""
        return self._committer.commit(parent_root, changes)


class EthereumDatabase:
    """An `EthereumStore` in LMDB; each block stands on the last one."""

    def __init__(self, group: BlockGroup) -> None:
        self._group = group
        self._states = GroupStates(group)

    @property
    def states(self) -> GroupStates:
        """Return the states of the chain."""
        return self._states

    def header(self, block_hash: bytes) -> BlockHeader | None:
        """Return the header of a block that is here."""
        return self._group.header(block_hash)

    def append(self, checked: CheckedEthereumBlock) -> None:
        """Write a block; raises `NotTheNextBlock` where it does not stand on the head."""
        receipts = checked.executed.receipts
        self._group.write_block(FinalBlock(checked.block, receipts, None, checked.update))


def init_ethereum_chain(database: ChainDatabase, genesis_json: bytes) -> EthereumForks:
    """Start the chain of a geth genesis file in an empty database; return its forks.

    Raises `InvalidGenesis`, or `OtherGenesis` where another chain is there.
    """
    genesis = parse_ethereum_genesis(parse_json(genesis_json))
    block, update = ethereum_genesis_block(genesis, StateCommitter(database.state))
    here = database.hash_at(0)
    if here is None:
        database.write_genesis(genesis_json, block.header, update)
    elif here != block.hash:
        raise OtherGenesis(here, block.hash)
    return genesis.forks


def parse_json(data: bytes) -> object:
    """Parse the bytes of a genesis file; raises `InvalidGenesis`."""
    try:
        document: object = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise InvalidGenesis(f"the genesis file is not JSON: {error}") from error
    return document


def import_ethereum_blocks(
    database: ChainDatabase, forks: EthereumForks, data: bytes, recovery: SenderRecovery
) -> BlockHeader:
    """Import every block of a file on the head; return the new head.

    Blocks become durable in groups. Raises what `EthereumChain.import_decoded` raises; the blocks
    before that one stay.
    """
    with BlockGroup(database, BLOCKS_TOGETHER) as group:
        head = group.header(database.head_hash() or b"")
        if head is None:
            raise NoChainHere(database.path.parent)
        chain = EthereumChain(forks, EthereumDatabase(group), head)
        for block in blocks_with_senders(split_blocks(data), recovery):
            chain.import_decoded(block)
        return chain.head


def blocks_with_senders(raws: Sequence[bytes], recovery: SenderRecovery) -> Iterator[EthereumBlock]:
    """Decode blocks in groups, each while the one before it is used; senders come with them."""
    waiting: tuple[list[EthereumBlock], PendingSenders] | None = None
    for start in range(0, len(raws), BLOCKS_AHEAD):
        blocks = [decode_ethereum_block(raw) for raw in raws[start : start + BLOCKS_AHEAD]]
        pending = recovery.start([tx for block in blocks for tx in block.transactions])
        if waiting is not None:
            waiting[1].finish()
            yield from waiting[0]
        waiting = blocks, pending
    if waiting is not None:
        waiting[1].finish()
        yield from waiting[0]
