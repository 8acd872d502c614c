"""One call of eth_simulateV1: what geth fills in, which rules it must keep, and the transaction."""

from dataclasses import dataclass

from cvm.evm.blob_gas import GAS_PER_BLOB
from cvm.evm.forks import Fork
from cvm.evm.keccak import keccak256
from cvm.evm.machine_limits import MAX_NONCE
from cvm.evm.rlp_encoding import encode_list
from cvm.evm.transaction import (
    BLOB,
    DYNAMIC_FEE,
    LEGACY,
    SET_CODE,
    Transaction,
    keep_sender,
)
from cvm.evm.transaction_gas import floor_data_gas, intrinsic_gas
from cvm.evm.transaction_rules import MAX_INITCODE_BYTES
from cvm.evm.transaction_signing import UnsignedTransaction, unsigned_fields
from cvm.evm.world_state import WorldState
from node.checksum_address import checksum_address
from node.execution import simulation_faults as refused
from node.execution.call_request import CallMessage
from node.execution.simulation_faults import CallRefused
from node.rpc.faults import ServerError

ZERO_SIGNATURE = b"\x80\x80\x80"
"""y parity, r and s, all 0, as RLP."""


@dataclass(frozen=True, slots=True)
class CallRules:
    """What a block says of its calls; with `validates` they are held to what transactions are."""

    chain_id: int
    fork: Fork
    base_fee: int
    blob_base_fee: int
    validates: bool


def transaction_of(call: CallMessage, chain_id: int, nonce: int, gas: int) -> Transaction:
    """Return the unsigned transaction that a call stands for; type 2 unless it names more."""
    if call.chain_id is not None and call.chain_id != chain_id:
        raise ServerError(f"chainId does not match node's (have={call.chain_id}, want={chain_id})")
    fee_cap = call.max_fee_per_gas if call.gas_price is None else call.gas_price
    unsigned = UnsignedTransaction(
        type_id=type_of(call),
        chain_id=chain_id,
        nonce=nonce,
        max_fee_per_gas=fee_cap or 0,
        max_priority_fee_per_gas=call.max_priority_fee_per_gas or 0,
        gas=gas,
        to=call.to or b"",
        value=call.value,
        data=call.data,
        access_list=call.access_list or (),
        max_fee_per_blob_gas=call.max_fee_per_blob_gas or 0,
        blob_versioned_hashes=call.blob_versioned_hashes,
        authorization_list=call.authorization_list or (),
    )
    tx = with_no_signature(unsigned)
    keep_sender(tx, call.sender)
    return tx


def type_of(call: CallMessage) -> int:
    """Return the EIP-2718 type that geth gives a call of a simulation."""
    if call.gas_price is not None:
        return LEGACY
    if call.authorization_list is not None:
        return SET_CODE
    return BLOB if call.blob_versioned_hashes else DYNAMIC_FEE


def with_no_signature(tx: UnsignedTransaction) -> Transaction:
    """Return a transaction whose signature is all zeros."""
    prefix = bytes((tx.type_id,)) if tx.type_id else b""
    raw = prefix + encode_list(unsigned_fields(tx) + ZERO_SIGNATURE)
    is_legacy = tx.type_id == LEGACY
    return Transaction(
        raw=raw,
        hash=keccak256(raw),
        type_id=tx.type_id,
        chain_id=None if is_legacy else tx.chain_id,
        nonce=tx.nonce,
        max_priority_fee_per_gas=tx.max_fee_per_gas if is_legacy else tx.max_priority_fee_per_gas,
        max_fee_per_gas=tx.max_fee_per_gas,
        gas=tx.gas,
        to=tx.to,
        value=tx.value,
        data=tx.data,
        y_parity=0,
        signature=bytes(64),
        access_list=() if is_legacy else tx.access_list,
        max_fee_per_blob_gas=tx.max_fee_per_blob_gas,
        blob_versioned_hashes=tx.blob_versioned_hashes,
        authorization_list=tx.authorization_list,
    )


def validate_call(tx: Transaction, world: WorldState, rules: CallRules, gas_left: int) -> None:
    """Check a call as geth's state transition does, in its order; raises `CallRefused`.

    `gas_left` is what is left of the gas of the whole request.
    """
    if rules.validates:
        validate_nonce(tx, world)
    validate_fees(tx, rules)
    who = checksum_address(tx.sender)
    blob_price = max(tx.max_fee_per_blob_gas, rules.blob_base_fee)
    needed = tx.gas * tx.max_fee_per_gas + tx.value
    needed += len(tx.blob_versioned_hashes) * GAS_PER_BLOB * blob_price
    balance = world.account(tx.sender).balance
    if balance < needed:
        words = f"insufficient funds for gas * price + value: address {who} have {balance}"
        raise CallRefused(refused.INSUFFICIENT_FUNDS, f"{words} want {needed}", tx.gas)
    if tx.gas > gas_left:
        raise CallRefused(refused.INTERNAL, "gas limit reached", tx.gas)
    validate_gas(tx, rules.fork)


def validate_nonce(tx: Transaction, world: WorldState) -> None:
    """Check that the nonce is the account's."""
    who, nonce = checksum_address(tx.sender), world.account(tx.sender).nonce
    words = f"address {who}, tx: {tx.nonce} state: {nonce}"
    if nonce < tx.nonce:
        raise CallRefused(refused.NONCE_TOO_HIGH, f"nonce too high: {words}", tx.gas)
    if nonce > tx.nonce:
        raise CallRefused(refused.NONCE_TOO_LOW, f"nonce too low: {words}", tx.gas)
    if nonce >= MAX_NONCE:
        words = f"nonce has max value: address {who}, nonce: {nonce}"
        raise CallRefused(refused.INTERNAL, words, tx.gas)


def validate_fees(tx: Transaction, rules: CallRules) -> None:
    """Check tip and fee cap; without validation a call that names neither is free."""
    cap, tip = tx.max_fee_per_gas, tx.max_priority_fee_per_gas
    if not rules.validates and cap == 0 and tip == 0:
        return
    who = checksum_address(tx.sender)
    if tip > cap:
        words = f"max priority fee per gas higher than max fee per gas: address {who}"
        words += f", maxPriorityFeePerGas: {tip}, maxFeePerGas: {cap}"
        raise CallRefused(refused.INVALID_PARAMS, words, tx.gas)
    if cap < rules.base_fee:
        words = f"max fee per gas less than block base fee: address {who}, maxFeePerGas: {cap}"
        raise CallRefused(refused.BASE_FEE_TOO_LOW, f"{words}, baseFee: {rules.base_fee}", tx.gas)


def validate_gas(tx: Transaction, fork: Fork) -> None:
    """Check that the gas covers what the call costs before it runs, and the size of initcode."""
    least = intrinsic_gas(tx, fork)
    if tx.gas < least:
        words = f"intrinsic gas too low: have {tx.gas}, want {least}"
        raise CallRefused(refused.INTRINSIC_GAS_TOO_LOW, words, tx.gas)
    floor = floor_data_gas(tx.data, fork)
    if tx.gas < floor:
        words = f"insufficient gas for floor data gas cost: have {tx.gas}, want {floor}"
        raise CallRefused(refused.INTERNAL, words, tx.gas)
    if fork.is_shanghai and not tx.to and len(tx.data) > MAX_INITCODE_BYTES:
        words = f"max initcode size exceeded: code size {len(tx.data)} limit {MAX_INITCODE_BYTES}"
        raise CallRefused(refused.INITCODE_TOO_LARGE, words, tx.gas)
