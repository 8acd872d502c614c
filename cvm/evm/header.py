"""Block headers of every fork from Frontier to Osaka, and their exact bytes."""

from dataclasses import dataclass, field

from cvm.evm.keccak import keccak256
from cvm.evm.log_bloom import BLOOM_BYTES
from cvm.evm.rlp_encoding import encode_bytes, encode_integer, encode_list
from cvm.evm.rlp_lists import expect_shape, fixed_bytes, integer, list_start, split_items
from cvm.evm.state_reader import EMPTY_TRIE_ROOT
from cvm.evm.strict_rlp import BadRlp

EMPTY_UNCLES_HASH = bytes.fromhex(
    "1dcc4de8dec75d7aab85b567b6ccd41ad312451b948a7413f0a142fd40d49347"
)
"""keccak256 of the RLP of an empty list."""

FRONTIER_FIELDS = 15
FIELD_COUNTS = (FRONTIER_FIELDS, 16, 17, 20, 21)
"""Frontier, then what EIP-1559, EIP-4895, EIP-4844 with EIP-4788, and EIP-7685 appended."""

UINT64, UINT256 = 8, 32
"""Sizes of numbers in bytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockHeader:
    """The fields in the order of the encoding; those of later forks are None where absent.

    `bloom` is a number of 2,048 bits, base fee in wei per gas, timestamp in seconds.
    """

    parent_hash: bytes = bytes(32)
    uncles_hash: bytes = EMPTY_UNCLES_HASH
    coinbase: bytes = bytes(20)
    state_root: bytes = EMPTY_TRIE_ROOT
    transaction_root: bytes = EMPTY_TRIE_ROOT
    receipt_root: bytes = EMPTY_TRIE_ROOT
    bloom: int = 0
    difficulty: int = 0
    block_number: int
    gas_limit: int
    gas_used: int = 0
    timestamp: int
    extra_data: bytes = b""
    mix_hash: bytes = bytes(32)
    nonce: bytes = bytes(8)
    base_fee_per_gas: int | None = None
    withdrawals_root: bytes | None = None
    blob_gas_used: int | None = None
    excess_blob_gas: int | None = None
    parent_beacon_block_root: bytes | None = None
    requests_hash: bytes | None = None
    _raw: bytes | None = field(default=None, init=False, repr=False, compare=False)
    _hash: bytes | None = field(default=None, init=False, repr=False, compare=False)

    @property
    def hash(self) -> bytes:
        """Return keccak256 of the encoding, worked out once."""
        found = self._hash
        if found is None:
            found = keccak256(self.encode())
            object.__setattr__(self, "_hash", found)
        return found

    def encode(self) -> bytes:
        """Return the RLP, worked out once."""
        raw = self._raw
        if raw is None:
            raw = encode_list(encoded_fields(self))
            object.__setattr__(self, "_raw", raw)
        return raw


def encoded_fields(header: BlockHeader) -> bytes:
    """Return the payload of a header's list; raises `ValueError` for a gap in the later fields."""
    required = (
        encode_bytes(header.parent_hash),
        encode_bytes(header.uncles_hash),
        encode_bytes(header.coinbase),
        encode_bytes(header.state_root),
        encode_bytes(header.transaction_root),
        encode_bytes(header.receipt_root),
        encode_bytes(header.bloom.to_bytes(BLOOM_BYTES, "big")),
        encode_integer(header.difficulty),
        encode_integer(header.block_number),
        encode_integer(header.gas_limit),
        encode_integer(header.gas_used),
        encode_integer(header.timestamp),
        encode_bytes(header.extra_data),
        encode_bytes(header.mix_hash),
        encode_bytes(header.nonce),
    )
    return b"".join((*required, *later_fields(header)))


def later_fields(header: BlockHeader) -> list[bytes]:
    """Return the encoded fields that forks after Frontier added, up to the last one present."""
    later = (
        header.base_fee_per_gas,
        header.withdrawals_root,
        header.blob_gas_used,
        header.excess_blob_gas,
        header.parent_beacon_block_root,
        header.requests_hash,
    )
    present = [value for value in later if value is not None]
    count = len(present)
    if FRONTIER_FIELDS + count not in FIELD_COUNTS or any(item is None for item in later[:count]):
        raise ValueError("a header has the fields of one fork and of every fork before it")
    return [
        encode_integer(value) if isinstance(value, int) else encode_bytes(value)
        for value in present
    ]


def decode_header(raw: bytes) -> BlockHeader:
    """Decode the RLP of a header; raises `BadRlp`.

    Every width is checked but that of `extra_data`, which is a rule of chains.
    """
    items, lists = split_items(raw, list_start(raw, 0, "a header"), len(raw))
    if len(items) not in FIELD_COUNTS:
        raise BadRlp(f"a header has {len(items)} fields, must have one of {FIELD_COUNTS}")
    expect_shape("a header", items, lists, len(items), [])
    header = BlockHeader(
        parent_hash=fixed_bytes("parent_hash", items[0], 32),
        uncles_hash=fixed_bytes("uncles_hash", items[1], 32),
        coinbase=fixed_bytes("coinbase", items[2], 20),
        state_root=fixed_bytes("state_root", items[3], 32),
        transaction_root=fixed_bytes("transaction_root", items[4], 32),
        receipt_root=fixed_bytes("receipt_root", items[5], 32),
        bloom=int.from_bytes(fixed_bytes("bloom", items[6], BLOOM_BYTES), "big"),
        difficulty=integer("difficulty", items[7], UINT256),
        block_number=integer("block_number", items[8], UINT64),
        gas_limit=integer("gas_limit", items[9], UINT64),
        gas_used=integer("gas_used", items[10], UINT64),
        timestamp=integer("timestamp", items[11], UINT64),
        extra_data=items[12],
        mix_hash=fixed_bytes("mix_hash", items[13], 32),
        nonce=fixed_bytes("nonce", items[14], 8),
        base_fee_per_gas=later_integer("base_fee_per_gas", items, 15, UINT256),
        withdrawals_root=later_hash("withdrawals_root", items, 16),
        blob_gas_used=later_integer("blob_gas_used", items, 17, UINT64),
        excess_blob_gas=later_integer("excess_blob_gas", items, 18, UINT64),
        parent_beacon_block_root=later_hash("parent_beacon_block_root", items, 19),
        requests_hash=later_hash("requests_hash", items, 20),
    )
    object.__setattr__(header, "_raw", raw)
    return header


def later_integer(name: str, items: list[bytes], place: int, size_bytes: int) -> int | None:
    """Return a number that a fork added, None in a header from before it."""
    return integer(name, items[place], size_bytes) if place < len(items) else None


def later_hash(name: str, items: list[bytes], place: int) -> bytes | None:
    """Return a hash that a fork added, None in a header from before it."""
    return fixed_bytes(name, items[place], 32) if place < len(items) else None
