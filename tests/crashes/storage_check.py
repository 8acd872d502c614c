"""What must be on a disk after a kill: every block that was told to be final, whole."""

from dataclasses import dataclass, field
from random import Random

from consensus.certificate import validate_certificate
from consensus.qbft.events import OwnMessage
from consensus.qbft.messages import Prepare, PreparePayload
from cvm.evm.keccak import keccak256
from cvm.evm.receipt import encode_receipts
from cvm.evm.state_reader import StateReader
from cvm.evm.trie_state import TrieState
from node.chain import Chain
from node.storage.chain_database import ChainDatabase
from node.storage.model_store import ModelStore
from node.vote_log import DoubleVote, VoteLog
from tests.chain_world import USER, VALIDATOR, address_of

RECIPIENTS = 8
NEWEST, OLDER = 12, 12
"""How many of the newest blocks are looked at, and how many of the others by chance."""


class Lost(Exception):
    """Something that had been told to the world is not on the disk, or not as it was."""


@dataclass
class Told:
    """What the lives so far told to the world."""

    finals: dict[int, bytes] = field(default_factory=dict)
    votes: dict[tuple[int, int], bytes] = field(default_factory=dict)
    models: set[bytes] = field(default_factory=set)
    evidence: set[bytes] = field(default_factory=set)


def recipient(number: int) -> bytes:
    """Return who gets the one wei of a block."""
    return (0xAB00 + number % RECIPIENTS).to_bytes(20, "big")


def require(condition: bool, what: str) -> None:
    """Raise `Lost` unless something is so."""
    if not condition:
        raise Lost(what)


def check_disk(
    database: ChainDatabase, chain: Chain, store: ModelStore, votes: VoteLog, told: Told
) -> None:
    """Compare a node's disk with what it told before it was killed; raises `Lost`."""
    head, last = chain.head.block_number, max(told.finals, default=0)
    require(last <= head <= last + 1, f"the head is {head}, told final was {last}")
    older = Random(head).sample(range(1, last + 1), min(last, OLDER))
    for number in sorted({*older, *range(max(1, last - NEWEST), last + 1)}):
        check_block(chain, number, told.finals[number])
    check_states(database, chain)
    for model in told.models:
        require(bool(store.read(model)), f"model {model.hex()}")
    check_votes(votes, told)


def check_block(chain: Chain, number: int, block_hash: bytes) -> None:
    """Check that a block is there with all that belongs to it."""
    database = chain.database
    require(database.hash_at(number) == block_hash, f"block {number} is another one")
    block, certificate = database.block(block_hash), database.certificate(block_hash)
    require(block is not None and block.hash == block_hash, f"the bytes of block {number}")
    if certificate is None or block is None:
        raise Lost(f"the certificate of block {number}")
    validate_certificate(certificate, chain.domain, (address_of(VALIDATOR),), block_hash, number)
    receipts = database.receipts(block_hash)
    require(len(receipts) == len(block.transactions) == 1, f"the receipts of block {number}")
    require(bool(encode_receipts(receipts)) and receipts[0].status == 1, f"receipt of {number}")
    location = database.transaction_location(block.transactions[0].hash)
    require(location == (block_hash, 0), f"the place of the transaction of block {number}")


def check_states(database: ChainDatabase, chain: Chain) -> None:
    """Check the head's state in the flat tables and, node by node up to the root, in the trie."""
    number, root = chain.head.block_number, chain.head.state_root

    def proven(key: bytes) -> bytes | None:
        value = database.state(key)
        require(value is not None and keccak256(value) == key, f"trie node {key.hex()}")
        return value

    with database.head_state() as flat:
        require((flat.number, flat.root) == (number, root), "the flat state is of another block")
        check_balances(flat, number)
        trie = TrieState(root, proven, database.code)
        check_balances(trie, number)
        for address in (address_of(USER), address_of(VALIDATOR), bytes(20)):
            require(flat.account(address) == trie.account(address), f"account {address.hex()}")
    if number:
        with database.state_after(number - 1) as before:
            check_balances(before, number - 1)


def check_balances(state: StateReader, number: int) -> None:
    """Check what the transfers of all blocks up to a height made."""
    for index in range(RECIPIENTS):
        expected = sum(1 for each in range(1, number + 1) if each % RECIPIENTS == index)
        account = state.account((0xAB00 + index).to_bytes(20, "big"))
        found = 0 if account is None else account.balance
        require(found == expected, f"recipient {index} has {found} wei, not {expected}")
    sender = state.account(address_of(USER))
    require(sender is not None and sender.nonce == number, "the nonce of the sender")


def check_votes(votes: VoteLog, told: Told) -> None:
    """Check that the newest vote is there, and that no other can take its place."""
    if not told.votes:
        return
    height, round_number = max(told.votes)
    digest = told.votes[height, round_number]
    signed = [
        each.message.payload for each in votes.records(height) if isinstance(each, OwnMessage)
    ]
    require(PreparePayload(height, round_number, digest) in signed, f"the vote of height {height}")
    other = PreparePayload(height, round_number, keccak256(digest))
    try:
        votes.save(height, [OwnMessage(Prepare(other, bytes(65)), None)])
    except DoubleVote:
        return
    raise Lost(f"the vote of height {height} does not bind")


def check_snapshot(database: ChainDatabase, chain: Chain) -> None:
    """Check a state that was fetched from this chain's."""
    header = database.header(database.head_hash() or b"")
    if header is None or header.block_number == 0:
        raise Lost("the head of a snapshot")
    require(chain.header_at(header.block_number) == header, "the snapshot is of another chain")
    with database.head_state() as flat:
        require(flat.root == header.state_root, "the snapshot's state is of another block")
        check_balances(flat, header.block_number)
    check_balances(TrieState(header.state_root, database.state, database.code), header.block_number)
