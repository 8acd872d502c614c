"""What a plain Ethereum header must show, given its parent: one function per rule.

Yellow Paper 4.3.4 with the EIPs that each function names, from Paris on.
"""

from consensus.block import ZERO_NONCE
from consensus.ethereum.blob_gas_rules import next_excess_blob_gas
from consensus.ethereum.faults import (
    BlobGasAboveLimit,
    BlobGasNotWhole,
    DifficultyNotZero,
    FieldMissing,
    FieldOfLaterFork,
    GasLimitJumps,
    GasLimitTooHigh,
    GasLimitTooLow,
    GasUsedAboveLimit,
    NonceNotZero,
    OmmersNotEmpty,
    TimestampNotLater,
    WrongBaseFee,
    WrongExcessBlobGas,
    WrongNumber,
    WrongParentHash,
)
from consensus.faults import ExtraDataTooLong
from consensus.header_rules import MAX_EXTRA_DATA_BYTES, next_base_fee
from consensus.parameters import MIN_GAS_LIMIT
from cvm.evm.blob_gas import GAS_PER_BLOB
from cvm.evm.forks import Fork
from cvm.evm.header import EMPTY_UNCLES_HASH, BlockHeader
from cvm.evm.machine_limits import MAX_GAS_LIMIT

GAS_LIMIT_QUOTIENT = 1_024


def validate_ethereum_header(header: BlockHeader, parent: BlockHeader, fork: Fork) -> None:
    """Check every rule that needs no body and no execution; raises an `InvalidBlock`."""
    validate_parent_hash(header, parent)
    validate_number(header, parent)
    validate_fields(header, fork)
    validate_extra_data(header)
    validate_timestamp(header, parent)
    validate_difficulty(header)
    validate_nonce(header)
    validate_ommers_hash(header)
    validate_gas_limit(header, parent.gas_limit)
    validate_gas_used(header)
    validate_base_fee(header, parent)
    if fork.is_cancun:
        validate_excess_blob_gas(header, parent, fork)
        validate_blob_gas_used(header, fork)


def validate_parent_hash(header: BlockHeader, parent: BlockHeader) -> None:
    """Demand the hash of the parent."""
    if header.parent_hash != parent.hash:
        raise WrongParentHash(header.block_number, header.parent_hash, parent.hash)


def validate_number(header: BlockHeader, parent: BlockHeader) -> None:
    """Demand the parent's height plus one."""
    if header.block_number != parent.block_number + 1:
        raise WrongNumber(header.block_number, header.block_number, parent.block_number + 1)


def validate_fields(header: BlockHeader, fork: Fork) -> None:
    """Demand the fields of the fork, and none of a later one."""
    fields: tuple[tuple[str, object, bool], ...] = (
        ("baseFeePerGas", header.base_fee_per_gas, True),  # EIP-1559
        ("withdrawalsRoot", header.withdrawals_root, fork.is_shanghai),  # EIP-4895
        ("blobGasUsed", header.blob_gas_used, fork.is_cancun),  # EIP-4844
        ("excessBlobGas", header.excess_blob_gas, fork.is_cancun),
        ("parentBeaconBlockRoot", header.parent_beacon_block_root, fork.is_cancun),  # EIP-4788
        ("requestsHash", header.requests_hash, fork.is_prague),  # EIP-7685
    )
    for name, value, is_expected in fields:
        if is_expected and value is None:
            raise FieldMissing(header.block_number, name, fork.name)
        if value is not None and not is_expected:
            raise FieldOfLaterFork(header.block_number, name, fork.name)


def validate_extra_data(header: BlockHeader) -> None:
    """`extraData` <= 32 bytes."""
    if len(header.extra_data) > MAX_EXTRA_DATA_BYTES:
        raise ExtraDataTooLong(header.block_number, len(header.extra_data), MAX_EXTRA_DATA_BYTES)


def validate_timestamp(header: BlockHeader, parent: BlockHeader) -> None:
    """Header time > parent's."""
    if header.timestamp <= parent.timestamp:
        raise TimestampNotLater(header.block_number, header.timestamp, parent.timestamp)


def validate_difficulty(header: BlockHeader) -> None:
    """EIP-3675: the difficulty is 0."""
    if header.difficulty:
        raise DifficultyNotZero(header.block_number, header.difficulty, 0)


def validate_nonce(header: BlockHeader) -> None:
    """EIP-3675: the nonce is 0."""
    if header.nonce != ZERO_NONCE:
        raise NonceNotZero(header.block_number, header.nonce, ZERO_NONCE)


def validate_ommers_hash(header: BlockHeader) -> None:
    """EIP-3675: the list of ommers is empty."""
    if header.uncles_hash != EMPTY_UNCLES_HASH:
        raise OmmersNotEmpty(header.block_number, header.uncles_hash, EMPTY_UNCLES_HASH)


def validate_gas_limit(header: BlockHeader, parent_gas_limit: int) -> None:
    """5,000 to 2**63 - 1, and nearer to the parent's than 1/1024 of it."""
    if header.gas_limit < MIN_GAS_LIMIT:
        raise GasLimitTooLow(header.block_number, header.gas_limit, MIN_GAS_LIMIT)
    if header.gas_limit > MAX_GAS_LIMIT:
        raise GasLimitTooHigh(header.block_number, header.gas_limit, MAX_GAS_LIMIT)
    difference = abs(header.gas_limit - parent_gas_limit)
    if difference >= parent_gas_limit // GAS_LIMIT_QUOTIENT:
        raise GasLimitJumps(header.block_number, header.gas_limit, parent_gas_limit)


def validate_gas_used(header: BlockHeader) -> None:
    """Gas used <= gas limit."""
    if header.gas_used > header.gas_limit:
        raise GasUsedAboveLimit(header.block_number, header.gas_used, header.gas_limit)


def validate_base_fee(header: BlockHeader, parent: BlockHeader) -> None:
    """EIP-1559: the base fee follows from the parent."""
    expected = next_base_fee(parent)
    if header.base_fee_per_gas != expected:
        raise WrongBaseFee(header.block_number, header.base_fee_per_gas, expected)


def validate_excess_blob_gas(header: BlockHeader, parent: BlockHeader, fork: Fork) -> None:
    """EIP-4844: the excess follows from the parent, with the numbers of the child's fork."""
    expected = next_excess_blob_gas(parent, fork)
    if header.excess_blob_gas != expected:
        raise WrongExcessBlobGas(header.block_number, header.excess_blob_gas, expected)


def validate_blob_gas_used(header: BlockHeader, fork: Fork) -> None:
    """EIP-4844: blob gas is that of whole blobs, and of no more than a block holds."""
    used, limit = header.blob_gas_used or 0, fork.max_blobs * GAS_PER_BLOB
    if used > limit:
        raise BlobGasAboveLimit(header.block_number, used, limit)
    if used % GAS_PER_BLOB:
        raise BlobGasNotWhole(header.block_number, used, GAS_PER_BLOB)
