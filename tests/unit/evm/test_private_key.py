"""A private key signs for its account, refuses what is none, and never shows itself."""

import pytest
from eth_keys import datatypes

from cvm.evm.private_key import PrivateKey

SECRET = b"\x91" * 32  # TEST key
HASH = bytes(range(32))


def test_it_signs_as_eth_keys_does() -> None:
    theirs = datatypes.PrivateKey(SECRET)
    assert PrivateKey(SECRET).sign(HASH) == theirs.sign_msg_hash(HASH).to_bytes()
    assert PrivateKey(SECRET).address == theirs.public_key.to_canonical_address()


@pytest.mark.parametrize(
    "secret",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"\x01" * 31, id="short"),
        pytest.param(b"\x01" * 33, id="long"),
        pytest.param(bytes(32), id="zero"),
        pytest.param(
            bytes.fromhex("fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141"),
            id="the-order",
        ),
    ],
)
def test_what_is_no_key_is_refused(secret: bytes) -> None:
    with pytest.raises(ValueError, match="a private key"):
        PrivateKey(secret)


def test_it_is_not_shown() -> None:
    assert "91" not in repr(PrivateKey(SECRET))


def test_it_is_written_as_it_was_read() -> None:
    assert PrivateKey(SECRET).to_bytes() == SECRET
    assert PrivateKey(SECRET).to_hex() == "0x" + "91" * 32
