"""What one run that is watched may cost: time, and the size of its answer."""

import re
import time

from cvm.evm.messages import Message, Outcome
from cvm.evm.tracer import TracedFrame, Tracer
from node.execution.faults import ExecutionTimedOut
from node.rpc.faults import BadArgument, LimitExceeded

MOST_TIME_S = 4.5
"""Below the deadline of a worker process, which would end with the job. Both are of the wall: one
that counts its own processor time meets its deadline first where others take the processor."""
MAX_TRACE_BYTES = 25_000_000
STEPS_PER_LOOK = 256

UNITS_S = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
PART = re.compile(r"(\d{1,9}(?:\.\d{1,9})?)(ns|us|µs|ms|s|m|h)", re.ASCII)


class TraceBudget:
    """What is left for one answer; raises `ExecutionTimedOut` or `LimitExceeded`."""

    def __init__(self, timeout_s: float = MOST_TIME_S, max_bytes: int = MAX_TRACE_BYTES) -> None:
        self._timeout_s = min(timeout_s, MOST_TIME_S)
        self._ends_at = time.monotonic() + self._timeout_s
        self._max_bytes = self._bytes_left = max_bytes
        self._steps = 0

    def step(self) -> None:
        """Count an opcode, and look at the clock now and then."""
        self._steps += 1
        if self._steps % STEPS_PER_LOOK == 0:
            self.look()

    def look(self) -> None:
        """Look at the clock."""
        if time.monotonic() >= self._ends_at:
            raise ExecutionTimedOut(self._timeout_s)

    def spend(self, size_bytes: int) -> None:
        """Count so many bytes of an answer."""
        self._bytes_left -= size_bytes
        if self._bytes_left < 0:
            raise LimitExceeded(
                f"trace over {self._max_bytes} bytes; ask for one transaction, or for less of it"
            )


class BoundTracer:
    """A tracer under a budget of time; see `cvm.evm.tracer.Tracer`."""

    def __init__(self, tracer: Tracer, budget: TraceBudget) -> None:
        self._tracer = tracer
        self._budget = budget

    def enter(self, message: Message, opcode: int | None, depth: int) -> None:
        """Pass on that a message begins."""
        self._budget.look()
        self._tracer.enter(message, opcode, depth)

    def step(self, frame: TracedFrame, opcode: int) -> None:
        """Pass on that an opcode is about to run."""
        self._budget.step()
        self._tracer.step(frame, opcode)

    def exit(self, outcome: Outcome, depth: int) -> None:
        """Pass on that a message has ended."""
        self._tracer.exit(outcome, depth)

    def fault(self, frame: TracedFrame, error: str) -> None:
        """Pass on that a frame halts."""
        self._tracer.fault(frame, error)


def parse_timeout(text: str) -> float:
    """Return the seconds of a duration as Go writes it: 5s, 300ms, 1m30s."""
    parts = PART.findall(text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        raise BadArgument(f"time: invalid duration {text[:40]!r}")
    return sum(float(number) * UNITS_S[unit] for number, unit in parts)
