"""How much blob gas a chain is in excess: EIP-4844, with the numbers of forks, and EIP-7918."""

from cvm.evm.blob_gas import GAS_PER_BLOB, blob_base_fee
from cvm.evm.forks import Fork
from cvm.evm.header import BlockHeader

BLOB_BASE_COST = 1 << 13
"""EIP-7918: gas that a blob costs at least, at the base fee of execution."""


def next_excess_blob_gas(parent: BlockHeader, fork: Fork) -> int:
    """Return the excess blob gas of the child of `parent`, a block of `fork`.

    A parent from before Cancun had none. From Osaka on the excess falls more slowly while a blob
    is cheaper than its reserve price (EIP-7918).
    """
    excess, used = parent.excess_blob_gas or 0, parent.blob_gas_used or 0
    target = fork.target_blobs * GAS_PER_BLOB
    if excess + used < target:
        return 0
    if fork.is_osaka:
        reserve = BLOB_BASE_COST * (parent.base_fee_per_gas or 0)
        if reserve > GAS_PER_BLOB * blob_base_fee(excess, fork):
            return excess + used * (fork.max_blobs - fork.target_blobs) // fork.max_blobs
    return excess + used - target
