"""The rules that a transaction keeps to stand next in a block, one function each.

`validate_transaction` is the list of them. They are stated for Paris to Osaka; a rule that a fork
brought in asks the fork.
"""

from dataclasses import dataclass
from typing import NamedTuple

from cvm.evm.blob_gas import GAS_PER_BLOB
from cvm.evm.faults import (
    BadAuthorizationList,
    BadBlobHashVersion,
    BlobFeeCapTooLow,
    BlobGasExceeded,
    BlobTransactionCreates,
    BlockGasExceeded,
    FeeCapTooLow,
    FloorDataGasTooLow,
    InitcodeTooLarge,
    InsufficientFunds,
    IntrinsicGasTooLow,
    MissingBlobHashes,
    NonceAtMaximum,
    NonceTooHigh,
    NonceTooLow,
    SenderNotEoa,
    TipAboveFeeCap,
    TooManyBlobs,
    TransactionGasTooHigh,
    TransactionTypeNotSupported,
    WrongChainId,
)
from cvm.evm.forks import Fork
from cvm.evm.live_account import DELEGATION_BYTES, DELEGATION_PREFIX
from cvm.evm.machine_limits import MAX_NONCE
from cvm.evm.state_reader import EMPTY_CODE_HASH, Account, StateReader
from cvm.evm.transaction import BLOB, SET_CODE, Transaction
from cvm.evm.transaction_gas import floor_data_gas, intrinsic_gas

MAX_INITCODE_BYTES = 49_152  # EIP-3860
MAX_BLOBS_PER_TRANSACTION = 6  # EIP-7594, from Osaka on
BLOB_HASH_VERSION = 1  # EIP-4844, VERSIONED_HASH_VERSION_KZG
NO_ACCOUNT = Account()


@dataclass(frozen=True, slots=True)
class ChainRules:
    """What a chain says of every transaction: its id, its fork now, whether it carries blobs."""

    chain_id: int
    fork: Fork
    carries_blobs: bool = False


class BlockRoom(NamedTuple):
    """What the block says of the next transaction: its fees in wei per gas, and the gas left."""

    base_fee: int
    gas_left: int
    blob_base_fee: int = 1
    blob_gas_left: int = 0


def validate_transaction(
    tx: Transaction, state: StateReader, rules: ChainRules, room: BlockRoom
) -> None:
    """Check every rule that a transaction must keep to stand next in a block, in geth's order."""
    validate_form(tx, rules)
    validate_room(tx, room)
    validate_own_gas(tx, rules.fork)
    validate_account(tx, state)


def validate_stateless(tx: Transaction, rules: ChainRules) -> None:
    """Check the rules that need neither state nor block: type, chain, fees, gas, size."""
    validate_form(tx, rules)
    validate_own_gas(tx, rules.fork)


def validate_form(tx: Transaction, rules: ChainRules) -> None:
    """Check type, chain, tip, blobs, authorizations, size, and the cap on gas."""
    fork = rules.fork
    validate_type(tx, fork, carries_blobs=rules.carries_blobs)
    validate_chain_id(tx, rules.chain_id)
    validate_tip(tx)
    if tx.type_id == BLOB:
        validate_blobs(tx, fork)
    if tx.type_id == SET_CODE:
        validate_authorizations(tx)
    validate_initcode_size(tx, fork)
    validate_gas_cap(tx, fork)


def validate_own_gas(tx: Transaction, fork: Fork) -> None:
    """Check that the gas limit covers what the transaction costs before it runs."""
    validate_intrinsic_gas(tx, fork)
    validate_floor_gas(tx, fork)


def validate_room(tx: Transaction, room: BlockRoom) -> None:
    """Check the rules that the block brings: fee caps reach its fees, gas fits what is left."""
    validate_fee_cap(tx, room.base_fee)
    validate_block_gas(tx, room.gas_left)
    if tx.type_id == BLOB:
        validate_blob_fee_cap(tx, room.blob_base_fee)
        validate_block_blob_gas(tx, room.blob_gas_left)


def validate_account(tx: Transaction, state: StateReader) -> None:
    """Check the rules on the sender's account: nonce, code, balance."""
    account = state.account(tx.sender) or NO_ACCOUNT
    validate_nonce(tx, account.nonce)
    if account.code_hash != EMPTY_CODE_HASH:
        validate_sender_is_eoa(tx, state.code(account.code_hash))
    validate_balance(tx, account.balance)


def validate_type(tx: Transaction, fork: Fork, *, carries_blobs: bool) -> None:
    """Types 0 to 2 are of every fork, 3 of Cancun where blobs are carried, 4 of Prague."""
    if tx.type_id < BLOB:
        return
    if tx.type_id == BLOB and fork.is_cancun and carries_blobs:
        return
    if tx.type_id == SET_CODE and fork.is_prague:
        return
    raise TransactionTypeNotSupported(tx.type_id)


def validate_chain_id(tx: Transaction, chain_id: int) -> None:
    """EIP-155: a transaction that names a chain must name this one."""
    if tx.chain_id is not None and tx.chain_id != chain_id:
        raise WrongChainId(tx.chain_id, chain_id)


def validate_tip(tx: Transaction) -> None:
    """EIP-1559: tip <= fee cap."""
    if tx.max_priority_fee_per_gas > tx.max_fee_per_gas:
        raise TipAboveFeeCap(tx.max_priority_fee_per_gas, tx.max_fee_per_gas)


