"""The work behind the trace_ methods: calls of blocks and messages in Parity's form."""

from dataclasses import dataclass, replace

from cvm.evm.message_call import CallSetting
from cvm.evm.state_reader import StateReader
from cvm.evm.world_state import WorldState
from node.execution.call_request import CallRequest
from node.execution.changed_state import ChangedState
from node.execution.execution_chain import ExecutionChain
from node.execution.messages import header_of
from node.rpc.encoding import data
from node.rpc.json_value import JsonValue
from node.tracing.flat_calls import PARITY_OPTIONS, REPLAY_OPTIONS, FlatCallTracer
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
class ReplayJob:
    """Run a block again, or the one transaction at a place of it, for what each replay shows."""

    block_hash: bytes
    index: int | None = None

    def run(self, chain: ExecutionChain) -> list[FlatTrace]:
        """Return output and calls of each transaction, with its hash where the whole block runs."""
        budget = TraceBudget()
        return [
            replay_object(end.output, tracer.calls(end))
            | ({} if self.index is not None else {"transactionHash": data(tx.hash)})
            for tx, tracer, end in watched_transactions(
                chain,
                self.block_hash,
                lambda: FlatCallTracer(REPLAY_OPTIONS, budget),
                budget,
                self.index,
            )
        ]


@dataclass(frozen=True, slots=True)
class FlatCallsJob:
    """Trace messages on the state after a block, each on what those before it left."""

    block_hash: bytes
    requests: tuple[CallRequest, ...]

    def run(self, chain: ExecutionChain) -> list[FlatTrace]:
        """Return output and calls of each; raises `ServerError` where one cannot start."""
        budget = TraceBudget()
        header = header_of(chain, self.block_hash)
        with chain.state_at(header) as state:
            reader: StateReader = state
            found: list[FlatTrace] = []
            for request in self.requests:
                with chain.setting(header, free_gas=request.gas_price == 0) as setting:
                    done, reader = self._run_one(replace(setting, reader=reader), request, budget)
                found.append(done)
        return found

    def _run_one(
        self, setting: CallSetting, request: CallRequest, budget: TraceBudget
    ) -> tuple[FlatTrace, StateReader]:
        """Return what one message shows, and the state that it leaves."""
        tracer = FlatCallTracer(PARITY_OPTIONS, budget)
        worlds: list[WorldState] = []
        done = traced_message(replace(setting, prepare=worlds.append), request, tracer, budget)
        calls = tracer.calls(TraceEnd(done.gas_used, done.output, done.error))
        after = ChangedState(setting.reader, worlds[0].changes())
        return replay_object(done.output, calls), after


def replay_object(output: bytes, calls: list[FlatTrace]) -> FlatTrace:
    """Return what a replay shows: only its calls are made here."""
    return {"output": data(output), "stateDiff": None, "trace": calls, "vmTrace": None}
