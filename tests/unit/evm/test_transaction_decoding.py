"""Bytes that claim to be a transaction: decoded exactly, or refused with the reason."""

import tracemalloc
from typing import Any

import pytest
import rlp
from eth.abc import SignedTransactionAPI
from eth.vm.forks.prague.transactions import PragueTransactionBuilder
from eth_account import Account
from eth_utils.address import to_checksum_address
from hypothesis import given, settings
from hypothesis import strategies as st

from cvm.evm.faults import (
    InvalidSignature,
    InvalidTransaction,
    MalformedTransaction,
    TransactionTypeNotSupported,
)
from cvm.evm.transaction import Transaction
from cvm.evm.transaction_decoding import decode_transaction
from cvm.evm.transaction_signing import UnsignedTransaction, sign_authorization
from tests.evm_world import CHAIN_ID
from tests.unit.evm.signing import (
    CURVE_ORDER,
    OTHER,
    OTHER_KEY,
    RECIPIENT,
    SENDER,
    SENDER_KEY,
    authorization,
    fields_of,
    high_s,
    nested,
    raw,
    sign_fields,
)

KEY = SENDER_KEY.to_bytes()
AUTHORIZATION = authorization(OTHER_KEY, RECIPIENT)
BLOB_HASH = b"\x01" + b"\xbb" * 31


def blob_fields(**changed: Any) -> list[Any]:
    """Return the unsigned fields of a blob transaction."""
    hashes = changed.pop("hashes", [BLOB_HASH])
    return [*fields_of(2, **changed), 9, hashes]


def raw_blob(**changed: Any) -> bytes:
    return sign_fields(3, blob_fields(**changed))


VALID = {
    "legacy": raw(0),
    "legacy without chain id": raw(0, chain_id=None),
    "access list": raw(1, access_list=[(RECIPIENT, (b"\x01" * 32, bytes(32))), (SENDER, ())]),
    "dynamic fee": raw(2, data=b"\0\1", nonce=127, value=128),
    "blob": raw_blob(),
    "delegating": raw(4, authorizations=[AUTHORIZATION]),
    "creation": raw(2, to=b"", data=b"\x60" * 300, fee_cap=2**256 - 1),
}
each_valid = pytest.mark.parametrize("encoded", VALID.values(), ids=VALID)
NONCE, TIP, FEE_CAP, GAS, TO, VALUE, DATA, ACCESS_LIST = range(1, 9)


def changed(field: int, value: Any, type_id: int = 2) -> bytes:
    """Return a correctly signed transaction in which one field is something else."""
    fields = blob_fields() if type_id == 3 else fields_of(type_id, authorizations=[AUTHORIZATION])
    fields[field] = value
    return sign_fields(type_id, fields)


def signature_changed(position: int, value: Any, type_id: int = 2) -> bytes:
    """Replace v, r or s, counted from the end."""
    encoded = raw(type_id, authorizations=[AUTHORIZATION])
    prefix = encoded[:1] if type_id else b""
    parts = rlp.decode(encoded[len(prefix) :])
    parts[position] = value
    return prefix + bytes(rlp.encode(parts))


@each_valid
def test_a_valid_transaction_survives_decoding(encoded: bytes) -> None:
    tx = decode_transaction(encoded)
    assert tx.encode() == encoded
    assert tx.sender == SENDER
    assert tx == decode_transaction(encoded)
    assert len({tx, decode_transaction(encoded)}) == 1


def test_fields_are_read_from_their_places() -> None:
    tx = decode_transaction(
        raw(2, nonce=1, tip=2, fee_cap=3, gas=4, to=OTHER, value=5, data=b"\6", chain_id=CHAIN_ID)
    )
    assert (tx.type_id, tx.chain_id, tx.nonce) == (2, 7, 1)
    assert (tx.max_priority_fee_per_gas, tx.max_fee_per_gas, tx.gas) == (2, 3, 4)
    assert (tx.to, tx.value, tx.data) == (OTHER, 5, b"\6")


