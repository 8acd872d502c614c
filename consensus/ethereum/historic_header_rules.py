"""What a header of proof of work must show, given its parent: one function per rule.

Yellow Paper 4.3.4 with the EIPs that each function names, from Frontier to Gray Glacier. Seals
are not checked: who judges a chain by its work needs a client of that time.
"""

from consensus.ethereum.difficulty import next_difficulty
from consensus.ethereum.ethereum_header_rules import (
    validate_extra_data,
    validate_gas_limit,
    validate_gas_used,
    validate_number,
    validate_parent_hash,
    validate_timestamp,
)
from consensus.ethereum.faults import (
    FieldMissing,
    FieldOfLaterFork,
    WrongBaseFee,
    WrongDaoExtraData,
    WrongDifficulty,
)
from consensus.ethereum.historic_forks import HistoricFork
from consensus.header_rules import ELASTICITY_MULTIPLIER, INITIAL_BASE_FEE, next_base_fee
from cvm.evm.header import BlockHeader

DAO_EXTRA_DATA = b"dao-hard-fork"
DAO_EXTRA_DATA_BLOCKS = 10


def validate_historic_header(
    header: BlockHeader, parent: BlockHeader, fork: HistoricFork, dao_block: int | None = None
) -> None:
    """Check every rule that needs no body and no execution; raises an `InvalidBlock`.

    `dao_block` is the height of the DAO fork, for a chain that took it.
    """
    validate_parent_hash(header, parent)
    validate_number(header, parent)
    validate_historic_fields(header, fork)
    validate_extra_data(header)
    validate_dao_extra_data(header, dao_block)
    validate_timestamp(header, parent)
    validate_difficulty(header, parent, fork)
    validate_gas_limit(header, parent_gas_limit(parent, fork))
    validate_gas_used(header)
    if fork.is_london:
        validate_historic_base_fee(header, parent)


def validate_historic_fields(header: BlockHeader, fork: HistoricFork) -> None:
    """EIP-1559: a base fee from London on; no field of a later fork."""
    if fork.is_london and header.base_fee_per_gas is None:
        raise FieldMissing(header.block_number, "baseFeePerGas", fork.name)
    if not fork.is_london and header.base_fee_per_gas is not None:
        raise FieldOfLaterFork(header.block_number, "baseFeePerGas", fork.name)
    if header.withdrawals_root is not None:
        raise FieldOfLaterFork(header.block_number, "withdrawalsRoot", fork.name)


def validate_dao_extra_data(header: BlockHeader, dao_block: int | None) -> None:
    """EIP-779: ten blocks from the DAO fork on carry its name."""
    if dao_block is None or not 0 <= header.block_number - dao_block < DAO_EXTRA_DATA_BLOCKS:
        return
    if header.extra_data != DAO_EXTRA_DATA:
        raise WrongDaoExtraData(header.block_number, header.extra_data, DAO_EXTRA_DATA)


def validate_difficulty(header: BlockHeader, parent: BlockHeader, fork: HistoricFork) -> None:
    """Yellow Paper (41) to (46): the difficulty follows from the parent and the time."""
    expected = next_difficulty(parent, header.timestamp, fork)
    if header.difficulty != expected:
        raise WrongDifficulty(header.block_number, header.difficulty, expected)


def parent_gas_limit(parent: BlockHeader, fork: HistoricFork) -> int:
    """Return the gas limit that a child starts from: London doubles it once (EIP-1559)."""
    if fork.is_london and parent.base_fee_per_gas is None:
        return parent.gas_limit * ELASTICITY_MULTIPLIER
    return parent.gas_limit


def validate_historic_base_fee(header: BlockHeader, parent: BlockHeader) -> None:
    """EIP-1559: London's first base fee is 1 gwei, the others follow from the parent."""
    expected = INITIAL_BASE_FEE if parent.base_fee_per_gas is None else next_base_fee(parent)
    if header.base_fee_per_gas != expected:
        raise WrongBaseFee(header.block_number, header.base_fee_per_gas, expected)
