"""Signed transactions: decoding bytes from outside, type, sender, and the rules of validity.

Each rule is one function, named after it; `validate_transaction` is the list of them. They
repair what py-evm 0.12.1b1 leaves out: EIP-3607, the full balance check, tip above fee cap,
the EIP-7623 floor and the initcode cost in the intrinsic check.
"""

from typing import Any, Protocol, cast

import rlp
from eth.abc import SignedTransactionAPI
from eth.vm.forks.berlin.transactions import AccessListTransaction
from eth.vm.forks.london.transactions import DynamicFeeTransaction
from eth.vm.forks.prague.transactions import (
    PragueTransactionBuilder,
    PragueTypedTransaction,
    SetCodeTransaction,
)
from eth_keys.exceptions import BadSignature
from eth_typing import Address
from eth_utils.exceptions import ValidationError
from rlp.exceptions import RLPException

from cvm.evm.faults import (
    BadAuthorizationList,
    BlockGasExceeded,
    FeeCapTooLow,
    FloorDataGasTooLow,
    InitcodeTooLarge,
    InsufficientFunds,
    IntrinsicGasTooLow,
    InvalidSignature,
    MalformedTransaction,
    NonceAtMaximum,
    NonceTooHigh,
    NonceTooLow,
    SenderNotEoa,
    TipAboveFeeCap,
    TransactionGasTooHigh,
    TransactionTypeNotSupported,
    WrongChainId,
)
from cvm.evm.intrinsic_gas import floor_data_gas, intrinsic_gas
from cvm.evm.strict_rlp import BadRlp, decode_rlp
from cvm.evm.transaction_fields import validate_fields

MAX_TX_GAS = 1 << 24  # EIP-7825
MAX_INITCODE_BYTES = 49_152  # EIP-3860
MAX_NONCE = 2**64 - 1  # EIP-2681
DELEGATION_PREFIX = bytes.fromhex("ef0100")  # EIP-7702
DELEGATION_BYTES = 23
SUPPORTED_TYPES = (0, 1, 2, 4)
PAYLOADS: dict[int, Any] = {
    1: AccessListTransaction,
    2: DynamicFeeTransaction,
    4: SetCodeTransaction,
}


class AccountReader(Protocol):
    """What the rules read of the state."""

    def get_balance(self, address: Address) -> int:
        """Return the balance in wei."""

    def get_nonce(self, address: Address) -> int:
        """Return the transaction count."""

    def get_code(self, address: Address) -> bytes:
        """Return the code."""


def decode_transaction(raw: bytes) -> SignedTransactionAPI:
    """Decode EIP-2718 bytes from outside; raises `MalformedTransaction` or its siblings."""
    if raw and raw[0] < 0x80 and raw[0] not in PAYLOADS:
        raise TransactionTypeNotSupported(raw[0])
    try:
        tx = parse_transaction(raw)
        if tx.encode() != raw:
            raise MalformedTransaction("the encoding is not canonical")
    except (BadRlp, RLPException, ValidationError, TypeError, ValueError) as error:
        raise MalformedTransaction(str(error)[:200]) from error
    validate_fields(tx, type_of(tx))
    return tx


def parse_transaction(raw: bytes) -> SignedTransactionAPI:
    """Build a transaction of one of our types; raises `BadRlp` or what py-evm's sedes raise."""
    payload = PAYLOADS.get(raw[0]) if raw else None
    if payload is not None:
        return PragueTypedTransaction(raw[0], payload.deserialize(decode_rlp(raw[1:])))
    fields = decode_rlp(raw)
    if not isinstance(fields, list):
        raise BadRlp("a legacy transaction is a list")
    return PragueTransactionBuilder.deserialize(cast(Any, fields))


def type_of(tx: SignedTransactionAPI) -> int:
    """Return the EIP-2718 type, 0 for a legacy transaction."""
    return int(tx.type_id or 0)


def sender_of(tx: SignedTransactionAPI) -> Address:
    """Recover the sender; raises `InvalidSignature`."""
    try:
        return tx.sender
    except (BadSignature, ValidationError) as error:
        raise InvalidSignature(str(error)) from error


def validate_transaction(
    tx: SignedTransactionAPI,
    state: AccountReader,
    *,
    chain_id: int,
    base_fee: int,
    block_gas_left: int,
) -> None:
    """Check every rule that a transaction must keep to stand next in a block."""
    validate_stateless(tx, chain_id)
    validate_fee_cap(tx, base_fee)
    validate_block_gas(tx, block_gas_left)
    validate_account(tx, state)


def validate_stateless(tx: SignedTransactionAPI, chain_id: int) -> None:
    """Check the rules that need no state: type, chain, signature, fees, gas, size."""
    validate_type(tx)
    validate_chain_id(tx, chain_id)
    sender_of(tx)
    validate_tip(tx)
    validate_authorizations(tx)
    validate_initcode_size(tx)
    validate_gas_limit(tx)


