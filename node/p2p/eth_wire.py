"""The fields that only messages of the eth protocol have; see `wire_fields`."""

from dataclasses import dataclass

from cvm.evm.faults import InvalidTransaction
from cvm.evm.header import BlockHeader, decode_header
from cvm.evm.keccak import HASH_BYTES
from cvm.evm.rlp_encoding import encode_bytes, encode_integer, encode_list
from cvm.evm.rlp_lists import UINT64_BYTES, fixed_bytes, integer
from cvm.evm.strict_rlp import BadRlp
from cvm.evm.transaction import Transaction
from cvm.evm.transaction_list import decode_transaction_list
from node.p2p.eth_fork_id import ForkId, decode_fork_id
from node.p2p.eth_limits import MAX_HASHES, MAX_TRANSACTIONS, SMALLEST_TRANSACTION_BYTES
from node.p2p.wire_fields import Fixed, Number, Several, expect_at_most, expect_list, expect_string

REQUEST_ID = ("request_id", Number())
HASH = Fixed(HASH_BYTES)
HASHES = Several(HASH, MAX_HASHES, smallest_bytes=HASH_BYTES)


@dataclass(frozen=True, slots=True)
class ForkIdField:
    """A fork identifier."""

    def encode(self, value: ForkId) -> bytes:
        """Return the RLP of an identifier."""
        return value.encode()

    def decode(self, name: str, payload: bytes, is_list: bool) -> ForkId:
        """Return the identifier; raises `BadRlp`."""
        expect_list(name, is_list)
        return decode_fork_id(payload)


@dataclass(frozen=True, slots=True)
class Origin:
    """A block by its height or by its hash."""

    def encode(self, value: int | bytes) -> bytes:
        """Return the RLP of a height or a hash."""
        return encode_bytes(value) if isinstance(value, bytes) else encode_integer(value)

    def decode(self, name: str, payload: bytes, is_list: bool) -> int | bytes:
        """Return the height or the hash; raises `BadRlp`."""
        expect_string(name, is_list)
        if len(payload) > UINT64_BYTES:
            return fixed_bytes(name, payload, HASH_BYTES)
        return integer(name, payload, UINT64_BYTES)


@dataclass(frozen=True, slots=True)
class Header:
    """A block header of any fork."""

    def encode(self, value: BlockHeader) -> bytes:
        """Return the RLP of a header."""
        return value.encode()

    def decode(self, name: str, payload: bytes, is_list: bool) -> BlockHeader:
        """Return the header; raises `BadRlp`."""
        expect_list(name, is_list)
        return decode_header(encode_list(payload))


@dataclass(frozen=True, slots=True)
class Payload:
    """A list that another module reads, kept as the payload of its RLP."""

    def encode(self, value: bytes) -> bytes:
        """Return the RLP of the list."""
        return encode_list(value)

    def decode(self, name: str, payload: bytes, is_list: bool) -> bytes:
        """Return the payload; raises `BadRlp`."""
        expect_list(name, is_list)
        return payload


@dataclass(frozen=True, slots=True)
class Transactions:
    """Signed transactions as a block's list holds them: legacy ones as lists (EIP-2718)."""

    def encode(self, value: tuple[Transaction, ...]) -> bytes:
        """Return the RLP of the list."""
        return encode_list(
            b"".join([encode_bytes(tx.raw) if tx.type_id else tx.raw for tx in value])
        )

    def decode(self, name: str, payload: bytes, is_list: bool) -> tuple[Transaction, ...]:
        """Return the transactions, whose signers are not recovered; raises `BadRlp`."""
        expect_list(name, is_list)
        expect_at_most(
            name, len(payload) // SMALLEST_TRANSACTION_BYTES, MAX_TRANSACTIONS, "transactions"
        )
        try:
            return decode_transaction_list(payload)
        except InvalidTransaction as error:
            raise BadRlp(f"{name}: {error}") from error
