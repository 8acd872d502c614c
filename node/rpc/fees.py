"""Prices that blocks and transactions imply: effective gas price, tip, base fee, blob base fee."""

from cvm.evm.blob_gas import GAS_PER_BLOB, blob_base_fee
from cvm.evm.forks import OSAKA
from cvm.evm.header import BlockHeader
from cvm.evm.transaction import DYNAMIC_FEE, Transaction

FORK = OSAKA
"""Whose blob schedule prices are worked out with: that of every fork of this chain."""

TARGET_BLOB_GAS = FORK.target_blobs * GAS_PER_BLOB
MAX_BLOB_GAS = FORK.max_blobs * GAS_PER_BLOB


def base_fee(header: BlockHeader) -> int:
    """Return a block's base fee in wei, 0 before EIP-1559."""
    return header.base_fee_per_gas or 0


def effective_gas_price(tx: Transaction, header: BlockHeader | None) -> int:
    """Return the wei paid for each gas; a pending transaction shows its fee cap, as in geth."""
    if tx.type_id < DYNAMIC_FEE or header is None:
        return tx.max_fee_per_gas
    return min(tx.max_fee_per_gas, base_fee(header) + tx.max_priority_fee_per_gas)


def effective_tip(tx: Transaction, header: BlockHeader) -> int:
    """Return the wei for each gas that the block's producer received."""
    return effective_gas_price(tx, header) - base_fee(header)


def blob_gas(header: BlockHeader) -> tuple[int, int] | None:
    """Return a block's excess blob gas and blob gas used, None before EIP-4844."""
    if header.excess_blob_gas is None or header.blob_gas_used is None:
        return None
    return header.excess_blob_gas, header.blob_gas_used


def blob_base_fees(header: BlockHeader) -> tuple[int, int]:
    """Return the wei for each blob gas in this block and in the next, zeros before EIP-4844."""
    found = blob_gas(header)
    if found is None:
        return 0, 0
    excess, used = found
    following = max(0, excess + used - TARGET_BLOB_GAS)
    return blob_base_fee(excess, FORK), blob_base_fee(following, FORK)


def blob_gas_ratio(header: BlockHeader) -> float:
    """Return how much of the room for blobs a block used, from 0 to 1."""
    found = blob_gas(header)
    return 0.0 if found is None else found[1] / MAX_BLOB_GAS
