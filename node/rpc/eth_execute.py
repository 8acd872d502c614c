"""The eth_ methods that run a message without keeping what it did."""

from cvm.evm.faults import FeeCapTooLow
from cvm.evm.header import BlockHeader
from node.execution.access_list import AccessListJob
from node.execution.call_request import (
    CALL_GAS_CAP,
    CallMessage,
    CallRequest,
    CallResult,
    simulated,
)
from node.execution.halt_words import halt_words
from node.execution.messages import CallJob, EstimateJob
from node.execution.overrides import NO_BLOCK_OVERRIDES, BlockOverrides
from node.rpc.block_lookup import require_header
from node.rpc.call_parameters import Call
from node.rpc.chain_view import EthView
from node.rpc.encoding import access_list_object, data, quantity
from node.rpc.faults import ExecutionReverted, RpcError, ServerError
from node.rpc.fees import base_fee
from node.rpc.override_parameters import Blocks, States
from node.rpc.parameters import Block, BlockTag
from node.rpc.registry import JsonValue, rpc_method
from node.rpc.revert_reason import revert_reason


@rpc_method("eth_call")
async def call(
    chain: EthView,
    message: Call,
    block: Block = BlockTag.LATEST,
    state: States = (),
    overrides: Blocks = NO_BLOCK_OVERRIDES,
) -> str:
    """Run a message on the state after a block and return its output.

    One that cannot start at all is refused with the gas that it had, as in geth.
    """
    header = require_header(chain, block)
    request = call_request(message, chain.chain_id, header, overrides)
    result = await chain.execute(CallJob(header.hash, request, state, overrides))
    if result.error is not None and result.gas_used == 0:
        gas = simulated(request, CALL_GAS_CAP).gas
        raise ServerError(f"err: {result.error} (supplied gas {gas})")
    if result.error is not None or result.reverted:
        raise call_error(result)
    return data(result.output)


@rpc_method("eth_estimateGas")
async def estimate_gas(
    chain: EthView,
    message: Call,
    block: Block = BlockTag.PENDING,
    state: States = (),
    overrides: Blocks = NO_BLOCK_OVERRIDES,
) -> str:
    """Return the least gas limit with which a message succeeds."""
    header = require_header(chain, block)
    request = call_request(message, chain.chain_id, header, overrides)
    estimate = await chain.execute(EstimateJob(header.hash, request, state, overrides))
    if isinstance(estimate, CallResult):
        raise call_error(estimate)
    return quantity(estimate)


@rpc_method("eth_createAccessList")
async def create_access_list(
    chain: EthView, message: Call, block: Block = BlockTag.LATEST, state: States = ()
) -> JsonValue:
    """Return the access list of a message, and the gas that it uses with it."""
    header = require_header(chain, block)
    request = call_request(message, chain.chain_id, header)
    found = await chain.execute(AccessListJob(header.hash, request, state))
    if found.error is not None and found.gas_used == 0:
        raise ServerError(f"failed to apply transaction: err: {found.error}")
    result: dict[str, JsonValue] = {
        "accessList": access_list_object(found.access_list),
        "gasUsed": quantity(found.gas_used),
    }
    return result if found.error is None else result | {"error": halt_words(found.error)}


def call_request(
    message: CallMessage,
    chain_id: int,
    header: BlockHeader,
    overrides: BlockOverrides = NO_BLOCK_OVERRIDES,
) -> CallRequest:
    """Return the message with its effective gas price; raises `ServerError` or `FeeCapTooLow`."""
    if message.chain_id is not None and message.chain_id != chain_id:
        raise ServerError(
            f"chainId does not match node's (have={message.chain_id}, want={chain_id})"
        )
    return CallRequest(
        sender=message.sender,
        to=message.to,
        gas=message.gas,
        gas_price=_effective_price(
            message, base_fee(header) if overrides.base_fee is None else overrides.base_fee
        ),
        value=message.value,
        data=message.data,
        access_list=message.access_list or (),
        blob_versioned_hashes=message.blob_versioned_hashes,
        authorization_list=message.authorization_list or (),
    )


def call_error(result: CallResult) -> RpcError:
    """Return the error that a failed message is answered with."""
    if result.reverted:
        return ExecutionReverted(revert_reason(result.output), data(result.output))
    return ServerError(halt_words(str(result.error)))


def _effective_price(message: CallMessage, fee: int) -> int:
    """Return the price that GASPRICE shows: 0 where the caller named none (EIP-1559, geth)."""
    cap = message.max_fee_per_gas if message.gas_price is None else message.gas_price
    tip = message.max_priority_fee_per_gas or 0
    if cap is None and tip:
        cap = fee + tip
    if not cap:
        return 0
    if cap < fee:
        raise FeeCapTooLow(cap, fee)
    return cap if message.gas_price is not None else min(cap, fee + tip)
