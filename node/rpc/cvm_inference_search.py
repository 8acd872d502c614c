"""The cvm_ method that looks for inferences in past blocks."""

from dataclasses import dataclass
from typing import Annotated, TypeAlias

from cvm.evm.header import BlockHeader
from node.rpc.chain_view import BlockView, ChainView
from node.rpc.cvm_inferences import gas_object
from node.rpc.encoding import data, quantity
from node.rpc.faults import BadArgument, LimitExceeded, ServerError
from node.rpc.fees import effective_gas_price
from node.rpc.log_filter import BlockRange
from node.rpc.log_search import resolve_range
from node.rpc.parameters import (
    BlockTag,
    parse_address,
    parse_block_number,
    parse_hash,
    parse_object,
    shown,
)
from node.rpc.registry import JsonValue, rpc_method
from node.rpc.turns import Slices
from opcodes.inference_trace import InferenceTrace

MAX_GAS = 100_000_000
"""Of blocks that one search runs again; an empty block costs nothing."""

MAX_FOUND = 1_000
OPTIONS = ("fromBlock", "toBlock", "modelId", "owner", "from", "to")


@dataclass(frozen=True, slots=True)
class InferenceFilter:
    """Which inferences a caller wants; None lets everything through."""

    blocks: BlockRange
    model_id: bytes | None
    owner: bytes | None
    sender: bytes | None
    to: bytes | None


def parse_inference_filter(value: object) -> InferenceFilter:
    """Return the filter of cvm_getInferences."""
    fields = parse_object(value)
    unknown = sorted(fields.keys() - set(OPTIONS))
    if unknown:
        raise BadArgument(f"unknown option {shown(unknown[0])}; want some of {', '.join(OPTIONS)}")
    first, last = fields.get("fromBlock"), fields.get("toBlock")
    model_id, owner = fields.get("modelId"), fields.get("owner")
    sender, to = fields.get("from"), fields.get("to")
    return InferenceFilter(
        BlockRange(
            BlockTag.LATEST if first is None else parse_block_number(first),
            BlockTag.LATEST if last is None else parse_block_number(last),
        ),
        None if model_id is None else parse_hash(model_id),
        None if owner is None else parse_address(owner),
        None if sender is None else parse_address(sender),
        None if to is None else parse_address(to),
    )


InferenceSearch: TypeAlias = Annotated[InferenceFilter, parse_inference_filter]


@rpc_method("cvm_getInferences")
async def get_inferences(chain: ChainView, wanted: InferenceSearch) -> list[JsonValue]:
    """Return the inferences of a range of blocks, which run again for it; no bytes, only hashes.

    A filter has `fromBlock`, `toBlock` (the newest block unless told otherwise), `modelId`, the
    `owner` who was paid, and `from` and `to` of the transaction.
    """
    first, last = resolve_range(chain, wanted.blocks)
    found: list[JsonValue] = []
    gas = 0
    slices = Slices()
    for number in range(first, last + 1):
        await slices.pause()
        header = chain.header_by_number(number)
        if header is None:
            raise ServerError(f"block {number} is not here: this chain starts from a later state")
        if not header.gas_used:
            continue
        gas += header.gas_used
        if (gas > MAX_GAS and number > first) or len(found) > MAX_FOUND:
            raise _too_much(first, number - 1)
        found += await _inferences_in(chain, header, wanted)
    return found


async def _inferences_in(
    chain: ChainView, header: BlockHeader, wanted: InferenceFilter
) -> list[JsonValue]:
    block = chain.block_by_hash(header.hash)
    if block is None or not any(_may_be_wanted(block, i, wanted) for i in _indices(block)):
        return []
    traces = await chain.block_inferences(header.hash)
    return [
        _found_object(block, tx_index, trace)
        for tx_index, trace in traces
        if _may_be_wanted(block, tx_index, wanted) and _is_wanted(trace, wanted)
    ]


def _indices(block: BlockView) -> range:
    return range(len(block.transactions))


def _may_be_wanted(block: BlockView, index: int, wanted: InferenceFilter) -> bool:
    tx = block.transactions[index]
    return wanted.to in (None, tx.to) and (wanted.sender is None or tx.sender == wanted.sender)


def _is_wanted(trace: InferenceTrace, wanted: InferenceFilter) -> bool:
    call = trace.call
    return wanted.model_id in (None, call.model_id) and wanted.owner in (None, call.owner)


def _found_object(block: BlockView, tx_index: int, trace: InferenceTrace) -> JsonValue:
    tx, call = block.transactions[tx_index], trace.call
    price = effective_gas_price(tx, block.header)
    return {
        "blockHash": data(block.header.hash),
        "blockNumber": quantity(block.header.block_number),
        "transactionHash": data(tx.hash),
        "transactionIndex": quantity(tx_index),
        "index": quantity(trace.index),
        "modelId": data(call.model_id),
        "owner": data(call.owner) if call.owner else None,
        "ok": call.ok,
        "hasRun": call.has_run,
        "gas": gas_object(call.gas),
        "royaltyPaid": quantity(trace.royalty_wei(price)),
        "inputSize": quantity(len(call.input)),
        "inputHash": data(trace.input_hash),
        "outputSize": quantity(len(call.output)),
        "outputHash": data(trace.output_hash),
    }


def _too_much(first: int, last: int) -> LimitExceeded:
    return LimitExceeded(
        f"the blocks hold more than {MAX_GAS} gas or {MAX_FOUND} inferences; "
        f"ask for blocks {first:#x} to {max(first, last):#x}, then for the rest"
    )
