"""Which numbers the fields of a signed transaction can hold, checked before any rule reads them.

They take the place of py-evm's own `validate`, which lets a high s through for type 2 and 4
(EIP-2 refuses it for every type) and mixes rules of validity into decoding.
"""

from typing import Any, cast

from eth.abc import SignedTransactionAPI

from cvm.evm.faults import InvalidSignature, MalformedTransaction

UINT8, UINT64, UINT256 = 8, 64, 256
CURVE_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
FIRST_EIP_155_V = 35
ADDRESS_BYTES = 20


def validate_fields(tx: SignedTransactionAPI, type_id: int) -> None:
    """Check the width of every number; raises `MalformedTransaction` or `InvalidSignature`."""
    expect_bits("nonce", tx.nonce, UINT64)
    expect_bits("gas", tx.gas, UINT64)
    expect_bits("value", tx.value, UINT256)
    expect_bits("max fee per gas", tx.max_fee_per_gas, UINT256)
    expect_bits("max priority fee per gas", tx.max_priority_fee_per_gas, UINT256)
    if type_id:
        expect_bits("chain id", tx.chain_id or 0, UINT256)
        for address, _keys in tx.access_list:
            expect_address("access list", address)
    if type_id == 4:
        validate_authorization_fields(tx)
    validate_signature_values(tx, type_id)


def validate_authorization_fields(tx: SignedTransactionAPI) -> None:
    """EIP-7702: a tuple with a number that is too wide makes the whole transaction invalid."""
    for item in tx.authorization_list:
        expect_address("authorization", item.address)
        expect_bits("authorization chain id", item.chain_id, UINT256)
        expect_bits("authorization nonce", item.nonce, UINT64)
        expect_bits("authorization y parity", item.y_parity, UINT8)
        expect_bits("authorization r", item.r, UINT256)
        expect_bits("authorization s", item.s, UINT256)


def validate_signature_values(tx: SignedTransactionAPI, type_id: int) -> None:
    """Yellow Paper (appendix F) and EIP-2: 0 < r < n, 0 < s <= n / 2, and a v or y parity."""
    expect_bits("r", tx.r, UINT256)
    expect_bits("s", tx.s, UINT256)
    if not 0 < tx.r < CURVE_ORDER:
        raise InvalidSignature(f"r is {tx.r:#x}, must be in [1, n)")
    if not 0 < tx.s <= CURVE_ORDER // 2:
        raise InvalidSignature(f"s is {tx.s:#x}, must be in [1, n/2]")
    if type_id:
        expect_bits("y parity", tx.y_parity, UINT64)
        if tx.y_parity not in (0, 1):
            raise InvalidSignature(f"y parity is {tx.y_parity}, must be 0 or 1")
        return
    v = cast(Any, tx).v
    expect_bits("v", v, UINT256)
    if v not in (27, 28) and v < FIRST_EIP_155_V:
        raise InvalidSignature(f"v is {v}, must be 27, 28 or at least 35")


def expect_bits(field: str, value: int, bits: int) -> None:
    """Raise `MalformedTransaction` for a number that is too wide; it is not shown in full."""
    if value.bit_length() > bits:
        raise MalformedTransaction(f"{field} has {value.bit_length()} bits, at most {bits}")


def expect_address(field: str, address: bytes) -> None:
    """Raise `MalformedTransaction` for no address; py-evm's sedes take an empty one."""
    if len(address) != ADDRESS_BYTES:
        raise MalformedTransaction(f"{field} address has {len(address)} bytes, must have 20")
