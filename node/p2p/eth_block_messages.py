"""Requests for headers, bodies and receipts, and their replies; eth/68 and eth/69 share most."""

from dataclasses import dataclass
from typing import Any, ClassVar

from cvm.evm.header import BlockHeader
from cvm.evm.receipt import Receipt
from cvm.evm.rlp_encoding import EMPTY_STRING, encode_bytes, encode_integer, encode_list
from node.p2p.eth_limits import (
    MAX_HEADERS,
    MAX_MESSAGE_BYTES,
    MAX_REQUEST_BYTES,
    MAX_SMALL_MESSAGE_BYTES,
)
from node.p2p.eth_wire import HASHES, REQUEST_ID, Header, Origin, Payload
from node.p2p.wire_fields import Group, Number, Several, WireMessage

SMALLEST_HEADER_BYTES = 480
"""Five hashes, an address and a bloom alone take more."""
SMALLEST_BODY_BYTES = 3
SMALLEST_RECEIPT_LIST_BYTES = 1


@dataclass(frozen=True, slots=True)
class HeaderQuery:
    """Headers from `origin` (a height, or a hash) on, one of each `skip` + 1.

    They go up the chain, or down it where `is_reverse`.
    """

    origin: int | bytes
    limit: int
    skip: int = 0
    is_reverse: bool = False


@dataclass(frozen=True, slots=True)
class QueryField:
    """The list `[origin, limit, skip, reverse]`."""

    FIELDS: ClassVar = Group(
        (
            ("origin", Origin()),
            ("limit", Number()),
            ("skip", Number()),
            ("reverse", Number(most=1)),
        )
    )

    def encode(self, value: HeaderQuery) -> bytes:
        """Return the RLP of a query."""
        parts = (value.origin, value.limit, value.skip, int(value.is_reverse))
        return self.FIELDS.encode(parts)

    def decode(self, name: str, payload: bytes, is_list: bool) -> HeaderQuery:
        """Return the query; raises `BadRlp`."""
        values: tuple[Any, ...] = self.FIELDS.decode(name, payload, is_list)  # each its own type
        origin, limit, skip, reverse = values
        return HeaderQuery(origin, limit, skip, bool(reverse))


@dataclass(frozen=True, slots=True)
class GetBlockHeaders(WireMessage):
    """Ask for headers; answered by `BlockHeaders`."""

    CODE: ClassVar[int] = 0x03
    MAX_LENGTH: ClassVar[int] = MAX_SMALL_MESSAGE_BYTES
    FIELDS: ClassVar = (REQUEST_ID, ("query", QueryField()))
    request_id: int
    query: HeaderQuery


@dataclass(frozen=True, slots=True)
class BlockHeaders(WireMessage):
    """Headers in the order that was asked for; fewer where the chain or the answer ends."""

    CODE: ClassVar[int] = 0x04
    MAX_LENGTH: ClassVar[int] = MAX_MESSAGE_BYTES
    FIELDS: ClassVar = (
        REQUEST_ID,
        ("headers", Several(Header(), MAX_HEADERS, SMALLEST_HEADER_BYTES)),
    )
    request_id: int
    headers: tuple[BlockHeader, ...]


@dataclass(frozen=True, slots=True)
class GetBlockBodies(WireMessage):
    """Ask for the bodies of blocks; answered by `BlockBodies`."""

    CODE: ClassVar[int] = 0x05
    MAX_LENGTH: ClassVar[int] = MAX_REQUEST_BYTES
    FIELDS: ClassVar = (REQUEST_ID, ("hashes", HASHES))
    request_id: int
    hashes: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class BlockBodies(WireMessage):
    """Bodies in the order of the hashes asked for; those that a node has not are left out.

    A body is a block's RLP without the header: the payload of `[transactions, ommers,
    withdrawals]`. What is in it is the block's affair.
    """

    CODE: ClassVar[int] = 0x06
    MAX_LENGTH: ClassVar[int] = MAX_MESSAGE_BYTES
    FIELDS: ClassVar = (
        REQUEST_ID,
        ("bodies", Several(Payload(), MAX_HEADERS, SMALLEST_BODY_BYTES)),
    )
    request_id: int
    bodies: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class GetReceipts(WireMessage):
    """Ask for the receipts of blocks; answered by `Receipts`."""

    CODE: ClassVar[int] = 0x0F
    MAX_LENGTH: ClassVar[int] = MAX_REQUEST_BYTES
    FIELDS: ClassVar = (REQUEST_ID, ("hashes", HASHES))
    request_id: int
    hashes: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Receipts(WireMessage):
    """Receipts of the blocks asked for, each block's as the payload of its list.

    They are in the form of `receipts_of_68` or of `receipts_of_69`, as the two nodes agreed.
    """

    CODE: ClassVar[int] = 0x10
    MAX_LENGTH: ClassVar[int] = MAX_MESSAGE_BYTES
    FIELDS: ClassVar = (
        REQUEST_ID,
        ("blocks", Several(Payload(), MAX_HEADERS, SMALLEST_RECEIPT_LIST_BYTES)),
    )
    request_id: int
    blocks: tuple[bytes, ...]


def receipts_of_68(receipts: tuple[Receipt, ...]) -> bytes:
    """Return a block's receipts as eth/68 has them: with bloom, typed ones as byte strings."""
    encoded = [(receipt.type_id, receipt.encode()) for receipt in receipts]
    return b"".join([encode_bytes(raw) if type_id else raw for type_id, raw in encoded])


def receipts_of_69(receipts: tuple[Receipt, ...]) -> bytes:
    """Return a block's receipts as eth/69 has them: `[type, outcome, gas, logs]` (EIP-7642)."""
    return b"".join(map(receipt_without_bloom, receipts))


def receipt_without_bloom(receipt: Receipt) -> bytes:
    """Return the RLP of one receipt in the form of eth/69."""
    outcome = encode_integer(receipt.status)
    if receipt.state_root is not None:
        outcome = encode_bytes(receipt.state_root)
    return encode_list(
        (encode_integer(receipt.type_id) if receipt.type_id else EMPTY_STRING)
        + outcome
        + encode_integer(receipt.cumulative_gas_used)
        + encode_list(b"".join([log.encode() for log in receipt.logs]))
    )
