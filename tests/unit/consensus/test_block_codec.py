"""A block's bytes: geth's RLP form, decoded exactly or refused."""

from dataclasses import replace
from typing import Any

import pytest
import rlp
from hypothesis import given, settings
from hypothesis import strategies as st

from consensus.block import MAX_BLOCK_BYTES, Block, decode_block
from consensus.faults import MalformedBlock
from consensus.withdrawal import Withdrawal
from cvm.evm.transaction_decoding import decode_transaction
from tests.unit.consensus.headers import child_header
from tests.unit.evm.signing import OTHER_KEY, RECIPIENT, authorization, high_s, nested, raw

RAW = [
    raw(0),
    raw(1),
    raw(2, nonce=2),
    raw(4, nonce=3, authorizations=[authorization(OTHER_KEY, RECIPIENT)]),
]
BLOCK = Block(child_header(), tuple(decode_transaction(tx) for tx in RAW))
ENCODED = BLOCK.encode()
PARTS = rlp.decode(ENCODED)
BLOCK_NUMBER, GAS_LIMIT, TIMESTAMP, EXTRA_DATA = 8, 9, 11, 12


def with_parts(position: int, value: Any) -> bytes:
    parts = list(PARTS)
    parts[position] = value
    return bytes(rlp.encode(parts))


def with_header(position: int, value: Any) -> bytes:
    header = list(PARTS[0])
    header[position] = value
    return with_parts(0, header)


def made_again(block: Block) -> bytes:
    """Return the encoding of a block's parts, not the bytes that it was read from."""
    return Block(replace(block.header), block.transactions).encode()


def test_a_block_survives_its_encoding() -> None:
    decoded = decode_block(ENCODED)
    assert decoded.hash == BLOCK.hash
    assert decoded.encode() == made_again(decoded) == ENCODED
    assert [tx.encode() for tx in decoded.transactions] == RAW


def test_a_withdrawal_stands_in_the_fourth_list() -> None:
    paid = Block(child_header(), (), (Withdrawal(9, 0, b"\xcb" * 20, 5),))
    assert decode_block(paid.encode()) == paid
    assert rlp.decode(paid.encode())[3] == [[b"\x09", b"", b"\xcb" * 20, b"\x05"]]


def test_an_empty_block_survives_its_encoding() -> None:
    empty = Block(child_header(), ())
    assert decode_block(empty.encode()).encode() == empty.encode()


def test_it_is_a_list_of_header_transactions_ommers_and_withdrawals() -> None:
    header, transactions, ommers, withdrawals = PARTS
    assert len(header) == 21
    assert rlp.encode(transactions[0]) == RAW[0]
    assert transactions[1:] == RAW[1:]
    assert (ommers, withdrawals) == ([], [])


