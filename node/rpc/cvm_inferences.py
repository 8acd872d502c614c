"""The cvm_ method that shows what a past transaction inferred."""

from collections.abc import Iterable
from typing import Annotated, TypeAlias

from cvm.inference.engine import NodeTrace
from node.rpc.chain_view import ChainView, TraceRequest
from node.rpc.encoding import data, quantity
from node.rpc.faults import BadArgument, ServerError
from node.rpc.fees import effective_gas_price
from node.rpc.parameters import Hash, parse_flag, parse_object, parse_uint64, shown
from node.rpc.registry import JsonValue, rpc_method
from opcodes.gas import InferenceGas
from opcodes.inference_trace import InferenceTrace

MAX_SHOWN_BYTES = 8 * 1024 * 1024
"""Of inputs and outputs in one answer; past it they are null, and asked for one by one.

One call stays under it: 2**24 gas pay for less than 3 MiB of memory, and outputs end at 1 MiB.
"""


def parse_trace_request(value: object) -> TraceRequest:
    """Return the options of a trace: `nodes` and `index`, both optional."""
    given = parse_object(value)
    unknown = sorted(given.keys() - {"nodes", "index"})
    if unknown:
        raise BadArgument(f"unknown option {shown(unknown[0])}; want nodes or index")
    index = given.get("index")
    return TraceRequest(
        nodes=parse_flag(given.get("nodes", False)),
        index=None if index is None else parse_uint64(index),
    )


Trace: TypeAlias = Annotated[TraceRequest, parse_trace_request]
EVERYTHING = TraceRequest()


@rpc_method("cvm_traceInference")
async def trace_inference(
    chain: ChainView, tx_hash: Hash, request: Trace = EVERYTHING
) -> JsonValue:
    """Run an included transaction again and return its inferences, in order."""
    location = chain.transaction_location(tx_hash)
    block = None if location is None else chain.block_by_hash(location.block_hash)
    if location is None or block is None:
        raise ServerError(f"transaction {data(tx_hash)} not found")
    traces = await chain.trace_inferences(location, request)
    price = effective_gas_price(block.transactions[location.index], block.header)
    return {
        "transactionHash": data(tx_hash),
        "blockHash": data(location.block_hash),
        "blockNumber": quantity(block.header.block_number),
        "transactionIndex": quantity(location.index),
        "inferences": list(_trace_objects(traces, price)),
    }


def _trace_objects(traces: Iterable[InferenceTrace], price: int) -> Iterable[JsonValue]:
    """Yield each inference, with its bytes while all of them together keep the bound."""
    shown_bytes = 0
    for trace in traces:
        call = trace.call
        shown_bytes += len(call.input) + len(call.output)
        fits = shown_bytes <= MAX_SHOWN_BYTES
        yield {
            "index": quantity(trace.index),
            "modelId": data(call.model_id),
            "owner": data(call.owner) if call.owner else None,
            "ok": call.ok,
            "hasRun": call.has_run,
            "gas": gas_object(call.gas),
            "royaltyPaid": quantity(trace.royalty_wei(price)),
            "inputSize": quantity(len(call.input)),
            "inputHash": data(trace.input_hash),
            "input": data(call.input) if fits else None,
            "outputSize": quantity(len(call.output)),
            "outputHash": data(trace.output_hash),
            "output": data(call.output) if fits else None,
            "nodes": None if trace.nodes is None else [_node_object(n) for n in trace.nodes],
        }


def gas_object(gas: InferenceGas) -> dict[str, JsonValue]:
    """Return what a call is charged, part by part and in all."""
    return {
        "base": quantity(gas.base),
        "load": quantity(gas.load),
        "compute": quantity(gas.compute),
        "royalty": quantity(gas.royalty),
        "bytes": quantity(gas.io_bytes),
        "total": quantity(gas.total),
    }


def _node_object(node: NodeTrace) -> JsonValue:
    return {"name": node.name, "opType": node.op_type, "outputHash": f"0x{node.sha256}"}
