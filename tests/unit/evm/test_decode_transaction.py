"""Bytes that claim to be a transaction: decoded exactly, or refused with the reason."""

from typing import Any

import pytest
import rlp
from hypothesis import given, settings
from hypothesis import strategies as st

from cvm.evm.faults import (
    InvalidSignature,
    InvalidTransaction,
    MalformedTransaction,
    TransactionTypeNotSupported,
)
from cvm.evm.transactions import decode_transaction, encode_for_block, sender_of
from tests.unit.evm.signing import (
    CURVE_ORDER,
    OTHER_KEY,
    RECIPIENT,
    SENDER,
    authorization,
    fields_of,
    high_s,
    nested,
    raw,
    sign_fields,
)

AUTHORIZATION = authorization(OTHER_KEY, RECIPIENT)
VALID = [
    raw(0),
    raw(0, chain_id=None),
    raw(1, access_list=[(RECIPIENT, (b"\x01" * 32,))]),
    raw(2, data=b"\0\1"),
    raw(4, authorizations=[AUTHORIZATION]),
]
TYPES = ["legacy", "legacy without chain id", "access list", "dynamic fee", "delegating"]
NONCE, TIP, FEE_CAP, GAS, TO, VALUE, DATA, ACCESS_LIST = range(1, 9)


def changed(field: int, value: Any, type_id: int = 2) -> bytes:
    """Return a correctly signed transaction in which one field is something else."""
    fields = fields_of(type_id, authorizations=[AUTHORIZATION])
    fields[field] = value
    return sign_fields(type_id, fields)


def signature_changed(position: int, value: Any, type_id: int = 2) -> bytes:
    """Replace v, r or s, counted from the end."""
    encoded = raw(type_id, authorizations=[AUTHORIZATION])
    prefix = encoded[:1] if type_id else b""
    parts = rlp.decode(encoded[len(prefix) :])
    parts[position] = value
    return prefix + bytes(rlp.encode(parts))


@pytest.mark.parametrize("encoded", VALID, ids=TYPES)
def test_a_valid_transaction_survives_decoding(encoded: bytes) -> None:
    tx = decode_transaction(encoded)
    assert tx.encode() == encoded
    assert sender_of(tx) == SENDER


@pytest.mark.parametrize("encoded", VALID, ids=TYPES)
def test_a_block_holds_legacy_as_a_list_and_the_rest_as_bytes(encoded: bytes) -> None:
    item = encode_for_block(decode_transaction(encoded))
    assert (item if isinstance(item, bytes) else rlp.encode(item)) == encoded


@pytest.mark.parametrize("encoded", VALID, ids=TYPES)
def test_eip_2_a_high_s_is_refused(encoded: bytes) -> None:
    with pytest.raises(InvalidSignature, match=r"must be in \[1, n/2\]"):
        decode_transaction(high_s(encoded))


@pytest.mark.parametrize("encoded", VALID, ids=TYPES)
def test_a_byte_after_the_end_is_refused(encoded: bytes) -> None:
    with pytest.raises(MalformedTransaction):
        decode_transaction(encoded + b"\0")


@pytest.mark.parametrize("encoded", VALID, ids=TYPES)
def test_no_prefix_is_a_transaction(encoded: bytes) -> None:
    for length in range(len(encoded)):
        with pytest.raises(InvalidTransaction):
            decode_transaction(encoded[:length])


