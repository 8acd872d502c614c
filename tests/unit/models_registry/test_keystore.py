"""Keystore V3 files are those of eth-keyfile and of the Web3 Secret Storage definition."""

import json
from typing import Any

import pytest
from eth_keyfile.keyfile import create_keyfile_json, decode_keyfile_json

from models_registry.cli.keystore import (
    NotAKeystore,
    WrongPassword,
    decode_keystore,
    encode_keystore,
)

SECRET = b"\x91" * 32  # TEST key
PASSWORD = b"correct horse"


def draw(size: int) -> bytes:
    """Return bytes that a test can name."""
    return bytes(range(size))


def stored(**changes: object) -> dict[str, Any]:
    """Return a keystore with some fields of its `crypto` changed."""
    document: dict[str, Any] = encode_keystore(SECRET, PASSWORD, draw, scrypt_n=2)
    return document | {"crypto": document["crypto"] | changes}


# Web3 Secret Storage definition (ethereum.org), test vectors.
PUBLISHED = {
    "pbkdf2": (
        '{"crypto":{"cipher":"aes-128-ctr","cipherparams":{"iv":"6087dab2f9fdbbfaddc31a909735c1e6"}'
        ',"ciphertext":"5318b4d5bcd28de64ee5559e671353e16f075ecae9f99c7a79a38af5f869aa46","kdf":'
        '"pbkdf2","kdfparams":{"c":262144,"dklen":32,"prf":"hmac-sha256","salt":'
        '"ae3cd4e7013836a3df6bd7241b12db061dbe2c6785853cce422d148a624ce0bd"},"mac":'
        '"517ead924a9d0dc3124507e3393d175ce3ff7c1e96529c6c555ce9e51205e9b2"},"version":3}'
    ),
    "scrypt": (
        '{"crypto":{"cipher":"aes-128-ctr","cipherparams":{"iv":"83dbcc02d8ccb40e466191a123791e0e"}'
        ',"ciphertext":"d172bf743a674da9cdad04534d56926ef8358534d458fffccd4e6ad2fbde479c","kdf":'
        '"scrypt","kdfparams":{"dklen":32,"n":262144,"p":8,"r":1,"salt":'
        '"ab0c7876052600dd703518d6fc3fe8984592145b591fc8fb5c6d43190334ba19"},"mac":'
        '"2103ac29920d71da29f15d75b4a16dbe95cfd7ff8faea1056c33131d846e3097"},"version":3}'
    ),
}
PUBLISHED_SECRET = "7a28b5ba57c53603b0b07b56bba752f7784bf506fa95edc395f5cf6c7514fe9d"


@pytest.mark.parametrize("name", PUBLISHED)
def test_the_published_vectors_open(name: str) -> None:
    document = json.loads(PUBLISHED[name])
    assert decode_keystore(document, b"testpassword").hex() == PUBLISHED_SECRET


def test_eth_keyfile_opens_what_is_written_here() -> None:
    assert decode_keyfile_json(stored(), PASSWORD) == SECRET


@pytest.mark.parametrize("kdf", ["scrypt", "pbkdf2"])
def test_what_eth_keyfile_wrote_opens(kdf: Any) -> None:
    document = create_keyfile_json(SECRET, PASSWORD, kdf=kdf, iterations=2)
    assert decode_keystore(document, PASSWORD) == SECRET


def test_capital_names_and_prefixes_of_older_wallets_are_read() -> None:
    document = stored()
    crypto = document.pop("crypto")
    crypto["ciphertext"] = "0x" + crypto["ciphertext"]
    assert decode_keystore({**document, "Crypto": crypto}, PASSWORD) == SECRET


def test_another_password_is_told_from_a_damaged_file() -> None:
    with pytest.raises(WrongPassword):
        decode_keystore(stored(), b"battery staple")


SCRYPT = {"n": 2, "r": 8, "p": 1, "dklen": 32, "salt": "00"}


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        pytest.param({"kdf": "bcrypt"}, "'bcrypt' is not scrypt", id="kdf"),
        pytest.param({"kdfparams": SCRYPT | {"n": 3}}, "ValueError", id="n-no-power-of-two"),
        pytest.param({"kdfparams": SCRYPT | {"n": 1 << 30}}, "scrypt would take", id="memory"),
        pytest.param({"kdfparams": SCRYPT | {"dklen": 16}}, "at least 32", id="short"),
        pytest.param({"kdfparams": {}}, "KeyError", id="no-costs"),
        pytest.param({"ciphertext": "zz"}, "ValueError", id="no-hex"),
        pytest.param({"kdfparams": 5}, "TypeError", id="a-number"),
    ],
)
def test_a_damaged_keystore_says_what_is_wrong(changes: dict[str, object], reason: str) -> None:
    with pytest.raises(NotAKeystore, match=reason):
        decode_keystore(stored(**changes), PASSWORD)
