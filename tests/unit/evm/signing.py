"""Signs transactions of every type field by field, so that a test can break any one of them.

Every key here is a TEST key.
"""

from collections.abc import Sequence
from typing import Any

import rlp

from cvm.evm.keccak import keccak256
from cvm.evm.private_key import PrivateKey
from cvm.evm.signatures import sign_hash
from tests.evm_world import CHAIN_ID

SENDER_KEY = PrivateKey(b"\x61" * 32)  # TEST key
OTHER_KEY = PrivateKey(b"\x62" * 32)  # TEST key
RECIPIENT = b"\xee" * 20
CURVE_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
AccessList = Sequence[tuple[bytes, Sequence[bytes]]]


def address_of(key: PrivateKey) -> bytes:
    return key.address


SENDER = address_of(SENDER_KEY)
OTHER = address_of(OTHER_KEY)


def authorization(
    key: PrivateKey, address: bytes, nonce: int = 0, chain_id: int = CHAIN_ID
) -> list[Any]:
    """Return an EIP-7702 authorization tuple."""
    message = keccak256(b"\x05" + rlp.encode([chain_id, address, nonce]))
    return [chain_id, address, nonce, *sign_hash(message, key.secret)]


def fields_of(
    type_id: int = 2,
    *,
    nonce: int = 0,
    gas: int = 100_000,
    fee_cap: int = 100,
    tip: int = 3,
    to: bytes = RECIPIENT,
    value: int = 0,
    data: bytes = b"",
    access_list: AccessList = (),
    authorizations: Sequence[Sequence[Any]] = (),
    chain_id: int | None = CHAIN_ID,
) -> list[Any]:
    """Return the unsigned fields of a transaction; legacy and type 1 pay `fee_cap` in full."""
    accesses = [[address, list(keys)] for address, keys in access_list]
    fees = [fee_cap] if type_id < 2 else [tip, fee_cap]
    body: list[Any] = [nonce, *fees, gas, to, value, data]
    if type_id == 0:
        return body
    fields = [chain_id, *body, accesses]
    return [*fields, [list(item) for item in authorizations]] if type_id == 4 else fields


def sign_fields(
    type_id: int, fields: list[Any], key: PrivateKey = SENDER_KEY, chain_id: int | None = CHAIN_ID
) -> bytes:
    """Return the EIP-2718 bytes of signed fields; legacy without a chain id has v 27 or 28."""
    if type_id:
        prefix = bytes([type_id])
        signature = sign_hash(keccak256(prefix + rlp.encode(fields)), key.secret)
        return prefix + bytes(rlp.encode([*fields, *signature]))
    protected = [] if chain_id is None else [chain_id, b"", b""]
    parity, r, s = sign_hash(keccak256(rlp.encode([*fields, *protected])), key.secret)
    v = parity + (27 if chain_id is None else 35 + 2 * chain_id)
    return bytes(rlp.encode([*fields, v, r, s]))


def raw(type_id: int = 2, *, key: PrivateKey = SENDER_KEY, **fields: Any) -> bytes:
    """Return a signed transaction as it travels."""
    return sign_fields(type_id, fields_of(type_id, **fields), key, fields.get("chain_id", CHAIN_ID))


def high_s(encoded: bytes) -> bytes:
    """Return the same transaction with its other, malleable signature."""
    prefix = encoded[:1] if encoded[0] < 0x80 else b""
    parts = rlp.decode(encoded[len(prefix) :])
    parts[-1] = CURVE_ORDER - int.from_bytes(parts[-1], "big")
    v = int.from_bytes(parts[-3], "big")
    parts[-3] = v ^ 1 if prefix else v + (1 if v % 2 else -1)
    return prefix + bytes(rlp.encode(parts))


def nested(depth: int) -> bytes:
    """Return well-formed RLP of lists inside lists."""
    data = b""
    for _ in range(depth):
        size = len(data)
        width = -(-size.bit_length() // 8)
        data = (
            bytes([0xC0 + size]) if size < 56 else bytes([0xF7 + width]) + size.to_bytes(width)
        ) + data
    return data