@pytest.mark.parametrize(
    ("encoded", "reason"),
    [
        pytest.param(b"", "no bytes", id="no bytes"),
        pytest.param(b"\x80", "a legacy transaction is a list", id="empty string"),
        pytest.param(b"\xc0", "list length (0)", id="empty list"),
        pytest.param(b"\x02", "no bytes", id="a type and nothing else"),
        pytest.param(b"\x02\xc0", "list length (0)", id="a type and an empty list"),
        pytest.param(rlp.encode([b""] * 8), "list length (8)", id="eight fields"),
        pytest.param(
            rlp.encode([b""] * 10), "list length (10)", id="ten fields in a legacy transaction"
        ),
        pytest.param(
            b"\xf8\x09" + b"\x80" * 9,
            "not the shortest form",
            id="long length where a short one does",
        ),
        pytest.param(
            b"\xb8" + raw(0)[1:], "a legacy transaction is a list", id="a string for a list"
        ),
        pytest.param(nested(20_000), "nested more than 8 deep", id="20,000 nested lists"),
        pytest.param(
            b"\x02" + nested(20_000), "nested more than 8 deep", id="the same after a type"
        ),
        pytest.param(changed(NONCE, b"\0\1"), "not minimal length", id="leading zero in nonce"),
        pytest.param(changed(VALUE, b"\0"), "not minimal length", id="zero as a zero byte"),
        pytest.param(changed(NONCE, 2**64), "nonce has 65 bits, at most 64", id="nonce 2**64"),
        pytest.param(changed(GAS, 2**64), "gas has 65 bits, at most 64", id="gas 2**64"),
        pytest.param(changed(VALUE, 2**256), "value has 257 bits", id="value 2**256"),
        pytest.param(changed(FEE_CAP, 2**256), "max fee per gas has 257", id="fee cap 2**256"),
        pytest.param(changed(TIP, 2**256), "max priority fee per gas", id="tip 2**256"),
        pytest.param(changed(0, 2**256), "chain id has 257 bits", id="chain id 2**256"),
        pytest.param(changed(0, 2**40_000), "chain id has 40001 bits", id="chain id 2**40000"),
        pytest.param(changed(TO, RECIPIENT[1:]), "field to", id="19-byte destination"),
        pytest.param(changed(TO, RECIPIENT + b"\0"), "field to", id="21-byte destination"),
        pytest.param(changed(DATA, [b"\1"]), "field data", id="a list as calldata"),
        pytest.param(
            changed(ACCESS_LIST, b"\1"), "field access_list", id="a string as access list"
        ),
        pytest.param(
            changed(ACCESS_LIST, [[RECIPIENT]]), "list length (1)", id="an access without keys"
        ),
        pytest.param(
            changed(ACCESS_LIST, [[RECIPIENT, [b"\1" * 31]]]),
            "field storage_keys",
            id="a 31-byte storage key",
        ),
        pytest.param(
            changed(ACCESS_LIST, [[RECIPIENT[1:], []]]),
            "field account",
            id="a 19-byte address in it",
        ),
        pytest.param(
            changed(ACCESS_LIST, [[b"", []]]), "access list address has 0 bytes", id="no address"
        ),
    ],
)
def test_malformed_bytes_are_refused(encoded: bytes, reason: str) -> None:
    with pytest.raises(MalformedTransaction) as caught:
        decode_transaction(encoded)
    assert reason in str(caught.value)
    assert str(caught.value).startswith("rlp: cannot decode transaction: ")
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize("type_id", [0, 3, 5, 0x7F])
def test_a_type_that_no_fork_of_ours_knows_is_refused(type_id: int) -> None:
    with pytest.raises(TransactionTypeNotSupported, match=f"not supported: {type_id}"):
        decode_transaction(bytes([type_id]) + raw(2)[1:])


@pytest.mark.parametrize(
    ("encoded", "reason"),
    [
        pytest.param(signature_changed(-2, 0), "r is 0x0", id="r 0"),
        pytest.param(signature_changed(-2, CURVE_ORDER), "must be in", id="r n"),
        pytest.param(signature_changed(-1, 0), "s is 0x0", id="s 0"),
        pytest.param(signature_changed(-3, 2), "y parity is 2", id="y parity 2"),
        pytest.param(signature_changed(-3, 27), "y parity is 27", id="typed with v 27"),
        pytest.param(signature_changed(-3, 29, 0), "v is 29", id="legacy v 29"),
        pytest.param(signature_changed(-3, 0, 0), "v is 0", id="legacy v 0"),
    ],
)
def test_signature_values_out_of_range_are_refused(encoded: bytes, reason: str) -> None:
    with pytest.raises(InvalidSignature, match=reason):
        decode_transaction(encoded)


def test_a_signature_that_is_no_point_has_no_sender() -> None:
    tx = decode_transaction(signature_changed(-2, 5))  # x = 5 is on no point of the curve
    with pytest.raises(InvalidSignature, match="invalid transaction v, r, s values"):
        sender_of(tx)


@pytest.mark.parametrize(
    ("position", "value", "reason"),
    [
        pytest.param(0, 2**256, "authorization chain id has 257 bits", id="chain id"),
        pytest.param(1, b"", "address has 0 bytes", id="no address"),
        pytest.param(2, 2**64, "authorization nonce has 65 bits", id="nonce"),
        pytest.param(3, 256, "authorization y parity has 9 bits", id="y parity"),
        pytest.param(4, 2**256, "authorization r has 257 bits", id="r"),
        pytest.param(5, 2**256, "authorization s has 257 bits", id="s"),
    ],
)
def test_eip_7702_bounds_of_an_authorization(position: int, value: Any, reason: str) -> None:
    item = list(AUTHORIZATION)
    item[position] = value
    with pytest.raises(MalformedTransaction, match=reason):
        decode_transaction(sign_fields(4, fields_of(4, authorizations=[item])))


@settings(derandomize=True, max_examples=300, deadline=None)
@given(st.one_of(st.binary(max_size=300), st.binary(max_size=200).map(lambda tail: b"\x02" + tail)))
def test_any_bytes_are_decoded_exactly_or_refused(data: bytes) -> None:
    try:
        tx = decode_transaction(data)
    except InvalidTransaction:
        return
    assert tx.encode() == data


@settings(derandomize=True, max_examples=300, deadline=None)
@given(st.sampled_from(VALID), st.integers(min_value=0), st.integers(min_value=1, max_value=255))
def test_one_changed_byte_is_another_transaction_or_none(
    encoded: bytes, position: int, change: int
) -> None:
    hostile = bytearray(encoded)
    hostile[position % len(encoded)] ^= change
    try:
        tx = decode_transaction(bytes(hostile))
        changed_hash = bytes(tx.hash)
        sender_of(tx)
    except InvalidTransaction:
        return
    assert tx.encode() == bytes(hostile)
    assert changed_hash != decode_transaction(encoded).hash