def test_access_lists_blob_hashes_and_authorizations_are_read() -> None:
    accesses = decode_transaction(VALID["access list"]).access_list
    assert accesses == ((RECIPIENT, (int.from_bytes(b"\x01" * 32), 0)), (SENDER, ()))
    blob = decode_transaction(VALID["blob"])
    assert (blob.max_fee_per_blob_gas, blob.blob_versioned_hashes) == (9, (BLOB_HASH,))
    (item,) = decode_transaction(VALID["delegating"]).authorization_list
    assert [item.chain_id, item.address, item.nonce, item.y_parity, item.r, item.s] == AUTHORIZATION
    assert item.signer() == OTHER


@pytest.mark.parametrize(
    ("encoded", "chain_id", "v"),
    [
        pytest.param(raw(0, chain_id=None), None, (27, 28), id="before EIP-155"),
        pytest.param(raw(0), 7, (49, 50), id="EIP-155"),
        pytest.param(raw(0, chain_id=0), 0, (35, 36), id="EIP-155 chain 0"),
        pytest.param(raw(0, chain_id=2**64), 2**64, (2**65 + 35, 2**65 + 36), id="wide chain id"),
        pytest.param(raw(2), 7, (0, 1), id="typed"),
    ],
)
def test_v_names_the_chain(encoded: bytes, chain_id: int | None, v: tuple[int, int]) -> None:
    tx = decode_transaction(encoded)
    assert tx.chain_id == chain_id
    assert tx.v == v[tx.y_parity]
    assert tx.sender == SENDER


# Against others' transactions

COMMON = {
    "nonce": 3,
    "gas": 90_000,
    "to": to_checksum_address(RECIPIENT),
    "value": 5,
    "data": "0x6001",
}
DYNAMIC = COMMON | {"chainId": 7, "maxFeePerGas": 100, "maxPriorityFeePerGas": 2}
ACCESSES = [{"address": to_checksum_address(OTHER), "storageKeys": ["0x" + "00" * 31 + "05"]}]
ETH_ACCOUNT = {
    "legacy": COMMON | {"gasPrice": 100, "chainId": 7},
    "legacy without chain id": COMMON | {"gasPrice": 100},
    "type 1": COMMON | {"type": 1, "chainId": 7, "gasPrice": 100, "accessList": ACCESSES},
    "type 2": DYNAMIC | {"type": 2, "accessList": ACCESSES},
    "type 3": DYNAMIC
    | {"type": 3, "maxFeePerBlobGas": 8, "blobVersionedHashes": ["0x" + BLOB_HASH.hex()]},
    "type 4": DYNAMIC
    | {
        "type": 4,
        "authorizationList": [
            Account.sign_authorization(
                {"chainId": 7, "address": to_checksum_address(RECIPIENT), "nonce": 1},
                OTHER_KEY.to_bytes(),
            )
        ],
    },
}


@pytest.mark.parametrize("fields", ETH_ACCOUNT.values(), ids=ETH_ACCOUNT)
def test_what_eth_account_signs_is_decoded_as_it_says(fields: dict[str, Any]) -> None:
    signed = Account.sign_transaction(fields, KEY)
    tx = decode_transaction(bytes(signed.raw_transaction))
    assert tx.hash == bytes(signed.hash)
    assert (tx.v, tx.r, tx.s) == (signed.v, signed.r, signed.s)
    assert tx.sender == SENDER
    assert (tx.nonce, tx.gas, tx.to, tx.value, tx.data) == (3, 90_000, RECIPIENT, 5, b"\x60\x01")
    assert [item.signer() for item in tx.authorization_list] == [OTHER] * (tx.type_id == 4)


SAME_FIELDS = (
    "nonce",
    "gas",
    "to",
    "value",
    "data",
    "chain_id",
    "max_fee_per_gas",
    "max_priority_fee_per_gas",
    "y_parity",
    "r",
    "s",
    "hash",
    "sender",
)


@each_valid
def test_fields_are_those_that_py_evm_decodes(encoded: bytes) -> None:
    ours = decode_transaction(encoded)
    theirs: SignedTransactionAPI = PragueTransactionBuilder.decode(encoded)
    for name in SAME_FIELDS:
        assert getattr(ours, name) == getattr(theirs, name), name
    assert ours.type_id == (theirs.type_id or 0)
    if ours.type_id:
        assert ours.access_list == tuple((a, tuple(keys)) for a, keys in theirs.access_list)


