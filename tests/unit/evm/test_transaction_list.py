"""A block's list of transactions: compiled code reads what the definition reads, and no more."""

import tracemalloc
from typing import Any

import pytest
import rlp
from hypothesis import given, settings
from hypothesis import strategies as st

from cvm.evm.faults import InvalidTransaction, MalformedTransaction
from cvm.evm.native.transaction_scan import OTHER_STRING
from cvm.evm.rlp_encoding import encode_list
from cvm.evm.rlp_lists import split_items
from cvm.evm.strict_rlp import BadRlp
from cvm.evm.transaction import Transaction
from cvm.evm.transaction_decoding import decode_transaction
from cvm.evm.transaction_list import ROWS_AT_ONCE, decode_other, decode_transaction_list
from tests.unit.evm.signing import (
    CURVE_ORDER,
    OTHER_KEY,
    RECIPIENT,
    SENDER,
    authorization,
    fields_of,
    high_s,
    raw,
    sign_fields,
)

FORMS = {
    "legacy": raw(0),
    "legacy without chain id": raw(0, chain_id=None),
    "access list": raw(1, access_list=[(RECIPIENT, (b"\x01" * 32, bytes(32))), (SENDER, ())]),
    "empty access list": raw(1),
    "dynamic fee": raw(2, data=b"\0\1", nonce=127, value=128),
    "dynamic fee with access list": raw(2, access_list=[(RECIPIENT, ())]),
    "blob": sign_fields(3, [*fields_of(2), 9, [b"\x01" * 32]]),
    "delegating": raw(4, authorizations=[authorization(OTHER_KEY, RECIPIENT)]),
    "creation": raw(2, to=b"", data=b"\x60" * 300, fee_cap=2**256 - 1),
}
each_form = pytest.mark.parametrize("encoded", FORMS.values(), ids=FORMS)
MOST = 2**256 - 1
MEBIBYTE = 1 << 20
NUMBERS = {
    "nonce 0": {"nonce": 0},
    "nonce 2**64 - 1": {"nonce": 2**64 - 1},
    "nonce 2**64": {"nonce": 2**64},
    "gas 2**64 - 1": {"gas": 2**64 - 1},
    "gas 2**64": {"gas": 2**64},
    "fee of 256 bits": {"fee_cap": MOST},
    "value of 256 bits": {"value": MOST},
    "value of 257 bits": {"value": MOST + 1},
    "chain id 0": {"chain_id": 0},
    "chain id 110": {"chain_id": 110},
    "chain id 2**62": {"chain_id": 2**62},
    "chain id 2**63 - 18": {"chain_id": 2**63 - 18},
    "chain id 2**63 - 17": {"chain_id": 2**63 - 17},
    "chain id 2**63": {"chain_id": 2**63},
    "chain id 2**64": {"chain_id": 2**64},
    "one byte of data": {"data": b"\x7f"},
    "one high byte of data": {"data": b"\x80"},
    "55 bytes of data": {"data": b"\0" * 55},
    "56 bytes of data": {"data": b"\0" * 56},
    "256 bytes of data": {"data": b"\1" * 256},
    "65,536 bytes of data": {"data": b"\2" * 65_536},
    "target of 19 bytes": {"to": b"\1" * 19},
    "target of 21 bytes": {"to": b"\1" * 21},
}


def in_block(encoded: bytes) -> bytes:
    """Return a transaction as a block's list holds it."""
    return encoded if encoded[:1] >= b"\xc0" else bytes(rlp.encode(encoded))


def parts(tx: Transaction) -> tuple[Any, ...]:
    """Return all that a transaction says, with what is worked out from it."""
    fields = tuple(getattr(tx, name) for name in Transaction.__annotations__ if name[0] != "_")
    return (*fields, tx.signing_hash(), tx.v, tx.r, tx.s)


def outcome(read: Any, data: bytes) -> Any:
    """Return what was read, or the fault."""
    try:
        return [parts(tx) for tx in read(data)]
    except (BadRlp, InvalidTransaction) as error:
        return type(error), str(error)


def alone(encoded: bytes) -> list[Transaction]:
    """Read one transaction as the definition does."""
    try:
        return [decode_transaction(encoded)]
    except BadRlp as error:
        raise MalformedTransaction(str(error)) from error


