"""The eth_ method that makes up blocks of calls, without keeping what they did."""

from collections.abc import Mapping
from typing import Annotated, TypeAlias

from cvm.evm.transaction import keep_sender
from node.execution.call_outcome import CallOutcome
from node.execution.halt_words import halt_words
from node.execution.overrides import NO_BLOCK_OVERRIDES
from node.execution.simulation import MAX_BLOCKS, BlockOfCalls, SimulatedBlock, SimulateJob
from node.execution.simulation_faults import VM_ERROR, TooManyBlocks
from node.rpc.block_lookup import require_header
from node.rpc.call_parameters import field, parse_call
from node.rpc.chain_view import BlockView, EthView
from node.rpc.encoding import block_object, data, log_object, quantity
from node.rpc.faults import ExecutionReverted, InvalidParams
from node.rpc.override_parameters import parse_block_overrides, parse_state_overrides
from node.rpc.parameters import Block, BlockTag, parse_flag, parse_list, parse_object
from node.rpc.registry import JsonValue, rpc_method
from node.rpc.revert_reason import revert_reason

Payload = Mapping[str, object]


def parse_blocks(value: object) -> tuple[BlockOfCalls, ...]:
    """Return the blocks of a simulation."""
    return tuple([_block_of_calls(parse_object(item)) for item in parse_list(value)])


def _block_of_calls(fields: dict[str, object]) -> BlockOfCalls:
    return BlockOfCalls(
        field(fields, "blockOverrides", parse_block_overrides) or NO_BLOCK_OVERRIDES,
        field(fields, "stateOverrides", parse_state_overrides) or (),
        field(fields, "calls", lambda calls: tuple(map(parse_call, parse_list(calls)))) or (),
    )


def parse_options(value: object) -> dict[str, object]:
    """Return the options of a simulation, each to be parsed by itself."""
    return parse_object(value)


Options: TypeAlias = Annotated[dict[str, object], parse_options]


@rpc_method("eth_simulateV1")
async def simulate(chain: EthView, options: Options, block: Block = BlockTag.LATEST) -> JsonValue:
    """Run blocks of calls on the state after a block, and return the blocks that they make."""
    blocks = field(options, "blockStateCalls", parse_blocks) or ()
    if not blocks:
        raise InvalidParams("empty input")
    if len(blocks) > MAX_BLOCKS:
        raise TooManyBlocks
    header = require_header(chain, block)
    job = SimulateJob(
        header.hash,
        blocks,
        validates=field(options, "validation", parse_flag) or False,
        traces_transfers=field(options, "traceTransfers", parse_flag) or False,
    )
    is_full = field(options, "returnFullTransactions", parse_flag) or False
    return [_block_object(found, is_full=is_full) for found in await chain.execute(job)]


def _block_object(found: SimulatedBlock, *, is_full: bool) -> JsonValue:
    block = found.block
    for tx, sender in zip(block.transactions, found.senders, strict=True):
        keep_sender(tx, sender)
    view = BlockView(block.header, block.transactions, block.withdrawals or (), len(block.encode()))
    calls = [_call_object(outcome, found, place) for place, outcome in enumerate(found.outcomes)]
    return block_object(view, is_full=is_full) | {"calls": calls}


def _call_object(outcome: CallOutcome, found: SimulatedBlock, place: int) -> JsonValue:
    tx, header = found.block.transactions[place], found.block.header
    result: dict[str, JsonValue] = {
        "returnData": data(outcome.output),
        "logs": [
            log_object(log, header, tx.hash, place, log_index) for log_index, log in outcome.logs
        ],
        "gasUsed": quantity(outcome.gas_used),
        "maxUsedGas": quantity(outcome.max_gas_used),
        "status": quantity(int(outcome.error is None)),
    }
    if outcome.reverted:
        fault = ExecutionReverted(revert_reason(outcome.output), data(outcome.output))
        result["error"] = {"message": fault.message, "code": fault.code, "data": fault.data}
    elif outcome.error is not None:
        result["error"] = {"message": halt_words(outcome.error), "code": VM_ERROR}
    return result
