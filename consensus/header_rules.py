"""What a header must show, given its parent: one function per rule (PROTOCOL section 1)."""

from collections.abc import Sequence
from dataclasses import dataclass

from consensus.block import (
    EMPTY_OMMERS_HASH,
    ZERO_NONCE,
)
from consensus.faults import (
    CoinbaseNotValidator,
    ExtraDataTooLong,
    HeaderFieldWrong,
    TimestampTooEarly,
)
from consensus.parameters import ChainParameters
from consensus.withdrawal import block_reward, withdrawals_root
from cvm.evm.header import BlockHeader
from cvm.evm.keccak import keccak256

MAX_EXTRA_DATA_BYTES = 32
ELASTICITY_MULTIPLIER = 2  # EIP-1559
BASE_FEE_MAX_CHANGE_DENOMINATOR = 8
INITIAL_BASE_FEE = 1_000_000_000


@dataclass(frozen=True, slots=True)
class DerivedFields:
    """The header fields that follow from the parent alone."""

    number: int
    parent_hash: bytes
    base_fee: int
    prev_randao: bytes
    parent_beacon_block_root: bytes
    earliest_timestamp: int


def derive_fields(
    parent: BlockHeader, parent_certificate_hash: bytes, parameters: ChainParameters
) -> DerivedFields:
    """Return what the child of `parent` must show; the certificate hash is zero at height 1."""
    number = parent.block_number + 1
    return DerivedFields(
        number=number,
        parent_hash=parent.hash,
        base_fee=next_base_fee(parent),
        prev_randao=keccak256(parent.mix_hash + number.to_bytes(32, "big")),
        parent_beacon_block_root=parent_certificate_hash,
        earliest_timestamp=parent.timestamp + parameters.period_s,
    )


def next_base_fee(parent: BlockHeader) -> int:
    """Return the child's base fee in wei per gas (EIP-1559)."""
    base_fee = parent.base_fee_per_gas or 0
    target = parent.gas_limit // ELASTICITY_MULTIPLIER
    used = parent.gas_used
    if used == target:
        return base_fee
    change = base_fee * abs(used - target) // target // BASE_FEE_MAX_CHANGE_DENOMINATOR
    return base_fee + max(change, 1) if used > target else base_fee - change


def validate_header(
    header: BlockHeader, derived: DerivedFields, parameters: ChainParameters
) -> None:
    """Check every rule that needs no execution; raises an `InvalidBlock`."""
    validate_derived(header, derived)
    validate_constants(header, parameters)
    validate_reward(header, parameters)
    validate_timestamp(header, derived)
    validate_extra_data(header)


def validate_derived(header: BlockHeader, derived: DerivedFields) -> None:
    """Check the fields that follow from the parent."""
    expect(header, "number", header.block_number, derived.number)
    expect(header, "parentHash", header.parent_hash, derived.parent_hash)
    expect(header, "baseFeePerGas", header.base_fee_per_gas, derived.base_fee)
    expect(header, "prevRandao", header.mix_hash, derived.prev_randao)
    expect(
        header,
        "parentBeaconBlockRoot",
        header.parent_beacon_block_root,
        derived.parent_beacon_block_root,
    )


def validate_constants(header: BlockHeader, parameters: ChainParameters) -> None:
    """Check the fields that are the same in every header."""
    expect(header, "gasLimit", header.gas_limit, parameters.block_gas_limit)
    expect(header, "difficulty", header.difficulty, 0)
    expect(header, "nonce", header.nonce, ZERO_NONCE)
    expect(header, "sha3Uncles", header.uncles_hash, EMPTY_OMMERS_HASH)
    expect(header, "blobGasUsed", header.blob_gas_used, 0)
    expect(header, "excessBlobGas", header.excess_blob_gas, 0)


def validate_reward(header: BlockHeader, parameters: ChainParameters) -> None:
    """Check that the withdrawals are the one reward of the coinbase, or none (EIP-4895)."""
    reward = block_reward(parameters, header.block_number, header.coinbase)
    expect(header, "withdrawalsRoot", header.withdrawals_root, withdrawals_root(reward))


def validate_coinbase(number: int, coinbase: bytes, validators: Sequence[bytes]) -> None:
    """Check that the coinbase is a validator of the height; raises `CoinbaseNotValidator`.

    Which of them is a rule of rounds, and headers hold no round: QBFT sees to it.
    """
    if coinbase not in validators:
        raise CoinbaseNotValidator(number, coinbase, len(validators))


def validate_timestamp(header: BlockHeader, derived: DerivedFields) -> None:
    """Header time >= parent + period."""
    if header.timestamp < derived.earliest_timestamp:
        raise TimestampTooEarly(header.block_number, header.timestamp, derived.earliest_timestamp)


def validate_extra_data(header: BlockHeader) -> None:
    """`extraData` <= 32 bytes, as every EVM client demands."""
    if len(header.extra_data) > MAX_EXTRA_DATA_BYTES:
        raise ExtraDataTooLong(header.block_number, len(header.extra_data), MAX_EXTRA_DATA_BYTES)


def expect(header: BlockHeader, field: str, actual: object, expected: object) -> None:
    """Raise `HeaderFieldWrong` unless a field has its only right value."""
    if actual != expected:
        raise HeaderFieldWrong(header.block_number, field, actual, expected)
