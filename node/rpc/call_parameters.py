"""The message of eth_call and eth_estimateGas, as a caller writes it."""

from collections.abc import Callable
from typing import Annotated, TypeAlias, TypeVar

from cvm.evm.transaction import AccessList, Authorization
from node.execution.call_request import CallMessage
from node.rpc.faults import BadArgument
from node.rpc.parameters import (
    parse_address,
    parse_data,
    parse_hashes,
    parse_list,
    parse_object,
    parse_storage_slot,
    parse_uint64,
    parse_uint256,
)

ValueT = TypeVar("ValueT")

ZERO_ADDRESS = bytes(20)
"""Who calls when the caller names no sender."""

NOT_TAKEN = ("blobs",)
"""Fields that would change the result and that this node's calls do not carry out."""


def parse_call(value: object) -> CallMessage:
    """Return a call object; unknown fields are ignored, as in geth."""
    fields = parse_object(value)
    for name in NOT_TAKEN:
        if fields.get(name) is not None:
            raise BadArgument(f"{name} is not available in calls here; leave it out")
    message = CallMessage(
        sender=field(fields, "from", parse_address) or ZERO_ADDRESS,
        to=field(fields, "to", parse_address),
        gas=field(fields, "gas", parse_uint64),
        gas_price=field(fields, "gasPrice", parse_uint256),
        max_fee_per_gas=field(fields, "maxFeePerGas", parse_uint256),
        max_priority_fee_per_gas=field(fields, "maxPriorityFeePerGas", parse_uint256),
        value=field(fields, "value", parse_uint256) or 0,
        data=_call_data(fields),
        access_list=field(fields, "accessList", parse_access_list),
        chain_id=field(fields, "chainId", parse_uint256),
        nonce=field(fields, "nonce", parse_uint64),
        max_fee_per_blob_gas=field(fields, "maxFeePerBlobGas", parse_uint256),
        blob_versioned_hashes=field(fields, "blobVersionedHashes", parse_hashes) or (),
        authorization_list=field(fields, "authorizationList", parse_authorizations),
    )
    _validate_fees(message)
    return message


def parse_access_list(value: object) -> AccessList:
    """Return an EIP-2930 access list."""
    return tuple(_parse_access(item) for item in parse_list(value))


def _parse_access(value: object) -> tuple[bytes, tuple[int, ...]]:
    fields = parse_object(value)
    address = field(fields, "address", parse_address)
    if address is None:
        raise BadArgument("an access list entry wants an address")
    slots = field(fields, "storageKeys", parse_hashes) or ()
    return address, tuple(int.from_bytes(slot, "big") for slot in slots)


def parse_authorizations(value: object) -> tuple[Authorization, ...]:
    """Return EIP-7702 authorizations; those whose signature is none are skipped when run."""
    return tuple([_authorization(parse_object(item)) for item in parse_list(value)])


def _authorization(fields: dict[str, object]) -> Authorization:
    address = field(fields, "address", parse_address)
    if address is None:
        raise BadArgument("an authorization wants an address")
    parity = field(fields, "yParity", parse_uint64)
    return Authorization(
        field(fields, "chainId", parse_uint256) or 0,
        address,
        field(fields, "nonce", parse_uint64) or 0,
        (field(fields, "v", parse_uint64) or 0) if parity is None else parity,
        field(fields, "r", parse_storage_slot) or 0,
        field(fields, "s", parse_storage_slot) or 0,
    )


def field(fields: dict[str, object], name: str, parse: Callable[[object], ValueT]) -> ValueT | None:
    """Return a field of an object, None where it is absent; a wrong one is named."""
    value = fields.get(name)
    if value is None:
        return None
    try:
        return parse(value)
    except BadArgument as fault:
        raise BadArgument(f"{name}: {fault}") from fault


def _call_data(fields: dict[str, object]) -> bytes:
    """Return `input`, or `data` as older callers name it."""
    current = field(fields, "input", parse_data)
    older = field(fields, "data", parse_data)
    if current is not None and older is not None and current != older:
        raise BadArgument(
            'both "data" and "input" are set and not equal. '
            'Please use "input" to pass transaction call data'
        )
    return (older if current is None else current) or b""


def _validate_fees(message: CallMessage) -> None:
    fee_cap, tip = message.max_fee_per_gas, message.max_priority_fee_per_gas
    if message.gas_price is not None and (fee_cap is not None or tip is not None):
        raise BadArgument(
            "both gasPrice and (maxFeePerGas or maxPriorityFeePerGas) specified, choose one"
        )
    if fee_cap is not None and tip is not None and fee_cap < tip:
        raise BadArgument(f"maxFeePerGas ({fee_cap}) < maxPriorityFeePerGas ({tip})")


Call: TypeAlias = Annotated[CallMessage, parse_call]
