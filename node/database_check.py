"""Reads a whole database and compares it with itself: blocks by their hashes, the head's state."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain as joined
from typing import Any

from consensus.block import decode_block
from consensus.faults import BadCertificate, MalformedBlock
from cvm.evm.account_encoding import decode_account
from cvm.evm.keccak import keccak256
from cvm.evm.list_root import list_root
from cvm.evm.state_reader import EMPTY_CODE_HASH
from cvm.evm.trie import node_hashes
from cvm.evm.trie_nodes import (
    EMPTY,
    HASH_REFERENCE_BYTES,
    VALUE,
    Branch,
    Leaf,
    Node,
    decode_node,
)
from cvm.evm.trie_state import TrieState
from cvm.evm.trie_update import ReadNode
from cvm.faults import DatabaseFault, MissingTrieNode
from node.storage.chain_database import TABLES, ChainDatabase
from node.storage.flat_state import decode_compact
from node.storage.preimages import ADDRESS_BYTES
from node.storage.state_faults import NoFlatState

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class TableSize:
    """What one table of the database holds."""

    name: str
    entries: int
    size_bytes: int


def table_sizes(database: ChainDatabase) -> tuple[TableSize, ...]:
    """Return entries and bytes of every table, pages counted whole."""
    sizes = []
    with database.reading() as transaction:
        for name in TABLES:
            stat = transaction.stat(database.table(name))
            pages = sum(stat[kind] for kind in ("branch_pages", "leaf_pages", "overflow_pages"))
            sizes.append(TableSize(name, stat["entries"], pages * stat["psize"]))
    return tuple(sizes)


def find_faults(database: ChainDatabase, progress: Progress) -> Iterator[str]:
    """Yield what is wrong, a line each; nothing where all is well."""
    return joined(block_faults(database, progress), state_faults(database))


def block_faults(database: ChainDatabase, progress: Progress) -> Iterator[str]:
    """Yield what is wrong with the blocks, from where the chain starts here up to the head."""
    head = database.header(database.head_hash() or b"")
    if head is None:
        yield "the head is not here"
        return
    parent_hash = None
    for number in range(database.start_height(), head.block_number + 1):
        block_hash = database.hash_at(number)
        if block_hash is None:
            yield f"block {number}: its hash is not here"
            parent_hash = None
            continue
        yield from faults_of_block(database, number, block_hash, parent_hash)
        parent_hash = block_hash
        progress(number, head.block_number)


def faults_of_block(
    database: ChainDatabase, number: int, block_hash: bytes, parent_hash: bytes | None
) -> Iterator[str]:
    """Yield what is wrong with one block, its receipts and its certificate."""
    data = database.block_bytes(block_hash)
    if data is None:
        yield f"block {number}: it is not here"
        return
    try:
        block = decode_block(data)
    except MalformedBlock as fault:
        yield f"block {number}: {fault}"
        return
    header = block.header
    if (block.hash, header.block_number) != (block_hash, number):
        yield f"block {number}: it is block {header.block_number} 0x{block.hash.hex()}"
    if parent_hash is not None and header.parent_hash != parent_hash:
        yield f"block {number}: its parent is not block {number - 1}"
    if list_root([tx.raw for tx in block.transactions]) != header.transaction_root:
        yield f"block {number}: its transactions are not those of its header"
    if number == database.start_height():
        return  # genesis, or a snapshot's block, which came alone
    for index, tx in enumerate(block.transactions):
        if database.transaction_location(tx.hash) != (block_hash, index):
            yield f"block {number}: transaction {index} is not found by its hash"
    receipts = database.get("receipts", block_hash)
    if receipts is None:
        yield f"block {number}: its receipts are not here"
    elif list_root([one.encode() for one in database.receipts(block_hash)]) != header.receipt_root:
        yield f"block {number}: its receipts are not those of its header"
    yield from faults_of_certificate(database, number, block_hash)


def faults_of_certificate(database: ChainDatabase, number: int, block_hash: bytes) -> Iterator[str]:
    """Yield what is wrong with a block's certificate."""
    try:
        certificate = database.certificate(block_hash)
    except BadCertificate as fault:
        yield f"block {number}: {fault}"
        return
    if certificate is None:
        yield f"block {number}: its certificate is not here"
    elif (certificate.height, certificate.header_hash) != (number, block_hash):
        yield f"block {number}: its certificate is another block's"


