"""The cvm_ method that runs one model, as eth_call runs a contract."""

from node.execution.call_request import CallRequest
from node.execution.messages import CallJob
from node.rpc.block_lookup import require_header
from node.rpc.call_parameters import ZERO_ADDRESS
from node.rpc.chain_view import ChainView
from node.rpc.encoding import data, quantity
from node.rpc.eth_execute import call_error
from node.rpc.parameters import Block, BlockTag, Data, Hash
from node.rpc.registry import JsonValue, rpc_method
from opcodes.table import INFER_ADDRESS


@rpc_method("cvm_infer")
async def infer(
    chain: ChainView, model_id: Hash, inputs: Data, block: Block = BlockTag.LATEST
) -> JsonValue:
    """Return what an ACTIVE model makes of a batch, packed as contracts see it, and the gas.

    The gas is that of a transaction which calls the precompile with nothing else.
    """
    header = require_header(chain, block)
    request = CallRequest(ZERO_ADDRESS, INFER_ADDRESS, None, 0, 0, model_id + inputs)
    result = await chain.execute(CallJob(header.hash, request))
    if result.error is not None:
        raise call_error(result)
    return {"output": data(result.output), "gasUsed": quantity(result.gas_used)}
