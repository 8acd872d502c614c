"""Decodes signed transactions from outside: one canonical form, every number in its bounds.

Types: legacy (EIP-155 and before), EIP-2930, EIP-1559, EIP-4844 without its sidecar, EIP-7702.
Rules that depend on a chain, a fork or a state are in `transaction_rules`.
"""

from cvm.evm.faults import (
    InvalidSignature,
    MalformedTransaction,
    TransactionTypeNotSupported,
)
from cvm.evm.keccak import keccak256
from cvm.evm.machine_limits import WORD_BYTES
from cvm.evm.rlp_lists import (
    ADDRESS_BYTES,
    expect_shape,
    fixed_bytes,
    integer,
    list_start,
    split_items,
)
from cvm.evm.signatures import CURVE_ORDER, HALF_CURVE_ORDER
from cvm.evm.strict_rlp import BadRlp
from cvm.evm.transaction import (
    ACCESS_LIST,
    BLOB,
    DYNAMIC_FEE,
    LEGACY,
    PROTECTED_V,
    SET_CODE,
    UNPROTECTED_V,
    AccessList,
    Authorization,
    Transaction,
)

UINT8, UINT64, UINT256 = 1, 8, 32
"""Sizes of numbers in bytes."""

ACCESS_LIST_NAME = "the access list"


def decode_transaction(raw: bytes) -> Transaction:
    """Decode EIP-2718 bytes from outside.

    Raises `MalformedTransaction`, `InvalidSignature` or `TransactionTypeNotSupported`.
    """
    if not raw:
        raise MalformedTransaction("no bytes")
    first = raw[0]
    decoder = DECODERS.get(first if first < 0x80 else LEGACY)
    if decoder is None or first == LEGACY:
        raise TransactionTypeNotSupported(first)
    try:
        return decoder(raw)
    except BadRlp as error:
        raise MalformedTransaction(str(error)) from error


def decode_legacy(raw: bytes) -> Transaction:
    """Decode a transaction of Frontier, or of EIP-155; raises `BadRlp`, `InvalidSignature`."""
    items, lists = split_items(raw, list_start(raw, 0, "a legacy transaction"), len(raw))
    expect_shape("a legacy transaction", items, lists, 9, [])
    nonce, price, gas, to, value, data, v_item, r_item, s_item = items
    v = integer("v", v_item, UINT256)
    if v >= PROTECTED_V:
        y_parity, chain_id = (v - PROTECTED_V) & 1, (v - PROTECTED_V) >> 1
    elif v in (27, 28):
        y_parity, chain_id = v - UNPROTECTED_V, None
    else:
        raise InvalidSignature(f"v is {v}, must be 27, 28 or at least 35")
    gas_price = integer("gas price", price, UINT256)
    return Transaction(
        raw,
        keccak256(raw),
        LEGACY,
        chain_id,
        integer("nonce", nonce, UINT64),
        gas_price,
        gas_price,
        integer("gas", gas, UINT64),
        to if len(to) == ADDRESS_BYTES else empty_destination(to),
        integer("value", value, UINT256),
        data,
        y_parity,
        signature_bytes(r_item, s_item),
    )


def decode_access_list_transaction(raw: bytes) -> Transaction:
    """Decode type 1 (EIP-2930); raises `BadRlp`, `InvalidSignature`."""
    name = "an access list transaction"
    items, lists = split_items(raw, list_start(raw, 1, name), len(raw))
    expect_shape(name, items, lists, 11, [7])
    chain_id, nonce, price, gas, to, value, data, accesses, parity, r, s = items
    gas_price = integer("gas price", price, UINT256)
    return Transaction(
        raw,
        keccak256(raw),
        ACCESS_LIST,
        integer("chain id", chain_id, UINT256),
        integer("nonce", nonce, UINT64),
        gas_price,
        gas_price,
        integer("gas", gas, UINT64),
        to if len(to) == ADDRESS_BYTES else empty_destination(to),
        integer("value", value, UINT256),
        data,
        y_parity_of(parity),
        signature_bytes(r, s),
        decode_access_list(accesses),
    )


def decode_dynamic_fee_transaction(raw: bytes) -> Transaction:
    """Decode type 2 (EIP-1559); raises `BadRlp`, `InvalidSignature`."""
    name = "a dynamic fee transaction"
    items, lists = split_items(raw, list_start(raw, 1, name), len(raw))
    expect_shape(name, items, lists, 12, [8])
    return from_common_fields(raw, DYNAMIC_FEE, items[:9], items[9:])


def decode_blob_transaction(raw: bytes) -> Transaction:
    """Decode type 3 (EIP-4844) as a block holds it; raises `BadRlp`, `InvalidSignature`.

    The network form, [transaction, blobs, commitments, proofs], is not a transaction of a block.
    """
    name = "a blob transaction without its sidecar"
    items, lists = split_items(raw, list_start(raw, 1, name), len(raw))
    expect_shape(name, items, lists, 14, [8, 10])
    hashes, hash_lists = split_items(items[10], 0, len(items[10]), WORD_BYTES)
    expect_shape("the blob versioned hashes", hashes, hash_lists, len(hashes), [])
    return from_common_fields(
        raw,
        BLOB,
        items[:9],
        items[11:],
        integer("max fee per blob gas", items[9], UINT256),
        tuple(fixed_bytes("a blob versioned hash", item, WORD_BYTES) for item in hashes),
    )


