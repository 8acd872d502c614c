"""Tiny blocks for simulations: [header], of seven fields, over a state that is one hash."""

from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b

from cvm.evm.keccak import keccak256
from cvm.evm.rlp_encoding import encode_bytes, encode_integer, encode_list
from cvm.evm.rlp_lists import expect_shape, fixed_bytes, integer, list_start, split_items

HASH_BYTES = 32
ADDRESS_BYTES = 20
BLOCKS_REMEMBERED = 8192


@dataclass(frozen=True, slots=True)
class FakeBlock:
    """A block of the simulation; `state_root` follows from the parent's and from these fields."""

    number: int
    parent_hash: bytes
    timestamp: int
    coinbase: bytes
    state_root: bytes
    parent_certificate_hash: bytes
    salt: bytes
    rlp: bytes
    hash: bytes


GENESIS_COINBASE = bytes(ADDRESS_BYTES)
GENESIS_TIMESTAMP_S = 1_000_000


def hash_of(data: bytes) -> bytes:
    """Return 32 bytes that stand for the data."""
    return blake2b(data, digest_size=HASH_BYTES).digest()


def make_block(
    number: int,
    parent_hash: bytes,
    timestamp: int,
    coinbase: bytes,
    state_root: bytes,
    parent_certificate_hash: bytes,
    salt: bytes,
) -> FakeBlock:
    """Encode a block's fields."""
    payload = (
        encode_integer(number),
        encode_bytes(parent_hash),
        encode_integer(timestamp),
        encode_bytes(coinbase),
        encode_bytes(state_root),
        encode_bytes(parent_certificate_hash),
        encode_bytes(salt),
    )
    return decode_fake_block(encode_list(encode_list(b"".join(payload))))


@lru_cache(maxsize=BLOCKS_REMEMBERED)
def decode_fake_block(rlp: bytes) -> FakeBlock:
    """Read a block; raises `BadRlp`."""
    name = "a block"
    start = list_start(rlp, 0, name)
    headers, header_lists = split_items(rlp, start, len(rlp))
    expect_shape(name, headers, header_lists, 1, [0])
    items, lists = split_items(headers[0], 0, len(headers[0]))
    expect_shape("a header", items, lists, 7, [])
    return FakeBlock(
        integer("number", items[0], 8),
        fixed_bytes("parent hash", items[1], HASH_BYTES),
        integer("timestamp", items[2], 8),
        fixed_bytes("coinbase", items[3], ADDRESS_BYTES),
        fixed_bytes("state root", items[4], HASH_BYTES),
        fixed_bytes("certificate hash", items[5], HASH_BYTES),
        items[6],
        rlp,
        keccak256(rlp[start:]),
    )


def genesis_block() -> FakeBlock:
    """Return block 0."""
    nothing = bytes(HASH_BYTES)
    return make_block(
        0, nothing, GENESIS_TIMESTAMP_S, GENESIS_COINBASE, nothing, nothing, b"genesis"
    )


def next_state_root(parent: FakeBlock, coinbase: bytes, salt: bytes) -> bytes:
    """Return the state after a block: the work that every validator does again."""
    return hash_of(parent.state_root + coinbase + salt)


def build_on(
    parent: FakeBlock, timestamp: int, coinbase: bytes, certificate_hash: bytes, salt: bytes
) -> FakeBlock:
    """Return a valid block on a parent."""
    root = next_state_root(parent, coinbase, salt)
    number = parent.number + 1
    return make_block(number, parent.hash, timestamp, coinbase, root, certificate_hash, salt)


def follows(block: FakeBlock, parent: FakeBlock, period_s: int) -> bool:
    """Tell whether a block is valid on a parent, its certificate and its coinbase aside."""
    return (
        block.number == parent.number + 1
        and block.parent_hash == parent.hash
        and block.timestamp >= parent.timestamp + period_s
        and block.state_root == next_state_root(parent, block.coinbase, block.salt)
    )


def twin_of(block: FakeBlock, salt: bytes, parent: FakeBlock) -> FakeBlock:
    """Return another valid block with the same parent, time and coinbase."""
    certificate_hash = block.parent_certificate_hash
    return build_on(parent, block.timestamp, block.coinbase, certificate_hash, salt)
