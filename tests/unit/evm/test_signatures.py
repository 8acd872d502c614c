"""Signing and recovering on secp256k1: eth-keys' answers, and none for a bad signature."""

import pytest
from eth_keys.datatypes import PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from cvm.evm.signatures import (
    CURVE_ORDER,
    HALF_CURVE_ORDER,
    address_of_key,
    recover_address,
    sign_hash,
)

KEY = b"\x61" * 32  # TEST key
HASH = b"\x11" * 32


@settings(derandomize=True, max_examples=50, deadline=None)
@given(st.integers(1, CURVE_ORDER - 1), st.binary(min_size=32, max_size=32))
def test_signatures_are_those_of_eth_keys(number: int, message_hash: bytes) -> None:
    key = number.to_bytes(32)
    y_parity, r, s = sign_hash(message_hash, key)
    theirs = PrivateKey(key).sign_msg_hash(message_hash)
    assert (y_parity, r, s) == (theirs.v, theirs.r, theirs.s)
    assert s <= HALF_CURVE_ORDER
    address = PrivateKey(key).public_key.to_canonical_address()
    assert address_of_key(key) == address
    assert recover_address(message_hash, y_parity, r, s) == address


Y_PARITY, R, S = sign_hash(HASH, KEY)


@pytest.mark.parametrize(
    ("message_hash", "y_parity", "r", "s"),
    [
        pytest.param(HASH, 2, R, S, id="y parity 2"),
        pytest.param(HASH, Y_PARITY, 0, S, id="r 0"),
        pytest.param(HASH, Y_PARITY, R, 0, id="s 0"),
        pytest.param(HASH, Y_PARITY, CURVE_ORDER, S, id="r n"),
        pytest.param(HASH, Y_PARITY, R, CURVE_ORDER, id="s n"),
        pytest.param(HASH, Y_PARITY, 2**256 - 1, S, id="r 2**256 - 1"),
        pytest.param(HASH, Y_PARITY, 5, S, id="r on no point"),
        pytest.param(HASH[1:], Y_PARITY, R, S, id="31-byte hash"),
    ],
)
def test_a_bad_signature_has_no_signer(message_hash: bytes, y_parity: int, r: int, s: int) -> None:
    assert recover_address(message_hash, y_parity, r, s) is None


def test_another_hash_gives_another_signer() -> None:
    other = recover_address(b"\x12" * 32, Y_PARITY, R, S)
    assert other is not None
    assert other != recover_address(HASH, Y_PARITY, R, S)
