"""A plain Ethereum chain in a database, and the import of a file of its blocks.

The file is what geth exports: the RLP of one block after the other. Senders of the blocks ahead are
recovered on other threads while a block is executed. One chain is kept: no block beside it.
"""

import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from consensus.ethereum.ethereum_block import EthereumBlock, decode_ethereum_block
from consensus.ethereum.ethereum_chain import CheckedEthereumBlock, EthereumChain
from consensus.ethereum.ethereum_forks import EthereumForks
from consensus.ethereum.ethereum_genesis import (
    EthereumGenesis,
    ethereum_genesis_block,
    parse_ethereum_genesis,
)
from consensus.faults import InvalidBlock, InvalidGenesis, MalformedBlock
from cvm.evm.header import BlockHeader
from cvm.evm.state_committer import StateCommitter, StateUpdate
from cvm.evm.state_reader import StateChanges, StateReader
from cvm.evm.strict_rlp import BadRlp
from cvm.evm.trie_state import TrieState
from node.chain import OtherGenesis
from node.chain_archive import BadArchive, read_lists
from node.sender_recovery import PendingSenders, SenderRecovery
from node.storage.block_group import BlockGroup
from node.storage.chain_database import ChainDatabase, FinalBlock
from node.storage.stored_header import header_of_block

BLOCKS_AHEAD = 32
"""Blocks whose senders are recovered together, ahead of their execution."""
BLOCKS_TOGETHER = 256
"""Blocks that one durable transaction holds."""

Progress = Callable[[int], None]
"""Told the height of the head after each block of the file."""


class NoEthereumChainHere(Exception):
    """The data directory holds no plain Ethereum chain."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            f"no plain Ethereum chain in {path}: run `cvm init GENESIS.json --datadir {path}` first"
        )


class OtherForks(Exception):
    """The data directory holds this genesis block, with other forks after it."""

    def __init__(self, here: bytes) -> None:
        super().__init__(
            f"this data directory holds the chain of genesis 0x{here.hex()} with another `config`: "
            "use another --datadir"
        )


class OtherBlockHere(Exception):
    """The chain has another block at the height of a block of the file."""

    def __init__(self, number: int, here: bytes, given: bytes) -> None:
        super().__init__(
            f"block {number} of the file is 0x{given.hex()}, the chain here has 0x{here.hex()}: "
            "use another --datadir"
        )


@dataclass(frozen=True, slots=True)
class EthereumImport:
    """What an import did; transactions and gas are those of the blocks that are new."""

    blocks: int
    known_blocks: int
    transactions: int
    gas_used: int
    head: BlockHeader


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

    def ommers(self, block_hash: bytes) -> tuple[BlockHeader, ...]:
        """Return the ommers of a block that is here."""
        data = self._group.block_bytes(block_hash)
        return () if data is None else decode_ethereum_block(data).ommers

    def append(self, checked: CheckedEthereumBlock) -> None:
        """Write a block; raises `NotTheNextBlock` where it does not stand on the head."""
        receipts = checked.executed.receipts
        self._group.write_block(FinalBlock(checked.block, receipts, None, checked.update))


def init_ethereum_chain(database: ChainDatabase, genesis_json: bytes) -> EthereumForks:
    """Start the chain of a geth genesis file in an empty database; return its forks.

    Raises `InvalidGenesis`, `OtherGenesis` where another chain is there, or `OtherForks`.
    """
    genesis = parse_plain_genesis(genesis_json)
    block, update = ethereum_genesis_block(genesis, StateCommitter(database.state))
    here = database.hash_at(0)
    if here is None:
        database.write_genesis(genesis_json, block.header, update)
    elif here != block.hash:
        raise OtherGenesis(here, block.hash)
    elif genesis.forks != ethereum_forks_of(database):
        raise OtherForks(here)
    return genesis.forks


def init_plain_folder(folder: Path, genesis_json: bytes) -> BlockHeader:
    """Start the chain of a geth genesis file in a folder; raises as `init_ethereum_chain` does."""
    parse_plain_genesis(genesis_json)
    with closing(ChainDatabase(folder)) as database:
        init_ethereum_chain(database, genesis_json)
        header = database.header(database.hash_at(0) or b"")
    if header is None:
        raise NoEthereumChainHere(folder.parent)
    return header


def ethereum_forks_of(database: ChainDatabase) -> EthereumForks:
    """Return the forks of the plain Ethereum chain in a database.

    Raises `NoEthereumChainHere`, or `InvalidGenesis` where it holds a chain of our own.
    """
    genesis_json = database.genesis_json()
    if genesis_json is None:
        raise NoEthereumChainHere(database.path.parent)
    return parse_plain_genesis(genesis_json).forks


def parse_plain_genesis(genesis_json: bytes) -> EthereumGenesis:
    """Parse geth's genesis file of a chain that is not our own; raises `InvalidGenesis`."""
    document = parse_json(genesis_json)
    genesis = parse_ethereum_genesis(document)
    if isinstance(document, dict) and "cvm" in document["config"]:
        raise InvalidGenesis("config.cvm names a chain of cvm: use `cvm init` and `cvm import`")
    return genesis


