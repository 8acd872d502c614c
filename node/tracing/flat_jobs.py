"""The work behind the trace_ methods: calls of blocks and messages in Parity's form."""

from dataclasses import dataclass

from node.execution.call_request import CallRequest
from node.execution.execution_chain import ExecutionChain
from node.rpc.encoding import data
from node.rpc.json_value import JsonValue
from node.tracing.flat_calls import PARITY_OPTIONS, FlatCallTracer
from node.tracing.trace_budget import TraceBudget
from node.tracing.trace_jobs import traced_message, watched_transactions
from node.tracing.transaction_tracer import TraceEnd

FlatTrace = dict[str, JsonValue]


@dataclass(frozen=True, slots=True)
class FlatBlockJob:
    """Trace a block, or the one transaction at a place of it."""

    block_hash: bytes
    index: int | None = None

    def run(self, chain: ExecutionChain) -> list[FlatTrace]:
        """Return the calls in order."""
        budget = TraceBudget()
        found: list[FlatTrace] = []
        for _tx, tracer, end in watched_transactions(
            chain,
            self.block_hash,
            lambda: FlatCallTracer(PARITY_OPTIONS, budget),
            budget,
            self.index,
        ):
            found += tracer.calls(end)
        return found


@dataclass(frozen=True, slots=True)
class FlatCallJob:
    """Trace a message on the state after a block."""

    block_hash: bytes
    request: CallRequest

    def run(self, chain: ExecutionChain) -> FlatTrace:
        """Return output and calls."""
        budget = TraceBudget()
        tracer = FlatCallTracer(PARITY_OPTIONS, budget)
        done = traced_message(chain, self.block_hash, self.request, tracer, budget)
        calls = tracer.calls(TraceEnd(done.gas_used, done.output, done.error))
        return {"output": data(done.output), "stateDiff": None, "trace": calls, "vmTrace": None}
