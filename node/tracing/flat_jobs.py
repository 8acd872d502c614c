"""The work behind the trace_ methods: calls of blocks and messages in Parity's form."""

from dataclasses import dataclass, replace

from cvm.evm.message_call import CallSetting
from cvm.evm.state_reader import StateReader
from cvm.evm.world_state import WorldState
from node.execution.call_request import CallRequest
from node.execution.changed_state import ChangedState
from node.execution.execution_chain import ExecutionChain
from node.execution.messages import header_of
from node.execution.trace_budget import TraceBudget
from node.rpc.encoding import data
from node.rpc.json_value import JsonValue
from node.tracing.flat_calls import PARITY_OPTIONS, REPLAY_OPTIONS, FlatCallTracer, FlatOptions
from node.tracing.mux_tracer import MuxTracer
from node.tracing.state_diff import StateDiffTracer
from node.tracing.trace_jobs import traced_message, watched_transactions
from node.tracing.transaction_tracer import TraceEnd, TransactionTracer

FlatTrace = dict[str, JsonValue]
Kinds = tuple[str, ...]
"""Of `trace` and `stateDiff`, what is wanted."""


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
class ReplayJob:
    """Run a block again, or the one transaction at a place of it, for what each replay shows."""

    block_hash: bytes
    kinds: Kinds
    index: int | None = None

    def run(self, chain: ExecutionChain) -> list[FlatTrace]:
        """Return output and what was asked for; with hashes where the whole block runs."""
        budget = TraceBudget()
        return [
            replay_object(tracer, end)
            | ({} if self.index is not None else {"transactionHash": data(tx.hash)})
            for tx, tracer, end in watched_transactions(
                chain,
                self.block_hash,
                lambda: replay_tracer(self.kinds, REPLAY_OPTIONS, budget),
                budget,
                self.index,
            )
        ]


@dataclass(frozen=True, slots=True)
class FlatCallsJob:
    """Trace messages on the state after a block, each on what those before it left."""

    block_hash: bytes
    requests: tuple[tuple[CallRequest, Kinds], ...]

    def run(self, chain: ExecutionChain) -> list[FlatTrace]:
        """Return output and what was asked for of each; `ServerError` where one cannot start."""
        budget = TraceBudget()
        header = header_of(chain, self.block_hash)
        with chain.state_at(header) as state:
            reader: StateReader = state
            found: list[FlatTrace] = []
            for request, kinds in self.requests:
                tracer = replay_tracer(kinds, PARITY_OPTIONS, budget)
                with chain.setting(header, free_gas=request.gas_price == 0) as setting:
                    here = replace(setting, reader=reader)
                    done, reader = traced_on(here, request, tracer, budget)
                found.append(done)
        return found


def traced_on(
    setting: CallSetting, request: CallRequest, tracer: MuxTracer, budget: TraceBudget
) -> tuple[FlatTrace, StateReader]:
    """Return what one message shows, and the state that it leaves."""
    worlds: list[WorldState] = []
    done = traced_message(replace(setting, prepare=worlds.append), request, tracer, budget)
    shown = replay_object(tracer, TraceEnd(done.gas_used, done.output, done.error))
    return shown, ChangedState(setting.reader, worlds[0].changes())


def replay_tracer(kinds: Kinds, options: FlatOptions, budget: TraceBudget) -> MuxTracer:
    """Return what watches a replay: calls, changes of the state, or both."""
    tracers: dict[str, TransactionTracer] = {}
    if "trace" in kinds:
        tracers["trace"] = FlatCallTracer(options, budget)
    if "stateDiff" in kinds:
        tracers["stateDiff"] = StateDiffTracer(budget)
    return MuxTracer(tracers)


def replay_object(tracer: MuxTracer, end: TraceEnd) -> FlatTrace:
    """Return what a replay shows; what was not asked for is empty."""
    shown: FlatTrace = {"output": data(end.output), "stateDiff": None, "trace": [], "vmTrace": None}
    return shown | tracer.results(end)
