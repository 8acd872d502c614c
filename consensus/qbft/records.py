"""The bytes of what is persisted before it is sent (PROTOCOL section 5).

own message           [code, message, parent certificate | ""]
prepared certificate  [0, height, round, digest, block, prepares, parent certificate | ""]
"""

from consensus.certificate import CommitCertificate, certificate_of
from consensus.qbft.events import OwnMessage, PreparedCertificate, Record
from consensus.qbft.faults import BadMessage
from consensus.qbft.message_decoding import decode_message, prepares_of
from consensus.qbft.messages import ROUND_BYTES
from cvm.evm.keccak import HASH_BYTES
from cvm.evm.rlp_encoding import EMPTY_STRING, encode_bytes, encode_integer, encode_list
from cvm.evm.rlp_lists import (
    UINT64_BYTES,
    expect_shape,
    fixed_bytes,
    integer,
    list_start,
    split_items,
)
from cvm.evm.strict_rlp import BadRlp

CERTIFICATE_CODE = 0
CODE_BYTES = 1


def height_of(record: Record) -> int:
    """Return which height a record belongs to."""
    return (
        record.height if isinstance(record, PreparedCertificate) else record.message.payload.height
    )


def encode_record(record: Record) -> bytes:
    """Return the RLP of a record."""
    named = record.parent_certificate
    certificate = EMPTY_STRING if named is None else named.encode()
    if isinstance(record, OwnMessage):
        code = encode_integer(record.message.payload.CODE)
        return encode_list(code + record.message.encode() + certificate)
    numbers = (CERTIFICATE_CODE, record.height, record.round)
    prepares = encode_list(b"".join(prepare.encode() for prepare in record.prepares))
    return encode_list(
        b"".join(map(encode_integer, numbers))
        + encode_bytes(record.digest)
        + record.block
        + prepares
        + certificate
    )


def decode_record(data: bytes) -> Record:
    """Read a record back from the disk; raises `BadMessage` where the bytes are none."""
    try:
        items, lists = split_items(data, list_start(data, 0, "a record"), len(data))
        if not items:
            raise BadMessage("an empty record")
        code = integer("code", items[0], CODE_BYTES)
        if code == CERTIFICATE_CODE:
            return _prepared_certificate(items, lists)
        return _own_message(code, items, lists)
    except BadRlp as error:
        raise BadMessage(str(error)) from error


def _own_message(code: int, items: list[bytes], lists: list[int]) -> OwnMessage:
    with_certificate = [1, 2] if 2 in lists else [1]
    expect_shape("an own message", items, lists, 3, with_certificate)
    return OwnMessage(decode_message(code, encode_list(items[1])), _certificate(items[2]))


def _prepared_certificate(items: list[bytes], lists: list[int]) -> PreparedCertificate:
    with_certificate = [4, 5, 6] if 6 in lists else [4, 5]
    expect_shape("a prepared certificate", items, lists, 7, with_certificate)
    return PreparedCertificate(
        integer("height", items[1], UINT64_BYTES),
        integer("round", items[2], ROUND_BYTES),
        fixed_bytes("digest", items[3], HASH_BYTES),
        encode_list(items[4]),
        prepares_of(items[5]),
        _certificate(items[6]),
    )


def _certificate(payload: bytes) -> CommitCertificate | None:
    return certificate_of(encode_list(payload)) if payload else None