def parse_json(data: bytes) -> object:
    """Parse the bytes of a genesis file; raises `InvalidGenesis`."""
    try:
        document: object = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise InvalidGenesis(f"the genesis file is not JSON: {error}") from error
    return document


def read_blocks(file: IO[bytes]) -> Iterator[bytes]:
    """Yield the blocks of a file as geth exports them; raises `BadArchive` with the place."""
    place = 0
    try:
        for raw in read_lists(file):
            yield raw
            place += 1
    except BadArchive as error:
        raise BadArchive(f"item {place} of the file: {error}") from error


def import_ethereum_blocks(
    database: ChainDatabase,
    forks: EthereumForks,
    raws: Iterable[bytes],
    recovery: SenderRecovery,
    progress: Progress = lambda _number: None,
) -> EthereumImport:
    """Import blocks on the head; those that are here already are passed over.

    Blocks become durable in groups. Raises `BadArchive`, `OtherBlockHere` and what
    `EthereumChain.import_decoded` raises; the blocks before that one stay.
    """
    blocks = known = transactions = gas_used = 0
    with BlockGroup(database, BLOCKS_TOGETHER) as group:
        head = group.header(database.head_hash() or b"")
        if head is None:
            raise NoEthereumChainHere(database.path.parent)
        chain = EthereumChain(forks, EthereumDatabase(group), head)
        unknown = UnknownBlocks(group, head.block_number)
        for block in blocks_with_senders(unknown.among(raws), recovery):
            if is_here(group, chain.head.block_number, block.header):
                known += 1
                continue
            chain.import_decoded(block)
            blocks += 1
            transactions += len(block.transactions)
            gas_used += block.header.gas_used
            progress(block.number)
        known += unknown.passed_over
        return EthereumImport(blocks, known, transactions, gas_used, chain.head)


class UnknownBlocks:
    """Picks the blocks of a file that were not here when the import began."""

    def __init__(self, group: BlockGroup, head: int) -> None:
        self._group = group
        self._head = head
        self.passed_over = 0

    def among(self, raws: Iterable[bytes]) -> Iterator[bytes]:
        """Yield those blocks undecoded; raises `MalformedBlock` or `OtherBlockHere`."""
        for place, raw in enumerate(raws):
            try:
                header = header_of_block(raw)
            except BadRlp as error:
                raise MalformedBlock(f"item {place} of the file: {error}") from error
            if is_here(self._group, self._head, header):
                self.passed_over += 1
            else:
                yield raw


def is_here(group: BlockGroup, head: int, header: BlockHeader) -> bool:
    """Tell whether a block is in the chain; raises `OtherBlockHere` for one that is beside it."""
    if header.block_number > head:
        return False
    here = group.hash_at(header.block_number) or b""
    if here != header.hash:
        raise OtherBlockHere(header.block_number, here, header.hash)
    return True


def blocks_with_senders(raws: Iterable[bytes], recovery: SenderRecovery) -> Iterator[EthereumBlock]:
    """Decode blocks in groups, each while the one before it is used; senders come with them.

    A fault of the source or of a block comes after every block before it.
    """
    waiting: Batch = [], None
    ahead: list[EthereumBlock] = []
    try:
        for raw in raws:
            ahead.append(decode_ethereum_block(raw))
            if len(ahead) == BLOCKS_AHEAD:
                begun = begin(ahead, recovery)
                yield from finished(waiting)
                waiting, ahead = begun, []
    except (BadArchive, InvalidBlock, OtherBlockHere):
        yield from finished(waiting)
        yield from finished(begin(ahead, recovery))
        raise
    yield from finished(waiting)
    yield from finished(begin(ahead, recovery))


Batch = tuple[list[EthereumBlock], PendingSenders | None]
"""Blocks, and the recovery of their senders where it has begun."""


def begin(blocks: list[EthereumBlock], recovery: SenderRecovery) -> Batch:
    """Begin to recover the senders of some blocks."""
    return blocks, recovery.start([tx for block in blocks for tx in block.transactions])


def finished(batch: Batch) -> list[EthereumBlock]:
    """Return blocks whose senders are all recovered."""
    blocks, pending = batch
    if pending is not None:
        pending.finish()
    return blocks
