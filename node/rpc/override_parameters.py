"""State and block overrides, as callers of eth_call and its kin write them."""

from collections.abc import Callable
from typing import Annotated, TypeAlias

from consensus.withdrawal import Withdrawal
from node.execution.overrides import AccountOverride, BlockOverrides, Slots, StateOverrides
from node.rpc.call_parameters import ValueT, field
from node.rpc.faults import BadArgument
from node.rpc.parameters import (
    parse_address,
    parse_data,
    parse_hash,
    parse_list,
    parse_object,
    parse_uint64,
    parse_uint256,
)


def parse_state_overrides(value: object) -> StateOverrides:
    """Return an object of accounts; unknown fields are ignored, as in geth."""
    return tuple(
        [_account_override(parse_address(key), item) for key, item in parse_object(value).items()]
    )


def _account_override(address: bytes, value: object) -> AccountOverride:
    fields = parse_object(value)
    return AccountOverride(
        address,
        nonce=field(fields, "nonce", parse_uint64),
        code=field(fields, "code", parse_data),
        balance=field(fields, "balance", parse_uint256),
        state=field(fields, "state", parse_slots),
        state_diff=field(fields, "stateDiff", parse_slots),
        moves_to=field(fields, "movePrecompileToAddress", parse_address),
    )


def parse_slots(value: object) -> Slots:
    """Return an object of slots and values, 32 bytes each."""
    return tuple(
        [
            (int.from_bytes(parse_hash(slot)), int.from_bytes(parse_hash(word)))
            for slot, word in parse_object(value).items()
        ]
    )


def parse_block_overrides(value: object) -> BlockOverrides:
    """Return what is set of a block; geth's older names of fields are taken too."""
    fields = parse_object(value)
    return BlockOverrides(
        number=field(fields, "number", parse_uint64),
        difficulty=field(fields, "difficulty", parse_uint256),
        timestamp=either(fields, ("time", "timestamp"), parse_uint64),
        gas_limit=field(fields, "gasLimit", parse_uint64),
        coinbase=either(fields, ("feeRecipient", "coinbase"), parse_address),
        prev_randao=either(fields, ("prevRandao", "random"), parse_hash),
        base_fee=either(fields, ("baseFeePerGas", "baseFee"), parse_uint256),
        blob_base_fee=field(fields, "blobBaseFee", parse_uint256),
        beacon_root=field(fields, "beaconRoot", parse_hash),
        withdrawals=field(fields, "withdrawals", parse_withdrawals),
    )


def either(
    fields: dict[str, object], names: tuple[str, str], parse: Callable[[object], ValueT]
) -> ValueT | None:
    """Return the field of the first name that is there."""
    current, older = names
    found = field(fields, current, parse)
    return field(fields, older, parse) if found is None else found


def parse_withdrawals(value: object) -> tuple[Withdrawal, ...]:
    """Return EIP-4895 withdrawals; amounts are in gwei."""
    return tuple([_withdrawal(parse_object(item)) for item in parse_list(value)])


def _withdrawal(fields: dict[str, object]) -> Withdrawal:
    address = field(fields, "address", parse_address)
    if address is None:
        raise BadArgument("a withdrawal wants an address")
    return Withdrawal(
        field(fields, "index", parse_uint64) or 0,
        field(fields, "validatorIndex", parse_uint64) or 0,
        address,
        field(fields, "amount", parse_uint64) or 0,
    )


States: TypeAlias = Annotated[StateOverrides, parse_state_overrides]
Blocks: TypeAlias = Annotated[BlockOverrides, parse_block_overrides]