def test_the_example_of_eip_155() -> None:
    unsigned = UnsignedTransaction(
        type_id=0,
        chain_id=1,
        nonce=9,
        max_fee_per_gas=20 * 10**9,
        to=bytes.fromhex("35" * 20),
        value=10**18,
    )
    assert unsigned.signing_hash().hex() == (
        "daf5a779ae972f972197303d7b574746c7ef83eadac0f2791ad23db92e4c8e53"
    )
    tx = unsigned.sign(bytes.fromhex("46" * 32))
    assert tx.v == 37
    assert tx.encode().hex() == (
        "f86c098504a817c800825208943535353535353535353535353535353535353535880de0b6b3a76400008025"
        "a028ef61340bd939bc2195fe537567866003e1a15d3c71ff63e1590620aa636276"
        "a067cbe9d8997f761aecb703304b3800ccf555c9f3dc64214b297fb1966a3b6d83"
    )


# Malformed bytes


@each_valid
def test_eip_2_a_high_s_is_refused(encoded: bytes) -> None:
    with pytest.raises(InvalidSignature, match=r"must be in \[1, n/2\]"):
        decode_transaction(high_s(encoded))


@each_valid
def test_a_byte_after_the_end_is_refused(encoded: bytes) -> None:
    with pytest.raises(MalformedTransaction, match="1 bytes after the end"):
        decode_transaction(encoded + b"\0")


@each_valid
def test_no_prefix_is_a_transaction(encoded: bytes) -> None:
    for length in range(len(encoded)):
        with pytest.raises(InvalidTransaction):
            decode_transaction(encoded[:length])