@each_form
def test_a_transaction_is_the_same_in_a_block(encoded: bytes) -> None:
    assert outcome(decode_transaction_list, in_block(encoded)) == outcome(alone, encoded)


@pytest.mark.parametrize("fields", NUMBERS.values(), ids=NUMBERS)
@pytest.mark.parametrize("type_id", [0, 1, 2])
def test_numbers_at_their_bounds_are_the_same_in_a_block(
    type_id: int, fields: dict[str, Any]
) -> None:
    encoded = raw(type_id, **fields)
    assert outcome(decode_transaction_list, in_block(encoded)) == outcome(alone, encoded)


@pytest.mark.parametrize("type_id", [0, 1, 2])
@pytest.mark.parametrize(
    ("position", "number"),
    [
        pytest.param(-1, 0, id="s 0"),
        pytest.param(-1, CURVE_ORDER // 2, id="s n / 2"),
        pytest.param(-1, CURVE_ORDER // 2 + 1, id="s n / 2 + 1"),
        pytest.param(-2, 0, id="r 0"),
        pytest.param(-2, CURVE_ORDER - 1, id="r n - 1"),
        pytest.param(-2, CURVE_ORDER, id="r n"),
        pytest.param(-2, 1 << 256, id="r of 257 bits"),
        *(pytest.param(-3, v, id=f"v {v}") for v in (0, 1, 2, 26, 27, 28, 29, 34, 35, 36, 37)),
        pytest.param(-3, 2**64 - 1, id="v 2**64 - 1"),
        pytest.param(-3, 2**64, id="v 2**64"),
    ],
)
def test_signatures_at_their_bounds_are_the_same_in_a_block(
    type_id: int, position: int, number: int
) -> None:
    prefix = bytes([type_id]) if type_id else b""
    items = rlp.decode(raw(type_id)[len(prefix) :])
    items[position] = number
    encoded = prefix + bytes(rlp.encode(items))
    assert outcome(decode_transaction_list, in_block(encoded)) == outcome(alone, encoded)


@pytest.mark.parametrize("type_id", [0, 2])
def test_a_high_s_is_refused_in_a_block(type_id: int) -> None:
    with pytest.raises(InvalidTransaction, match="s is 0x"):
        decode_transaction_list(in_block(high_s(raw(type_id))))


def test_usual_transactions_are_read_by_compiled_code(monkeypatch: pytest.MonkeyPatch) -> None:
    usual = [FORMS[name] for name in ("legacy", "empty access list", "dynamic fee", "creation")]
    monkeypatch.setattr("cvm.evm.transaction_list.decode_transaction", None)
    decoded = decode_transaction_list(b"".join(map(in_block, usual)))
    assert [tx.encode() for tx in decoded] == usual


@pytest.mark.parametrize(
    "count", [1, ROWS_AT_ONCE - 1, ROWS_AT_ONCE, ROWS_AT_ONCE + 1, 3 * ROWS_AT_ONCE]
)
def test_transactions_of_every_form_keep_their_order(count: int) -> None:
    encoded = (list(FORMS.values()) * (count // len(FORMS) + 1))[:count]
    payload = b"".join(map(in_block, encoded))
    assert [tx.encode() for tx in decode_transaction_list(payload)] == encoded


def test_no_transactions_are_an_empty_list() -> None:
    assert decode_transaction_list(b"") == ()


@pytest.mark.parametrize(
    ("payload", "fault", "reason"),
    [
        pytest.param(rlp.encode(raw(0)), MalformedTransaction, "as a list", id="legacy as bytes"),
        pytest.param(b"\x80", MalformedTransaction, "no bytes", id="empty string"),
        pytest.param(b"\xc0", MalformedTransaction, "too few elements", id="empty list"),
        pytest.param(b"\x02", MalformedTransaction, "no bytes", id="a type alone"),
        pytest.param(b"\x7f", InvalidTransaction, "not supported", id="an unknown type"),
        pytest.param(b"\xc2\x01", BadRlp, "ends 1 bytes too late", id="cut list"),
        pytest.param(b"\x82\x01", BadRlp, "larger than containing list", id="cut string"),
        pytest.param(b"\x81\x01", BadRlp, "needs no prefix", id="prefixed byte"),
        pytest.param(b"\xb8\x01\x02", BadRlp, "shortest form", id="long form of a short string"),
        pytest.param(
            b"\xb9\x00\x80" + bytes(128), BadRlp, "shortest form", id="length with a leading zero"
        ),
        pytest.param(b"\xbf" + b"\xff" * 8, BadRlp, "too late", id="length of 2**64 - 1"),
        pytest.param(b"\xff" + b"\xff" * 8, BadRlp, "too late", id="list of 2**64 - 1 bytes"),
        pytest.param(
            in_block(FORMS["legacy"]) + b"\xc1", BadRlp, "too late", id="cut after a whole one"
        ),
    ],
)
def test_a_wrong_list_is_refused(payload: bytes, fault: type[Exception], reason: str) -> None:
    with pytest.raises(fault, match=reason):
        decode_transaction_list(payload)


@pytest.mark.parametrize(
    "payload", [b"\xc0" * MEBIBYTE, b"\x02" * MEBIBYTE], ids=["lists", "types"]
)
def test_a_list_of_a_million_items_takes_little_memory(payload: bytes) -> None:
    assert peak_bytes(payload, "cannot decode transaction") < 4 * MEBIBYTE


def listed(type_id: int, place: int, item: bytes) -> bytes:
    """Return a transaction in whose list at a place an item stands a million times."""
    count, lists = {2: (12, (8,)), 3: (14, (8, 10)), 4: (13, (8, 9))}[type_id]
    fields = [b"\xc0" if at in lists else b"\x80" for at in range(count)]
    fields[5] = b"\x94" + bytes(20)
    fields[-2:] = [b"\x01", b"\x01"]  # r and s
    fields[place] = encode_list(item * MEBIBYTE)
    return in_block(bytes([type_id]) + encode_list(b"".join(fields)))


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        pytest.param(encode_list(b"\x80" * MEBIBYTE), "too many", id="fields of a legacy one"),
        pytest.param(
            in_block(b"\x01" + encode_list(b"\xc0" * MEBIBYTE)), "too many", id="of type 1"
        ),
        pytest.param(listed(2, 8, b"\xc0"), "too many", id="entries of an access list"),
        pytest.param(listed(3, 10, b"\x01"), "too many", id="blob hashes"),
        pytest.param(listed(4, 9, b"\xc0"), "too many", id="authorizations"),
        pytest.param(b"\xc0" * MEBIBYTE + b"\x81\x01", "needs no prefix", id="before a bad one"),
    ],
)
def test_a_million_items_where_few_can_be_are_not_kept(payload: bytes, reason: str) -> None:
    assert peak_bytes(payload, reason) < 12 * MEBIBYTE


def peak_bytes(payload: bytes, reason: str) -> int:
    """Return the memory that it takes to refuse a list."""
    decode_transaction_list(in_block(FORMS["legacy"]))  # loads the compiled code
    tracemalloc.start()
    with pytest.raises((MalformedTransaction, BadRlp), match=reason):
        decode_transaction_list(payload)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


@settings(max_examples=400, deadline=None, derandomize=True)
@given(
    st.sampled_from(list(FORMS.values())), st.integers(0, 400), st.integers(0, 255), st.booleans()
)
def test_a_changed_byte_is_read_as_the_definition_reads_it(
    encoded: bytes, place: int, byte: int, within: bool
) -> None:
    place %= len(encoded)
    changed = encoded[:place] + bytes([byte]) + encoded[place + within :]
    if changed[0] < 0x80:
        assert outcome(decode_transaction_list, in_block(changed)) == outcome(alone, changed)
    else:
        assert_same_as_the_definition(changed)


@settings(max_examples=400, deadline=None, derandomize=True)
@given(st.binary(max_size=80))
def test_any_bytes_are_read_as_the_definition_reads_them(payload: bytes) -> None:
    assert_same_as_the_definition(payload)


def assert_same_as_the_definition(payload: bytes) -> None:
    """Compare a list with its items, split and decoded one by one."""
    assert outcome(decode_transaction_list, payload) == outcome(one_by_one, payload)


def one_by_one(payload: bytes) -> list[Transaction]:
    """Split a list and decode its items as the definition does."""
    items, lists = split_items(payload, 0, len(payload), 1)
    return [
        decode_transaction(encode_list(item))
        if place in lists
        else decode_other(OTHER_STRING, item)
        for place, item in enumerate(items)
    ]
