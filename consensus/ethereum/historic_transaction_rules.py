"""The rules that a transaction keeps to stand in a block of proof of work, one function each.

Those that every fork shares are `cvm.evm.transaction_rules`'s.
"""

from consensus.ethereum.historic_forks import HistoricFork
from cvm.evm.faults import (
    IntrinsicGasTooLow,
    InvalidSignature,
    TransactionTypeNotSupported,
)
from cvm.evm.state_reader import Account
from cvm.evm.transaction import ACCESS_LIST, DYNAMIC_FEE, LEGACY, Transaction
from cvm.evm.transaction_gas import (
    ACCESS_LIST_ADDRESS_GAS,
    ACCESS_LIST_KEY_GAS,
    CREATE_GAS,
    NONZERO_BYTE_GAS,
    TX_GAS,
    ZERO_BYTE_GAS,
)
from cvm.evm.transaction_rules import (
    validate_balance,
    validate_block_gas,
    validate_chain_id,
    validate_fee_cap,
    validate_nonce,
    validate_sender_is_eoa,
    validate_tip,
)

OLD_NONZERO_BYTE_GAS = 68  # Yellow Paper, appendix G, before EIP-2028


def validate_historic_transaction(
    tx: Transaction, fork: HistoricFork, chain_id: int, base_fee: int | None, gas_left: int
) -> None:
    """Check every rule that needs no account; raises an `InvalidTransaction`."""
    validate_historic_type(tx, fork)
    validate_protection(tx, fork)
    validate_chain_id(tx, chain_id)
    if base_fee is not None:
        validate_tip(tx)
        validate_fee_cap(tx, base_fee)
    validate_block_gas(tx, gas_left)
    validate_historic_intrinsic_gas(tx, fork)


def validate_historic_account(tx: Transaction, account: Account, code: bytes) -> None:
    """Check nonce, code and balance of the sender; raises an `InvalidTransaction`."""
    validate_nonce(tx, account.nonce)
    validate_sender_is_eoa(tx, code)
    validate_balance(tx, account.balance)


def validate_historic_type(tx: Transaction, fork: HistoricFork) -> None:
    """EIP-2930: type 1 from Berlin on; EIP-1559: type 2 from London on."""
    if tx.type_id == LEGACY:
        return
    if tx.type_id == ACCESS_LIST and fork.is_berlin:
        return
    if tx.type_id == DYNAMIC_FEE and fork.is_london:
        return
    raise TransactionTypeNotSupported(tx.type_id)


def validate_protection(tx: Transaction, fork: HistoricFork) -> None:
    """EIP-155: a signature names a chain from Spurious Dragon on."""
    if tx.chain_id is not None and not fork.is_spurious_dragon:
        raise InvalidSignature(f"v is {tx.v}, must be 27 or 28 in {fork.name}")


def validate_historic_intrinsic_gas(tx: Transaction, fork: HistoricFork) -> None:
    """Yellow Paper (65): gas limit >= intrinsic gas."""
    needed = historic_intrinsic_gas(tx, fork)
    if tx.gas < needed:
        raise IntrinsicGasTooLow(tx.gas, needed)


def historic_intrinsic_gas(tx: Transaction, fork: HistoricFork) -> int:
    """Return the gas that is charged before execution.

    A creation costs more from Homestead on (EIP-2), calldata less from Istanbul on (EIP-2028).
    """
    nonzero_gas = NONZERO_BYTE_GAS if fork.is_istanbul else OLD_NONZERO_BYTE_GAS
    zeros = tx.data.count(0)
    gas = TX_GAS + zeros * ZERO_BYTE_GAS + (len(tx.data) - zeros) * nonzero_gas
    if not tx.to and fork.is_homestead:
        gas += CREATE_GAS
    for _address, slots in tx.access_list:
        gas += ACCESS_LIST_ADDRESS_GAS + ACCESS_LIST_KEY_GAS * len(slots)
    return gas
