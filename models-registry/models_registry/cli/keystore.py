"""Keystore V3 files (Web3 Secret Storage): a private key under a password.

eth-keyfile reads them too, but imports BLS12-381 in plain Python with them: half a second of
processor time for every start of a validator. Tests compare the two.
"""

import hmac
from collections.abc import Callable, Mapping
from hashlib import pbkdf2_hmac, scrypt
from typing import Any
from uuid import UUID

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CTR

from cvm.evm.keccak import keccak256
from cvm.evm.signatures import address_of_key

VERSION = 3
CIPHER = "aes-128-ctr"
KEY_BYTES, SALT_BYTES, IV_BYTES = 32, 16, 16
SCRYPT_N, SCRYPT_R, SCRYPT_P = 1 << 18, 8, 1
"""geth's standard cost: 256 MiB and most of a second."""

MAX_SCRYPT_BYTES = 1 << 30
SPARE_SCRYPT_BYTES = 1 << 20
MALFORMED = (ArithmeticError, AttributeError, KeyError, TypeError, ValueError)
"""What reading JSON of another shape raises."""

Json = Mapping[str, Any]  # what `json.loads` returns; every use below converts it at once


class NotAKeystore(Exception):
    """A document that is no keystore of version 3, or of a kind that is not read."""


class WrongPassword(Exception):
    """The password is not the one that the key was stored with."""

    def __init__(self) -> None:
        super().__init__("the message authentication code differs")


def decode_keystore(document: object, password: bytes) -> bytes:
    """Return the secret of a keystore; raises `NotAKeystore` or `WrongPassword`."""
    try:
        crypto = crypto_part(document)
        derived = derive(crypto, password)
        ciphertext, mac = parse_hex(crypto["ciphertext"]), parse_hex(crypto["mac"])
        iv = parse_hex(crypto["cipherparams"]["iv"]).rjust(IV_BYTES, b"\0")
        if not hmac.compare_digest(keccak256(derived[16:] + ciphertext), mac):
            raise WrongPassword
        return crypt(ciphertext, derived, iv)
    except MALFORMED as error:
        raise NotAKeystore(f"{error!r}") from error


def encode_keystore(
    secret: bytes, password: bytes, draw: Callable[[int], bytes], scrypt_n: int = SCRYPT_N
) -> dict[str, object]:
    """Return the keystore of a secret of 32 bytes; `draw` gives random bytes."""
    salt, iv = draw(SALT_BYTES), draw(IV_BYTES)
    costs = {"n": scrypt_n, "r": SCRYPT_R, "p": SCRYPT_P, "dklen": KEY_BYTES}
    derived = scrypt_key(password, salt, scrypt_n, SCRYPT_R, SCRYPT_P)
    ciphertext = crypt(secret, derived, iv)
    return {
        "address": address_of_key(secret).hex(),
        "crypto": {
            "cipher": CIPHER,
            "cipherparams": {"iv": iv.hex()},
            "ciphertext": ciphertext.hex(),
            "kdf": "scrypt",
            "kdfparams": {**costs, "salt": salt.hex()},
            "mac": keccak256(derived[16:] + ciphertext).hex(),
        },
        "id": str(UUID(bytes=draw(16), version=4)),
        "version": VERSION,
    }


def crypto_part(document: object) -> Json:
    """Return what says how the key is kept; some wallets write `Crypto`."""
    if not isinstance(document, dict):
        raise NotAKeystore("it is not a JSON object")
    fields = {str(name).lower(): value for name, value in document.items()}
    if fields.get("version") != VERSION:
        raise NotAKeystore(f"its version is {fields.get('version')!r}, not {VERSION}")
    crypto: Json = fields["crypto"]
    return crypto


def derive(crypto: Json, password: bytes) -> bytes:
    """Return the 32 bytes that a password gives: half for the cipher, half for the code."""
    name, costs = crypto["kdf"], crypto["kdfparams"]
    salt = parse_hex(costs["salt"])
    if int(costs["dklen"]) < KEY_BYTES:
        raise NotAKeystore(f"a derived key of {costs['dklen']} bytes, at least {KEY_BYTES}")
    if name == "scrypt":
        return scrypt_key(password, salt, int(costs["n"]), int(costs["r"]), int(costs["p"]))
    if (name, costs.get("prf")) == ("pbkdf2", "hmac-sha256"):
        return pbkdf2_hmac("sha256", password, salt, int(costs["c"]), KEY_BYTES)
    raise NotAKeystore(f"its key derivation {name!r} is not scrypt or PBKDF2 with SHA-256")


def scrypt_key(password: bytes, salt: bytes, n: int, r: int, p: int) -> bytes:
    """Return what scrypt (RFC 7914) gives; raises ValueError above 1 GiB."""
    size_bytes = 128 * r * (n + p)
    if size_bytes > MAX_SCRYPT_BYTES:
        raise ValueError(f"scrypt would take {size_bytes} bytes")
    if n >> 16 * r:
        return wide_scrypt_key(password, salt, n, r, p)
    limit = size_bytes + SPARE_SCRYPT_BYTES
    return scrypt(password, salt=salt, n=n, r=r, p=p, maxmem=limit, dklen=KEY_BYTES)


def wide_scrypt_key(password: bytes, salt: bytes, n: int, r: int, p: int) -> bytes:
    """Return the same for costs of the first wallets, which RFC 7914 and OpenSSL refuse."""
    from Crypto.Protocol.KDF import scrypt as plain_scrypt  # rare, and slow to import

    text, salt_text = password.decode("latin-1"), salt.decode("latin-1")
    return bytes(plain_scrypt(text, salt_text, KEY_BYTES, n, r, p))  # type: ignore[arg-type]


def crypt(data: bytes, derived: bytes, iv: bytes) -> bytes:
    """Encrypt or decrypt: in counter mode the two are the same."""
    return Cipher(AES(derived[:16]), CTR(iv)).encryptor().update(data)


def parse_hex(text: object) -> bytes:
    """Return bytes from hex digits, with or without 0x."""
    return bytes.fromhex(str(text).removeprefix("0x"))
