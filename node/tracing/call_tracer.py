"""callTracer: the tree of calls in geth's form (go-ethereum, eth/tracers/native/call.go).

An inference is a frame of type INFER: `modelId`, `input`, `output`, `gas` and `gasUsed`, all of
which it was charged; it has no `to` and no `value`.
"""

from dataclasses import dataclass

from cvm.evm.message_rules import REVERTED
from node.execution.trace_budget import TraceBudget
from node.rpc.encoding import data, quantity
from node.rpc.json_value import JsonValue
from node.rpc.revert_reason import revert_reason
from node.tracing.call_recorder import CallFrame, CallRecorder, FrameLog
from node.tracing.trace_words import MODEL_ERROR, geth_error, invalid_opcode_name
from node.tracing.transaction_tracer import TraceEnd

SELECTOR_BYTES = 4


@dataclass(frozen=True, slots=True)
class CallTracerOptions:
    """What callTracer shows."""

    only_top_call: bool = False
    with_log: bool = False


class CallTracer(CallRecorder):
    """See `transaction_tracer.TransactionTracer`."""

    def __init__(self, options: CallTracerOptions, budget: TraceBudget) -> None:
        super().__init__(budget, with_logs=options.with_log)
        self._options = options

    def result(self, end: TraceEnd) -> JsonValue:
        """Return the outermost frame with what it called."""
        root, start = self.root, self.start
        if root is None or start is None:
            return None
        root.gas, root.gas_used = start.gas, end.gas_used
        if self._options.only_top_call:
            root.calls.clear()
        numbers = log_numbers(root, start.first_log)
        return frame_object(root, numbers)


def log_numbers(root: CallFrame, first: int) -> dict[int, int]:
    """Return the number in the block of each log that stays, by its order."""
    orders, waiting = [], [root]
    while waiting:
        frame = waiting.pop()
        orders += [log.order for log in frame.logs]
        waiting += frame.calls
    return {order: first + place for place, order in enumerate(sorted(orders))}


def frame_object(frame: CallFrame, numbers: dict[int, int]) -> dict[str, JsonValue]:
    """Return a frame with what it called."""
    result: dict[str, JsonValue] = {
        "from": data(frame.sender),
        "gas": quantity(frame.gas),
        "gasUsed": quantity(frame.gas_used),
        "input": data(frame.input),
        "type": frame.kind,
    }
    if frame.to and not (frame.is_creation and frame.error):
        result["to"] = data(frame.to)
    if frame.value is not None:
        result["value"] = quantity(frame.value)
    if frame.model_id is not None:
        result["modelId"] = data(frame.model_id)
    result |= outcome_fields(frame)
    if frame.calls:
        result["calls"] = [frame_object(call, numbers) for call in frame.calls]
    if frame.logs:
        result["logs"] = [log_object(log, numbers[log.order]) for log in frame.logs]
    return result


def outcome_fields(frame: CallFrame) -> dict[str, JsonValue]:
    """Return how a frame ended; the output of one that failed only where it reverted."""
    result: dict[str, JsonValue] = {}
    if frame.output and frame.error in (None, REVERTED, MODEL_ERROR):
        result["output"] = data(frame.output)
    if frame.error is not None:
        result["error"] = halt_words(frame)
        if frame.error == REVERTED and len(frame.output) >= SELECTOR_BYTES:
            reason = revert_reason(frame.output)
            if reason is not None:
                result["revertReason"] = reason
    return result


def halt_words(frame: CallFrame) -> str:
    """Return how a frame failed, in geth's words."""
    words = geth_error(str(frame.error))
    if frame.bad_opcode is None:
        return words
    return f"{words}: {invalid_opcode_name(frame.bad_opcode)}"


def log_object(log: FrameLog, number: int) -> JsonValue:
    """Return a log."""
    return {
        "address": data(log.address),
        "topics": [data(topic) for topic in log.topics],
        "data": data(log.data),
        "index": quantity(number),
        "position": quantity(log.position),
    }