def validate_blobs(tx: Transaction, fork: Fork) -> None:
    """EIP-4844: what a type-3 transaction says of its blobs."""
    validate_blob_destination(tx)
    validate_blob_count(tx, fork)
    validate_blob_hash_versions(tx)


def validate_blob_destination(tx: Transaction) -> None:
    """EIP-4844: a blob transaction creates no contract."""
    if not tx.to:
        raise BlobTransactionCreates


def validate_blob_count(tx: Transaction, fork: Fork) -> None:
    """EIP-4844: at least one blob and no more than a block holds; EIP-7594: no more than six."""
    count = len(tx.blob_versioned_hashes)
    permitted = fork.max_blobs
    if fork.is_osaka:
        permitted = min(permitted, MAX_BLOBS_PER_TRANSACTION)
    if not count:
        raise MissingBlobHashes
    if count > permitted:
        raise TooManyBlobs(count, permitted)


def validate_blob_hash_versions(tx: Transaction) -> None:
    """EIP-4844: every versioned hash opens with 0x01."""
    for place, versioned_hash in enumerate(tx.blob_versioned_hashes):
        if versioned_hash[0] != BLOB_HASH_VERSION:
            raise BadBlobHashVersion(place, versioned_hash[0], BLOB_HASH_VERSION)


def validate_authorizations(tx: Transaction) -> None:
    """EIP-7702: at least one authorization, and no contract creation."""
    if not tx.authorization_list:
        raise BadAuthorizationList("empty auth list")
    if not tx.to:
        raise BadAuthorizationList("no destination")


def validate_initcode_size(tx: Transaction, fork: Fork) -> None:
    """EIP-3860, from Shanghai on: initcode <= 49,152 bytes."""
    if not tx.to and fork.is_shanghai and len(tx.data) > MAX_INITCODE_BYTES:
        raise InitcodeTooLarge(len(tx.data), MAX_INITCODE_BYTES)


def validate_gas_cap(tx: Transaction, fork: Fork) -> None:
    """EIP-7825, from Osaka on: gas limit <= 2**24."""
    if fork.max_tx_gas is not None and tx.gas > fork.max_tx_gas:
        raise TransactionGasTooHigh(tx.gas, fork.max_tx_gas)


def validate_intrinsic_gas(tx: Transaction, fork: Fork) -> None:
    """Yellow Paper (65): gas limit >= intrinsic gas."""
    needed = intrinsic_gas(tx, fork)
    if tx.gas < needed:
        raise IntrinsicGasTooLow(tx.gas, needed)


def validate_floor_gas(tx: Transaction, fork: Fork) -> None:
    """EIP-7623, from Prague on: gas limit >= calldata floor."""
    floor = floor_data_gas(tx.data, fork)
    if tx.gas < floor:
        raise FloorDataGasTooLow(tx.gas, floor)


def validate_fee_cap(tx: Transaction, base_fee: int) -> None:
    """EIP-1559: fee cap >= base fee."""
    if tx.max_fee_per_gas < base_fee:
        raise FeeCapTooLow(tx.max_fee_per_gas, base_fee)


def validate_block_gas(tx: Transaction, gas_left: int) -> None:
    """Yellow Paper (65): the gas limit fits what is left in the block."""
    if tx.gas > gas_left:
        raise BlockGasExceeded(tx.gas, gas_left)


def validate_blob_fee_cap(tx: Transaction, blob_base_fee: int) -> None:
    """EIP-4844: blob fee cap >= blob base fee."""
    if tx.max_fee_per_blob_gas < blob_base_fee:
        raise BlobFeeCapTooLow(tx.max_fee_per_blob_gas, blob_base_fee)


def validate_block_blob_gas(tx: Transaction, blob_gas_left: int) -> None:
    """EIP-4844: the blobs fit the blob gas that is left in the block."""
    if blob_gas(tx) > blob_gas_left:
        raise BlobGasExceeded(blob_gas(tx), blob_gas_left)


def validate_nonce(tx: Transaction, account_nonce: int) -> None:
    """Demand the account's next nonce, below 2**64 - 1 (EIP-2681)."""
    if tx.nonce == account_nonce and tx.nonce < MAX_NONCE:
        return
    if tx.nonce >= MAX_NONCE:
        raise NonceAtMaximum(tx.nonce)
    fault = NonceTooLow if tx.nonce < account_nonce else NonceTooHigh
    raise fault(tx.sender, tx.nonce, account_nonce)


def validate_sender_is_eoa(tx: Transaction, code: bytes) -> None:
    """EIP-3607 with EIP-7702: the sender has no code, or a delegation."""
    if code and not is_delegation(code):
        raise SenderNotEoa(tx.sender, len(code))


def validate_balance(tx: Transaction, balance: int) -> None:
    """Demand a balance that covers gas * fee cap + blob gas * blob fee cap + value."""
    needed = most_spent(tx)
    if balance < needed:
        raise InsufficientFunds(tx.sender, balance, needed)


def most_spent(tx: Transaction) -> int:
    """Return the most wei that a transaction can take from its sender."""
    needed = tx.gas * tx.max_fee_per_gas + tx.value
    if tx.type_id == BLOB:
        needed += blob_gas(tx) * tx.max_fee_per_blob_gas
    return needed


def blob_gas(tx: Transaction) -> int:
    """Return the blob gas that a transaction uses (EIP-4844)."""
    return GAS_PER_BLOB * len(tx.blob_versioned_hashes)


def is_delegation(code: bytes) -> bool:
    """Tell whether code is an EIP-7702 delegation designator."""
    return len(code) == DELEGATION_BYTES and code.startswith(DELEGATION_PREFIX)
