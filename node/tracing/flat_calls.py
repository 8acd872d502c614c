"""The flat form of calls, as Parity made it: one object for each, with its place in the tree.

flatCallTracer follows go-ethereum, eth/tracers/native/call_flat.go; the trace_ methods give the
same objects with the gas that the outermost call had after the transaction's own price, and its
errors in Parity's words (Erigon, trace_block). Inferences are no calls and are left out: callTracer
shows them.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from cvm.evm.message_rules import REVERTED
from cvm.evm.precompiles.table import OSAKA_TABLE
from node.execution.trace_budget import TraceBudget
from node.rpc.encoding import data, quantity
from node.rpc.json_value import JsonValue
from node.tracing.call_recorder import CallFrame, CallRecorder
from node.tracing.call_tracer import halt_words
from node.tracing.trace_words import parity_error
from node.tracing.transaction_tracer import TraceEnd, TraceStart

INFERENCE, SELFDESTRUCTION = "INFER", "SELFDESTRUCT"


@dataclass(frozen=True, slots=True)
class FlatOptions:
    """What the flat form shows; with `has_intrinsic_gas` it is geth's, not Parity's.

    The outermost gas is the transaction's then. With `names_block` each call says where it stands.
    """

    convert_parity_errors: bool = False
    include_precompiles: bool = False
    has_intrinsic_gas: bool = True
    names_block: bool = True


PARITY_OPTIONS = FlatOptions(convert_parity_errors=True, has_intrinsic_gas=False)
"""What the trace_ methods give."""
REPLAY_OPTIONS = replace(PARITY_OPTIONS, names_block=False)
"""What those give that run a transaction again."""


class FlatCallTracer(CallRecorder):
    """See `transaction_tracer.TransactionTracer`."""

    def __init__(self, options: FlatOptions, budget: TraceBudget) -> None:
        super().__init__(budget)
        self._options = options

    def result(self, end: TraceEnd, /) -> JsonValue:
        """Return the calls, each before those that it made."""
        return self.calls(end)

    def calls(self, end: TraceEnd) -> list[dict[str, JsonValue]]:
        """Return the calls, each before those that it made."""
        root, start = self.root, self.start
        if root is None or start is None:
            return []
        if self._options.has_intrinsic_gas:
            root.gas, root.gas_used = start.gas, end.gas_used
        block = place_fields(start) if self._options.names_block else {}
        return [
            flat_object(frame, place, self._options) | block
            for frame, place in in_order(root, self._options)
        ]


def shown_calls(frame: CallFrame, options: FlatOptions) -> list[CallFrame]:
    """Return the calls of a frame that the flat form shows."""
    return [
        call
        for call in frame.calls
        if call.kind != INFERENCE and not (call.to in OSAKA_TABLE and is_hidden(call, options))
    ]


def is_hidden(call: CallFrame, options: FlatOptions) -> bool:
    """Tell whether a call of a precompile is left out: geth goes by its kind, Parity by value."""
    if options.include_precompiles:
        return False
    return call.kind in ("CALL", "STATICCALL") if options.has_intrinsic_gas else not call.value


def in_order(root: CallFrame, options: FlatOptions) -> Iterator[tuple[CallFrame, tuple[int, ...]]]:
    """Yield every frame that is shown with its place, parents first."""
    waiting: list[tuple[CallFrame, tuple[int, ...]]] = [(root, ())]
    while waiting:
        frame, place = waiting.pop()
        yield frame, place
        calls = shown_calls(frame, options)
        waiting += [(call, (*place, i)) for i, call in reversed(list(enumerate(calls)))]


def flat_object(
    frame: CallFrame, place: tuple[int, ...], options: FlatOptions
) -> dict[str, JsonValue]:
    """Return one call without the place of its transaction."""
    if frame.kind == SELFDESTRUCTION:
        result = destruction_fields(frame)
    elif frame.is_creation:
        result = creation_fields(frame)
    else:
        result = call_fields(frame)
    if frame.error is not None:
        by_parity = options.convert_parity_errors
        result["error"] = parity_error(frame.error) if by_parity else halt_words(frame)
        if frame.error != REVERTED:
            del result["result"]
    result["subtraces"] = len(shown_calls(frame, options))
    result["traceAddress"] = list(place)
    return result


def call_fields(frame: CallFrame) -> dict[str, JsonValue]:
    """Return what a call asks for, and what it gave."""
    return {
        "type": "call",
        "action": {
            "callType": frame.kind.lower(),
            "from": data(frame.sender),
            "to": data(frame.to),
            "gas": quantity(frame.gas),
            "input": data(frame.input),
            "value": quantity(frame.value or 0),
        },
        "result": {"gasUsed": quantity(frame.gas_used), "output": data(frame.output)},
    }


def creation_fields(frame: CallFrame) -> dict[str, JsonValue]:
    """Return what a creation runs, and what it made."""
    return {
        "type": "create",
        "action": {
            "creationMethod": frame.kind.lower(),
            "from": data(frame.sender),
            "gas": quantity(frame.gas),
            "init": data(frame.input),
            "value": quantity(frame.value or 0),
        },
        "result": {
            "address": data(frame.to),
            "code": data(frame.output),
            "gasUsed": quantity(frame.gas_used),
        },
    }


def destruction_fields(frame: CallFrame) -> dict[str, JsonValue]:
    """Return who destroyed itself, and where its balance went."""
    return {
        "type": "suicide",
        "action": {
            "address": data(frame.sender),
            "balance": quantity(frame.value or 0),
            "refundAddress": data(frame.to),
        },
        "result": None,
    }


def place_fields(start: TraceStart) -> dict[str, JsonValue]:
    """Return where the transaction stands; nothing for a message that nobody signed."""
    if start.block_hash is None or start.tx_hash is None:
        return {}
    return {
        "blockHash": data(start.block_hash),
        "blockNumber": start.block_number,
        "transactionHash": data(start.tx_hash),
        "transactionPosition": start.tx_index,
    }