def validate_account(tx: SignedTransactionAPI, state: AccountReader) -> None:
    """Check the rules on the sender's account: nonce, code, balance."""
    validate_nonce(tx, state)
    validate_sender_is_eoa(tx, state)
    validate_balance(tx, state)


def validate_type(tx: SignedTransactionAPI) -> None:
    """Refuse blob transactions and types that no fork of ours knows."""
    if type_of(tx) not in SUPPORTED_TYPES:
        raise TransactionTypeNotSupported(type_of(tx))


def validate_chain_id(tx: SignedTransactionAPI, chain_id: int) -> None:
    """EIP-155: a transaction that names a chain must name this one."""
    if tx.chain_id is not None and tx.chain_id != chain_id:
        raise WrongChainId(tx.chain_id, chain_id)


def validate_tip(tx: SignedTransactionAPI) -> None:
    """EIP-1559: tip <= fee cap."""
    if tx.max_priority_fee_per_gas > tx.max_fee_per_gas:
        raise TipAboveFeeCap(tx.max_priority_fee_per_gas, tx.max_fee_per_gas)


def validate_fee_cap(tx: SignedTransactionAPI, base_fee: int) -> None:
    """EIP-1559: fee cap >= base fee."""
    if tx.max_fee_per_gas < base_fee:
        raise FeeCapTooLow(tx.max_fee_per_gas, base_fee)


def validate_authorizations(tx: SignedTransactionAPI) -> None:
    """EIP-7702: at least one authorization, and no contract creation."""
    if type_of(tx) != 4:
        return
    if not tx.authorization_list:
        raise BadAuthorizationList("empty auth list")
    if not tx.to:
        raise BadAuthorizationList("no destination")


def validate_initcode_size(tx: SignedTransactionAPI) -> None:
    """EIP-3860: initcode <= 49,152 bytes."""
    if not tx.to and len(tx.data) > MAX_INITCODE_BYTES:
        raise InitcodeTooLarge(len(tx.data), MAX_INITCODE_BYTES)


def validate_gas_limit(tx: SignedTransactionAPI) -> None:
    """Intrinsic gas and EIP-7623 floor <= gas limit <= 2**24 (EIP-7825)."""
    if tx.gas > MAX_TX_GAS:
        raise TransactionGasTooHigh(tx.gas, MAX_TX_GAS)
    needed = intrinsic_gas(tx, type_of(tx))
    if tx.gas < needed:
        raise IntrinsicGasTooLow(tx.gas, needed)
    floor = floor_data_gas(tx.data)
    if tx.gas < floor:
        raise FloorDataGasTooLow(tx.gas, floor)


def validate_block_gas(tx: SignedTransactionAPI, block_gas_left: int) -> None:
    """Yellow Paper (65): the gas limit fits what is left in the block."""
    if tx.gas > block_gas_left:
        raise BlockGasExceeded(tx.gas, block_gas_left)


def validate_nonce(tx: SignedTransactionAPI, state: AccountReader) -> None:
    """Demand the account's next nonce, below 2**64 - 1 (EIP-2681)."""
    sender = sender_of(tx)
    expected = state.get_nonce(sender)
    if tx.nonce >= MAX_NONCE:
        raise NonceAtMaximum(tx.nonce)
    if tx.nonce < expected:
        raise NonceTooLow(sender, tx.nonce, expected)
    if tx.nonce > expected:
        raise NonceTooHigh(sender, tx.nonce, expected)


def validate_sender_is_eoa(tx: SignedTransactionAPI, state: AccountReader) -> None:
    """EIP-3607 with EIP-7702: the sender has no code, or a delegation."""
    sender = sender_of(tx)
    code = state.get_code(sender)
    if code and not is_delegation(code):
        raise SenderNotEoa(sender, len(code))


def validate_balance(tx: SignedTransactionAPI, state: AccountReader) -> None:
    """Demand a balance that covers gas * fee cap + value."""
    sender = sender_of(tx)
    needed = tx.gas * tx.max_fee_per_gas + tx.value
    balance = state.get_balance(sender)
    if balance < needed:
        raise InsufficientFunds(sender, balance, needed)


def is_delegation(code: bytes) -> bool:
    """Tell whether code is an EIP-7702 delegation designator."""
    return len(code) == DELEGATION_BYTES and code.startswith(DELEGATION_PREFIX)


def encode_for_block(tx: SignedTransactionAPI) -> bytes | list[bytes]:
    """Return what stands for the transaction in a block's RLP list."""
    raw = tx.encode()
    return raw if type_of(tx) else list(rlp.decode(raw))