def state_faults(database: ChainDatabase) -> Iterator[str]:
    """Yield what is wrong with the newest state: tries by their hashes, then flat against tries.

    One transaction sees it all, so blocks that a node writes meanwhile change nothing.
    """
    try:
        with database.reading() as transaction:
            flat = database.flat_within(transaction)
            header = database.header(database.hash_at(flat.number) or b"")
            if header is None or header.state_root != flat.root:
                yield f"the flat state is not that of block {flat.number}"
                return
            counted = count_leaves(database, flat.root)
            yield from flat_faults(database, transaction, flat.root, counted)
    except (DamagedNode, MissingTrieNode, NoFlatState) as fault:
        yield f"the head's state: {fault}"


class DamagedNode(DatabaseFault):
    """A trie node or a code is not what its hash says."""

    def __init__(self, node_hash: bytes) -> None:
        super().__init__(f"what lies under 0x{node_hash.hex()} has another hash, or is not there")


def count_leaves(database: ChainDatabase, root: bytes) -> tuple[int, int]:
    """Walk all tries of a state; return how many accounts and slots it has.

    Raises `DamagedNode` or `MissingTrieNode`.
    """

    def read(node_hash: bytes) -> bytes | None:
        data = database.state(node_hash)
        if data is not None and keccak256(data) != node_hash:
            raise DamagedNode(node_hash)
        return data

    accounts = slots = 0
    for value in leaf_values(read, root):
        accounts += 1
        account = decode_account(value)
        slots += sum(1 for _value in leaf_values(read, account.storage_root))
        if account.code_hash != EMPTY_CODE_HASH:
            code = database.code(account.code_hash)
            if code is None or keccak256(code) != account.code_hash:
                raise DamagedNode(account.code_hash)
    return accounts, slots


def leaf_values(read: ReadNode, root: bytes) -> Iterator[bytes]:
    """Yield the values of a trie, those of leaves inside other nodes among them."""
    for _node_hash, node in node_hashes(read, root):
        yield from values_in(node)


def values_in(node: Node) -> Iterator[bytes]:
    """Yield the values of a node and of the nodes inside it."""
    if type(node) is Leaf:
        yield node.value()
        return
    references = node.references()[:VALUE] if type(node) is Branch else [node.below]
    for reference in references:
        if reference != EMPTY and len(reference) != HASH_REFERENCE_BYTES:
            yield from values_in(decode_node(reference, reference, 0))


def flat_faults(
    database: ChainDatabase,
    transaction: Any,  # lmdb ships no types
    root: bytes,
    counted: tuple[int, int],
) -> Iterator[str]:
    """Yield where the flat tables differ from the tries."""
    state, found = TrieState(root, database.state, database.code), [0, 0]
    for key, value in transaction.cursor(db=database.table("accounts")):
        found[0] += 1
        if state.account(bytes(key)) != decode_compact(bytes(value)):
            yield f"account 0x{key.hex()}: the flat table differs from the trie"
    for key, value in transaction.cursor(db=database.table("storage")):
        found[1] += 1
        address, slot = bytes(key[:ADDRESS_BYTES]), int.from_bytes(key[ADDRESS_BYTES:], "big")
        if state.storage(address, slot) != int.from_bytes(value, "big"):
            yield f"slot {slot:#x} of 0x{address.hex()}: the flat table differs from the trie"
    if tuple(found) != counted:
        yield (
            f"the tries have {counted[0]} accounts and {counted[1]} slots, "
            f"the flat tables {found[0]} and {found[1]}"
        )
