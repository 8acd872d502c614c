"""muxTracer and noopTracer: several tracers over one run, and none.

go-ethereum, eth/tracers/native/mux.go and noop.go.
"""

from collections.abc import Mapping

from cvm.evm.messages import Message, Outcome
from cvm.evm.tracer import TracedFrame
from node.rpc.json_value import JsonValue
from node.tracing.transaction_tracer import TraceEnd, TraceStart, TransactionTracer


class MuxTracer:
    """Passes everything on to each of several tracers; without one it is noopTracer."""

    def __init__(self, tracers: Mapping[str, TransactionTracer]) -> None:
        self._tracers = tracers

    def begin(self, start: TraceStart) -> None:
        """Pass on what is known before."""
        for tracer in self._tracers.values():
            tracer.begin(start)

    def enter(self, message: Message, opcode: int | None, depth: int) -> None:
        """Pass on that a message begins."""
        for tracer in self._tracers.values():
            tracer.enter(message, opcode, depth)

    def step(self, frame: TracedFrame, opcode: int) -> None:
        """Pass on that an opcode is about to run."""
        for tracer in self._tracers.values():
            tracer.step(frame, opcode)

    def exit(self, outcome: Outcome, depth: int) -> None:
        """Pass on that a message has ended."""
        for tracer in self._tracers.values():
            tracer.exit(outcome, depth)

    def fault(self, frame: TracedFrame, error: str) -> None:
        """Pass on that a frame halts."""
        for tracer in self._tracers.values():
            tracer.fault(frame, error)

    def result(self, end: TraceEnd) -> JsonValue:
        """Return what each gives, by its name."""
        return self.results(end)

    def results(self, end: TraceEnd) -> dict[str, JsonValue]:
        """Return what each gives, by its name."""
        return {name: tracer.result(end) for name, tracer in self._tracers.items()}
