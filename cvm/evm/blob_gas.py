"""Blob gas: what a blob uses and what it costs (EIP-4844)."""

from cvm.evm.forks import Fork

GAS_PER_BLOB = 1 << 17
MIN_BLOB_BASE_FEE = 1


def blob_base_fee(excess_blob_gas: int, fork: Fork) -> int:
    """Return the wei per blob gas at an excess: EIP-4844's `fake_exponential`, rounded down.

    A fork without blobs has the least fee.
    """
    fraction = fork.blob_base_fee_fraction
    if not fraction:
        return MIN_BLOB_BASE_FEE
    total, step, term = 0, 1, MIN_BLOB_BASE_FEE * fraction
    while term > 0:
        total += term
        term = term * excess_blob_gas // (fraction * step)
        step += 1
    return total // fraction
