"""The answer of eth_simulateV1, written down by the process that runs it.

A small request may have a hundred thousand logs: the process that answers only passes them on.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from cvm.evm.transaction import keep_sender
from node.execution.call_outcome import CallOutcome
from node.execution.execution_chain import ExecutionChain
from node.execution.halt_words import halt_words
from node.execution.simulation import SimulatedBlock, SimulateJob
from node.execution.simulation_faults import VM_ERROR
from node.execution.trace_budget import MAX_TRACE_BYTES
from node.rpc.chain_view import BlockView
from node.rpc.encoding import block_object, data, log_object, quantity
from node.rpc.faults import ExecutionReverted, LimitExceeded
from node.rpc.json_value import JsonText, JsonValue
from node.rpc.revert_reason import revert_reason
from node.tracing.trace_jobs import json_text

CALL_BYTES, LOG_BYTES, TOPIC_BYTES = 300, 450, 70
"""Of JSON, roughly, beside the bytes that a call returns and that a log holds."""


@dataclass(frozen=True, slots=True)
class SimulatedBlocksJob:
    """Run a simulation and write down its blocks, with whole transactions where `is_full`."""

    simulation: SimulateJob
    is_full: bool = False

    def run(self, chain: ExecutionChain) -> JsonText:
        """Return the blocks; raises an `RpcError` or a `LocalFault`."""
        blocks = self.simulation.run(chain)
        validate_size(outcome for block in blocks for outcome in block.outcomes)
        return json_text([simulated_block_object(block, is_full=self.is_full) for block in blocks])


def validate_size(outcomes: Iterable[CallOutcome]) -> None:
    """Refuse more than one answer may hold, before it is written; raises `LimitExceeded`."""
    left = MAX_TRACE_BYTES
    for outcome in outcomes:
        left -= CALL_BYTES + 2 * len(outcome.output)
        for _place, log in outcome.logs:
            left -= LOG_BYTES + TOPIC_BYTES * len(log.topics) + 2 * len(log.data)
        if left < 0:
            raise LimitExceeded(
                f"what the calls return and log is over {MAX_TRACE_BYTES} bytes; ask for fewer"
            )


def simulated_block_object(found: SimulatedBlock, *, is_full: bool) -> JsonValue:
    """Return a block with what each of its calls did."""
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
