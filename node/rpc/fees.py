"""Prices that blocks and transactions imply: effective gas price, tip, base fee, blob base fee."""

from eth.abc import BlockHeaderAPI, SignedTransactionAPI
from eth.vm.forks.cancun.constants import MIN_BLOB_BASE_FEE
from eth.vm.forks.london.headers import calculate_expected_base_fee_per_gas
from eth.vm.forks.prague.constants import (
    BLOB_BASE_FEE_UPDATE_FRACTION_PRAGUE,
    MAX_BLOB_GAS_PER_BLOCK,
    TARGET_BLOB_GAS_PER_BLOCK,
)

_DYNAMIC_FEE_TX_TYPE = 2


def base_fee(header: BlockHeaderAPI) -> int:
    """Return a block's base fee in wei, 0 before EIP-1559."""
    return int(header.as_dict().get("base_fee_per_gas", 0))


def next_base_fee(header: BlockHeaderAPI) -> int:
    """Return the base fee of the block after this one (EIP-1559)."""
    return calculate_expected_base_fee_per_gas(header)


def effective_gas_price(tx: SignedTransactionAPI, header: BlockHeaderAPI | None) -> int:
    """Return the wei paid for each gas; a pending transaction shows its fee cap, as in geth."""
    if (tx.type_id or 0) < _DYNAMIC_FEE_TX_TYPE:
        return tx.gas_price
    if header is None:
        return tx.max_fee_per_gas
    return min(tx.max_fee_per_gas, base_fee(header) + tx.max_priority_fee_per_gas)


def effective_tip(tx: SignedTransactionAPI, header: BlockHeaderAPI) -> int:
    """Return the wei for each gas that the block's producer received."""
    return effective_gas_price(tx, header) - base_fee(header)


def blob_gas(header: BlockHeaderAPI) -> tuple[int, int] | None:
    """Return a block's excess blob gas and blob gas used, None before EIP-4844."""
    fields = header.as_dict()
    if "excess_blob_gas" not in fields:
        return None
    return int(fields["excess_blob_gas"]), int(fields["blob_gas_used"])


def blob_base_fees(header: BlockHeaderAPI) -> tuple[int, int]:
    """Return the wei for each blob gas in this block and in the next, zeros before EIP-4844."""
    found = blob_gas(header)
    if found is None:
        return 0, 0
    excess, used = found
    following = max(0, excess + used - TARGET_BLOB_GAS_PER_BLOCK)
    return blob_base_fee(excess), blob_base_fee(following)


def blob_gas_ratio(header: BlockHeaderAPI) -> float:
    """Return how much of the room for blobs a block used, from 0 to 1."""
    found = blob_gas(header)
    return 0.0 if found is None else found[1] / MAX_BLOB_GAS_PER_BLOCK


def blob_base_fee(excess_blob_gas: int) -> int:
    """Return the wei for each blob gas: EIP-4844's `fake_exponential` with Prague's fraction."""
    total = 0
    step = 1
    term = MIN_BLOB_BASE_FEE * BLOB_BASE_FEE_UPDATE_FRACTION_PRAGUE
    while term > 0:
        total += term
        term = term * excess_blob_gas // (BLOB_BASE_FEE_UPDATE_FRACTION_PRAGUE * step)
        step += 1
    return total // BLOB_BASE_FEE_UPDATE_FRACTION_PRAGUE
