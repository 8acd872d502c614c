"""The eth_ methods that run a message without keeping what it did."""

from cvm.evm.faults import FeeCapTooLow
from cvm.evm.header import BlockHeader
from node.execution.call_request import CallRequest, CallResult
from node.execution.messages import CallJob, EstimateJob
from node.rpc.block_lookup import require_header
from node.rpc.call_parameters import Call, CallMessage
from node.rpc.chain_view import EthView
from node.rpc.encoding import data, quantity
from node.rpc.faults import ExecutionReverted, RpcError, ServerError
from node.rpc.fees import base_fee
from node.rpc.parameters import Block, BlockTag
from node.rpc.registry import rpc_method
from node.rpc.revert_reason import revert_reason


@rpc_method("eth_call")
async def call(chain: EthView, message: Call, block: Block = BlockTag.LATEST) -> str:
    """Run a message on the state after a block and return its output."""
    header = require_header(chain, block)
    request = call_request(message, chain.chain_id, header)
    result = await chain.execute(CallJob(header.hash, request))
    if result.error is not None or result.reverted:
        raise call_error(result)
    return data(result.output)


@rpc_method("eth_estimateGas")
async def estimate_gas(chain: EthView, message: Call, block: Block = BlockTag.PENDING) -> str:
    """Return the least gas limit with which a message succeeds."""
    header = require_header(chain, block)
    request = call_request(message, chain.chain_id, header)
    estimate = await chain.execute(EstimateJob(header.hash, request))
    if isinstance(estimate, CallResult):
        raise call_error(estimate)
    return quantity(estimate)


def call_request(message: CallMessage, chain_id: int, header: BlockHeader) -> CallRequest:
    """Return the message with its effective gas price; raises `ServerError` or `FeeCapTooLow`."""
    if message.chain_id is not None and message.chain_id != chain_id:
        raise ServerError(
            f"chainId does not match node's (have={message.chain_id}, want={chain_id})"
        )
    return CallRequest(
        sender=message.sender,
        to=message.to,
        gas=message.gas,
        gas_price=_effective_price(message, base_fee(header)),
        value=message.value,
        data=message.data,
        access_list=message.access_list,
    )


def call_error(result: CallResult) -> RpcError:
    """Return the error that a failed message is answered with."""
    if result.reverted:
        return ExecutionReverted(revert_reason(result.output), data(result.output))
    return ServerError(str(result.error))


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