def test_a_header_holds_32_byte_roots_and_a_256_byte_bloom() -> None:
    lengths = [len(field) for field in PARTS[0]]
    assert lengths[:7] == [32, 32, 20, 32, 32, 32, 256]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        pytest.param(b"", "no bytes", id="nothing"),
        pytest.param(b"\x80", "a block is a list", id="an empty string"),
        pytest.param(b"\xc0", "too few elements for a block: 0", id="an empty list"),
        pytest.param(ENCODED[:-1], "too late", id="cut off"),
        pytest.param(ENCODED + b"\0", "1 bytes after the end of a block", id="a byte too many"),
        pytest.param(nested(20_000), "too few elements for a block: 1", id="20,000 nested lists"),
        pytest.param(bytes(MAX_BLOCK_BYTES + 1), "at most 8388608", id="EIP-7934 too large"),
        pytest.param(bytes(rlp.encode(PARTS[:3])), "for a block: 3, must be 4", id="three parts"),
        pytest.param(bytes(rlp.encode([*PARTS, []])), "for a block: 5, not 4", id="five parts"),
        pytest.param(with_parts(2, [PARTS[0]]), "ommers must be an empty list", id="an ommer"),
        pytest.param(
            with_parts(3, [[b"", b"", b"", b""]]), "a withdrawal address", id="no address"
        ),
        pytest.param(with_parts(2, b""), "list for element 2 of a block", id="a string as ommers"),
        pytest.param(
            with_parts(3, b""), "list for element 3 of a block", id="a string as withdrawals"
        ),
        pytest.param(
            with_parts(1, b""), "list for element 1 of a block", id="a string as transactions"
        ),
        pytest.param(with_parts(0, b""), "list for element 0 of a block", id="a string as header"),
        pytest.param(with_parts(0, PARTS[0][:20]), "header: ", id="20 header fields"),
        pytest.param(with_parts(0, [*PARTS[0], b""]), "header: ", id="22 header fields"),
        pytest.param(with_header(0, b"\1" * 31), "parent_hash", id="a 31-byte parent hash"),
        pytest.param(
            with_header(2, b""), "too short for coinbase: it has 0 bytes", id="no coinbase"
        ),
        pytest.param(with_header(6, b"\1" * 255), "bloom", id="a 255-byte bloom"),
        pytest.param(
            with_header(13, b""), "too short for mix_hash: it has 0 bytes", id="no mix hash"
        ),
        pytest.param(with_header(BLOCK_NUMBER, b"\0\x0a"), "block_number", id="a leading zero"),
        pytest.param(with_header(BLOCK_NUMBER, 2**64), "block_number has 65", id="number"),
        pytest.param(with_header(GAS_LIMIT, 2**64), "gas_limit has 65 bits", id="gas limit"),
        pytest.param(with_header(10, 2**64), "gas_used has 65 bits", id="gas used"),
        pytest.param(with_header(TIMESTAMP, 2**64), "timestamp has 65 bits", id="timestamp"),
        pytest.param(with_header(7, 2**256), "difficulty has 257 bits", id="difficulty"),
        pytest.param(with_header(15, 2**20_000), "base_fee_per_gas has 20001", id="base fee"),
        pytest.param(with_parts(1, [b""]), "transaction: ", id="an empty transaction"),
        pytest.param(with_parts(1, [[]]), "transaction: ", id="an empty legacy transaction"),
        pytest.param(with_parts(1, [RAW[0]]), "in a block as a list", id="legacy as bytes"),
        pytest.param(
            with_parts(1, [rlp.decode(RAW[2][1:])]), "transaction: ", id="a typed one as a list"
        ),
        pytest.param(
            with_parts(1, [b"\3" + RAW[2][1:]]), "without its sidecar: 12", id="half a blob"
        ),
        pytest.param(with_parts(1, [b"\5" + RAW[2][1:]]), "type not supported: 5", id="type 5"),
        pytest.param(with_parts(1, [high_s(RAW[2])]), "v, r, s", id="a malleable signature"),
        pytest.param(
            with_parts(1, [RAW[2] + b"\0"]),
            "1 bytes after the end of a dynamic",
            id="a byte after one",
        ),
    ],
)
def test_bytes_of_another_shape_are_refused(data: bytes, reason: str) -> None:
    with pytest.raises(MalformedBlock, match=r"^not a block: ") as caught:
        decode_block(data)
    assert reason in str(caught.value)
    assert len(str(caught.value)) < 400


def test_extra_data_of_any_length_is_left_to_the_rules() -> None:
    assert len(decode_block(with_header(EXTRA_DATA, b"x" * 33)).header.extra_data) == 33


@settings(derandomize=True, max_examples=300, deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_are_refused_or_decoded_exactly(data: bytes) -> None:
    try:
        block = decode_block(data)
    except MalformedBlock:
        return
    assert block.encode() == made_again(block) == data


@settings(derandomize=True, max_examples=300, deadline=None)
@given(st.integers(0, len(ENCODED) - 1), st.integers(1, 255))
def test_a_changed_byte_is_refused_or_another_block(position: int, change: int) -> None:
    hostile = bytearray(ENCODED)
    hostile[position] ^= change
    try:
        block = decode_block(bytes(hostile))
    except MalformedBlock:
        return
    assert block.encode() == made_again(block) == bytes(hostile)