@pytest.mark.parametrize(
    ("encoded", "reason"),
    [
        pytest.param(b"", "no bytes", id="no bytes"),
        pytest.param(b"\x80", "a legacy transaction is a list", id="empty string"),
        pytest.param(b"\xc0", "too few elements for a legacy transaction: 0", id="empty list"),
        pytest.param(b"\x02", "no bytes", id="a type and nothing else"),
        pytest.param(b"\x02\xc0", "too few elements", id="a type and an empty list"),
        pytest.param(rlp.encode([b""] * 8), "too few elements", id="eight fields"),
        pytest.param(rlp.encode([b""] * 10), "too many elements", id="ten fields when legacy"),
        pytest.param(
            b"\xf8\x09" + b"\x80" * 9,
            "not the shortest form",
            id="long length where a short one does",
        ),
        pytest.param(
            b"\xb8" + raw(0)[1:], "a legacy transaction is a list", id="a string for a list"
        ),
        pytest.param(nested(20_000), "too few elements", id="20,000 nested lists"),
        pytest.param(b"\x02" + nested(20_000), "too few elements", id="the same after a type"),
        pytest.param(
            changed(NONCE, b"\0\1"),
            "non-canonical integer (leading zero bytes) for nonce",
            id="leading zero in nonce",
        ),
        pytest.param(changed(VALUE, b"\0"), "non-canonical integer", id="zero as a zero byte"),
        pytest.param(changed(NONCE, 2**64), "nonce has 65 bits, at most 64", id="nonce 2**64"),
        pytest.param(changed(GAS, 2**64), "gas has 65 bits, at most 64", id="gas 2**64"),
        pytest.param(changed(VALUE, 2**256), "value has 257 bits", id="value 2**256"),
        pytest.param(changed(FEE_CAP, 2**256), "max fee per gas has 257", id="fee cap 2**256"),
        pytest.param(changed(TIP, 2**256), "max priority fee per gas", id="tip 2**256"),
        pytest.param(changed(9, 2**256, 3), "max fee per blob gas has 257", id="blob fee 2**256"),
        pytest.param(changed(0, 2**256), "chain id has 257 bits", id="chain id 2**256"),
        pytest.param(changed(0, 2**40_000), "chain id has 40001 bits", id="chain id 2**40000"),
        pytest.param(changed(TO, RECIPIENT[1:]), "input string too short for to", id="short to"),
        pytest.param(changed(TO, RECIPIENT + b"\0"), "input string too long for to", id="long to"),
        pytest.param(
            changed(DATA, [b"\1"]),
            "expected input string or byte for element 7",
            id="a list as calldata",
        ),
        pytest.param(
            changed(ACCESS_LIST, b"\1"),
            "expected input list for element 8",
            id="a string as access list",
        ),
        pytest.param(
            changed(ACCESS_LIST, [b"\1"]),
            "expected input list for element 0 of the access list",
            id="a string as an access",
        ),
        pytest.param(
            changed(ACCESS_LIST, [[RECIPIENT]]), "too few elements", id="an access without keys"
        ),
        pytest.param(
            changed(ACCESS_LIST, [[RECIPIENT, [b"\1" * 31]]]),
            "too short for a storage key",
            id="a 31-byte storage key",
        ),
        pytest.param(
            changed(ACCESS_LIST, [[RECIPIENT, [[]]]]),
            "expected input string or byte for element 0 of the storage keys",
            id="a list as a storage key",
        ),
        pytest.param(
            changed(ACCESS_LIST, [[b"", []]]),
            "too short for an access list address",
            id="no address in the access list",
        ),
        pytest.param(
            changed(ACCESS_LIST, [[RECIPIENT[1:], []]]),
            "too short for an access list address",
            id="a 19-byte address in the access list",
        ),
        pytest.param(
            changed(10, [BLOB_HASH[1:]], 3),
            "too short for a blob versioned hash",
            id="31-byte hash",
        ),
        pytest.param(
            changed(9, [b"\1"], 4),
            "expected input list for element 0 of the authorization list",
            id="a string as an authorization",
        ),
        pytest.param(
            b"\x03" + bytes(rlp.encode([rlp.decode(raw_blob()[1:]), [], [], []])),
            "too few elements for a blob transaction without its sidecar: 4",
            id="EIP-4844 network form",
        ),
    ],
)
def test_malformed_bytes_are_refused(encoded: bytes, reason: str) -> None:
    with pytest.raises(MalformedTransaction) as caught:
        decode_transaction(encoded)
    assert reason in str(caught.value)
    assert str(caught.value).startswith("rlp: cannot decode transaction: ")
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize("type_id", [0, 5, 0x7F])
def test_a_type_that_no_fork_knows_is_refused(type_id: int) -> None:
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
        pytest.param(signature_changed(-3, 34, 0), "v is 34", id="legacy v 34"),
        pytest.param(signature_changed(-3, 0, 0), "v is 0", id="legacy v 0"),
    ],
)
def test_signature_values_out_of_range_are_refused(encoded: bytes, reason: str) -> None:
    with pytest.raises(InvalidSignature, match=reason):
        decode_transaction(encoded)


def test_a_signature_that_is_no_point_has_no_sender() -> None:
    tx = decode_transaction(signature_changed(-2, 5))  # x = 5 is on no point of the curve
    with pytest.raises(InvalidSignature, match="invalid transaction v, r, s values"):
        _ = tx.sender