def decode_set_code_transaction(raw: bytes) -> Transaction:
    """Decode type 4 (EIP-7702); raises `BadRlp`, `InvalidSignature`."""
    name = "a set code transaction"
    items, lists = split_items(raw, list_start(raw, 1, name), len(raw))
    expect_shape(name, items, lists, 13, [8, 9])
    return from_common_fields(
        raw, SET_CODE, items[:9], items[10:], 0, (), decode_authorizations(items[9])
    )


def from_common_fields(
    raw: bytes,
    type_id: int,
    common: list[bytes],
    signature: list[bytes],
    max_fee_per_blob_gas: int = 0,
    blob_versioned_hashes: tuple[bytes, ...] = (),
    authorizations: tuple[Authorization, ...] = (),
) -> Transaction:
    """Build types 2 to 4, which open with the same nine fields and close with a signature."""
    chain_id, nonce, tip, fee_cap, gas, to, value, data, accesses = common
    parity, r, s = signature
    return Transaction(
        raw,
        keccak256(raw),
        type_id,
        integer("chain id", chain_id, UINT256),
        integer("nonce", nonce, UINT64),
        integer("max priority fee per gas", tip, UINT256),
        integer("max fee per gas", fee_cap, UINT256),
        integer("gas", gas, UINT64),
        to if len(to) == ADDRESS_BYTES else empty_destination(to),
        integer("value", value, UINT256),
        data,
        y_parity_of(parity),
        signature_bytes(r, s),
        decode_access_list(accesses) if accesses else (),
        max_fee_per_blob_gas,
        blob_versioned_hashes,
        authorizations,
    )


def empty_destination(to: bytes) -> bytes:
    """Return no bytes: what is neither empty nor an address raises `BadRlp`."""
    return fixed_bytes("to", to, ADDRESS_BYTES) if to else to


def decode_access_list(payload: bytes) -> AccessList:
    """Decode the payload of an EIP-2930 access list; raises `BadRlp`."""
    entries, lists = split_items(payload, 0, len(payload), ADDRESS_BYTES)
    expect_shape(ACCESS_LIST_NAME, entries, lists, len(entries), list(range(len(entries))))
    accesses = []
    for entry in entries:
        parts, kinds = split_items(entry, 0, len(entry))
        expect_shape("an access list entry", parts, kinds, 2, [1])
        keys, key_lists = split_items(parts[1], 0, len(parts[1]), WORD_BYTES)
        expect_shape("the storage keys", keys, key_lists, len(keys), [])
        slots = tuple(
            int.from_bytes(fixed_bytes("a storage key", key, WORD_BYTES), "big") for key in keys
        )
        accesses.append((fixed_bytes("an access list address", parts[0], ADDRESS_BYTES), slots))
    return tuple(accesses)


def decode_authorizations(payload: bytes) -> tuple[Authorization, ...]:
    """Decode the payload of an EIP-7702 authorization list; raises `BadRlp`."""
    entries, lists = split_items(payload, 0, len(payload), ADDRESS_BYTES)
    name = "the authorization list"
    expect_shape(name, entries, lists, len(entries), list(range(len(entries))))
    return tuple(decode_authorization(entry) for entry in entries)


def decode_authorization(payload: bytes) -> Authorization:
    """Decode one tuple; EIP-7702: one number out of bounds makes the transaction invalid."""
    parts, kinds = split_items(payload, 0, len(payload))
    expect_shape("an authorization", parts, kinds, 6, [])
    chain_id, address, nonce, y_parity, r, s = parts
    return Authorization(
        integer("authorization chain id", chain_id, UINT256),
        fixed_bytes("an authorization address", address, ADDRESS_BYTES),
        integer("authorization nonce", nonce, UINT64),
        integer("authorization y parity", y_parity, UINT8),
        integer("authorization r", r, UINT256),
        integer("authorization s", s, UINT256),
    )


def y_parity_of(item: bytes) -> int:
    """Return 0 or 1; raises `InvalidSignature` for another number."""
    if item == b"\x01":
        return 1
    if item == b"":
        return 0
    y_parity = integer("y parity", item, UINT64)
    raise InvalidSignature(f"y parity is {y_parity}, must be 0 or 1")


def signature_bytes(r_item: bytes, s_item: bytes) -> bytes:
    """Return r and s; Yellow Paper (appendix F) and EIP-2: 0 < r < n, 0 < s <= n / 2."""
    r, s = integer("r", r_item, UINT256), integer("s", s_item, UINT256)
    if not 0 < r < CURVE_ORDER:
        raise InvalidSignature(f"r is {r:#x}, must be in [1, n)")
    if not 0 < s <= HALF_CURVE_ORDER:
        raise InvalidSignature(f"s is {s:#x}, must be in [1, n/2]")
    return r_item.rjust(WORD_BYTES, b"\0") + s_item.rjust(WORD_BYTES, b"\0")


DECODERS = {
    LEGACY: decode_legacy,
    ACCESS_LIST: decode_access_list_transaction,
    DYNAMIC_FEE: decode_dynamic_fee_transaction,
    BLOB: decode_blob_transaction,
    SET_CODE: decode_set_code_transaction,
}