@pytest.mark.parametrize(
    ("position", "value", "reason"),
    [
        pytest.param(0, 2**256, "authorization chain id has 257 bits", id="chain id"),
        pytest.param(1, b"", "too short for an authorization address", id="no address"),
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


@pytest.mark.parametrize(
    ("position", "value"),
    [
        pytest.param(5, CURVE_ORDER - AUTHORIZATION[5], id="high s"),
        pytest.param(3, 2, id="y parity 2"),
        pytest.param(4, 5, id="r on no point"),
        pytest.param(4, 0, id="r 0"),
        pytest.param(4, 2**256 - 1, id="r above n"),
    ],
)
def test_eip_7702_an_authorization_without_a_signer_stays_valid(position: int, value: int) -> None:
    item = list(AUTHORIZATION)
    item[position] = value
    tx = decode_transaction(sign_fields(4, fields_of(4, authorizations=[item])))
    assert tx.authorization_list[0].signer() is None


def test_a_mebibyte_of_one_byte_items_takes_memory_in_proportion() -> None:
    size = 1 << 20
    hostile = b"\x02\xfa" + size.to_bytes(3) + b"\x01" * size
    tracemalloc.start()
    with pytest.raises(MalformedTransaction, match="too many elements"):
        decode_transaction(hostile)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 16 * size


# Any bytes

uint64, uint256 = st.integers(0, 2**64 - 1), st.integers(0, 2**256 - 1)
addresses = st.binary(min_size=20, max_size=20)
accesses = st.lists(st.tuples(addresses, st.lists(uint256, max_size=3).map(tuple)), max_size=3)
unsigned_transactions = st.builds(
    UnsignedTransaction,
    type_id=st.integers(0, 4),
    chain_id=uint64,
    nonce=uint64,
    max_fee_per_gas=uint256,
    max_priority_fee_per_gas=uint256,
    gas=uint64,
    to=st.one_of(st.just(b""), addresses),
    value=uint256,
    data=st.binary(max_size=80),
    access_list=accesses.map(tuple),
    max_fee_per_blob_gas=uint256,
    blob_versioned_hashes=st.lists(st.binary(min_size=32, max_size=32), max_size=3).map(tuple),
    authorization_list=st.just((sign_authorization(OTHER_KEY.to_bytes(), 7, RECIPIENT, 1),)),
)
OF_TYPES = {
    "access_list": (1, 2, 3, 4),
    "max_fee_per_blob_gas": (3,),
    "blob_versioned_hashes": (3,),
    "authorization_list": (4,),
}


@settings(derandomize=True, max_examples=200, deadline=None)
@given(unsigned_transactions)
def test_what_is_signed_is_decoded(unsigned: UnsignedTransaction) -> None:
    tx = unsigned.sign(KEY)
    assert tx.sender == SENDER
    assert tx.signing_hash() == unsigned.signing_hash()
    for name in ("type_id", "chain_id", "nonce", "max_fee_per_gas", "gas", "to", "value", "data"):
        assert getattr(tx, name) == getattr(unsigned, name), name
    for name, types in OF_TYPES.items():
        if tx.type_id in types:
            assert getattr(tx, name) == getattr(unsigned, name), name
        else:
            assert not getattr(tx, name), name
    assert re_encoded(tx) == tx.encode()


def re_encoded(tx: Transaction) -> bytes:
    """Return the bytes that the fields of a transaction give."""
    return (
        UnsignedTransaction(
            type_id=tx.type_id,
            chain_id=tx.chain_id,
            nonce=tx.nonce,
            max_fee_per_gas=tx.max_fee_per_gas,
            max_priority_fee_per_gas=tx.max_priority_fee_per_gas,
            gas=tx.gas,
            to=tx.to,
            value=tx.value,
            data=tx.data,
            access_list=tx.access_list,
            max_fee_per_blob_gas=tx.max_fee_per_blob_gas,
            blob_versioned_hashes=tx.blob_versioned_hashes,
            authorization_list=tx.authorization_list,
        )
        .with_signature(tx.y_parity, tx.r, tx.s)
        .encode()
    )


@settings(derandomize=True, max_examples=300, deadline=None)
@given(
    st.one_of(
        st.binary(max_size=300),
        st.tuples(st.integers(1, 4), st.binary(max_size=200)).map(lambda p: bytes([p[0]]) + p[1]),
    )
)
def test_any_bytes_are_decoded_exactly_or_refused(data: bytes) -> None:
    try:
        tx = decode_transaction(data)
    except InvalidTransaction:
        return
    assert re_encoded(tx) == data


@settings(derandomize=True, max_examples=500, deadline=None)
@given(
    st.sampled_from(list(VALID.values())),
    st.integers(min_value=0),
    st.integers(min_value=1, max_value=255),
)
def test_one_changed_byte_is_another_transaction_or_none(
    encoded: bytes, position: int, change: int
) -> None:
    hostile = bytearray(encoded)
    hostile[position % len(encoded)] ^= change
    try:
        tx = decode_transaction(bytes(hostile))
    except InvalidTransaction:
        return
    assert re_encoded(tx) == bytes(hostile)
    assert tx.hash != decode_transaction(encoded).hash
