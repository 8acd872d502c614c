"""The work of tracing for processes that execute: a transaction, a block, a message.

Whatever can be long comes back as JSON text, so that the process that answers does not have to
write it down. A job raises `ExecutionTimedOut` or `LimitExceeded` where its trace costs too much.
"""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TypeVar

from cvm.evm.message_call import CallSetting, MessageResult, run_message
from cvm.evm.message_rules import Interpreter, Rules
from cvm.evm.plain_interpreter import PlainInterpreter
from cvm.evm.transaction import Transaction
from node.execution.block_settings import WorldView
from node.execution.call_request import CALL_GAS_CAP, CallRequest, simulated
from node.execution.execution_chain import ExecutionChain, Replay, UnknownBlock
from node.execution.messages import header_of, overridden_setting
from node.execution.trace_budget import BoundTracer, TraceBudget
from node.rpc.encoding import data
from node.rpc.faults import ServerError
from node.rpc.json_value import JsonText, JsonValue
from node.tracing.call_config import CallTraceConfig
from node.tracing.trace_config import TraceConfig
from node.tracing.transaction_tracer import TraceEnd, TraceStart, TransactionTracer

TracerT = TypeVar("TracerT", bound=TransactionTracer)
DEEP_JSON = 10_000
"""Python's own limit of nesting is less than the depth of calls."""


@dataclass(frozen=True, slots=True)
class TraceTransactionJob:
    """Trace one transaction of a block; those before it only run."""

    block_hash: bytes
    index: int
    config: TraceConfig

    def run(self, chain: ExecutionChain) -> JsonText:
        """Return the trace."""
        budget = self.config.budget()
        for _tx, trace in traces(chain, self.block_hash, self.config, budget, self.index):
            return json_text(trace)
        raise UnknownBlock(self.block_hash)


@dataclass(frozen=True, slots=True)
class TraceBlockJob:
    """Trace every transaction of a block."""

    block_hash: bytes
    config: TraceConfig

    def run(self, chain: ExecutionChain) -> JsonText:
        """Return the traces in order, each with the hash of its transaction."""
        budget = self.config.budget()
        return json_text(
            [
                {"txHash": data(tx.hash), "result": trace}
                for tx, trace in traces(chain, self.block_hash, self.config, budget)
            ]
        )


@dataclass(frozen=True, slots=True)
class TraceCallJob:
    """Trace a message on the state after a block or within it, without keeping what it did."""

    block_hash: bytes
    request: CallRequest
    config: CallTraceConfig

    def run(self, chain: ExecutionChain) -> JsonText:
        """Return the trace; raises `ServerError` where the message cannot start."""
        budget = self.config.trace.budget()
        tracer = self.config.trace.make(budget)
        with self._setting(chain, budget) as setting:
            result = traced_message(setting, self.request, tracer, budget)
        return json_text(tracer.result(TraceEnd(result.gas_used, result.output, result.error)))

    @contextmanager
    def _setting(self, chain: ExecutionChain, budget: TraceBudget) -> Iterator[CallSetting]:
        """Open where the message runs; raises `ServerError` where there is no such place."""
        header, config = header_of(chain, self.block_hash), self.config
        with overridden_setting(
            chain, header, config.state, config.block, free_gas=self.request.gas_price == 0
        ) as setting:
            if config.tx_index is None:
                yield setting
                return
            with chain.replay(self.block_hash) as replay:
                if config.tx_index >= max(len(replay.transactions), 1):
                    raise ServerError(
                        f"transaction index {config.tx_index} out of range for block "
                        f"{data(self.block_hash)}"
                    )
                for tx in replay.transactions[: config.tx_index]:
                    budget.look()
                    replay.apply(tx)
                yield replace(setting, reader=replay.state())


def traces(
    chain: ExecutionChain,
    block_hash: bytes,
    config: TraceConfig,
    budget: TraceBudget,
    only: int | None = None,
) -> Iterator[tuple[Transaction, JsonValue]]:
    """Yield the trace of each transaction of a block, or of the one at a place."""
    watched = watched_transactions(chain, block_hash, lambda: config.make(budget), budget, only)
    for tx, tracer, end in watched:
        yield tx, tracer.result(end)


def watched_transactions(
    chain: ExecutionChain,
    block_hash: bytes,
    make: Callable[[], TracerT],
    budget: TraceBudget,
    only: int | None = None,
) -> Iterator[tuple[Transaction, TracerT, TraceEnd]]:
    """Yield each transaction of a block, or the one at a place, with the tracer that saw it."""
    with chain.replay(block_hash) as replay:
        logs_before = 0
        for index, tx in enumerate(replay.transactions):
            budget.look()
            if only is not None and index != only:
                logs_before += len(replay.apply(tx).receipt.logs)
                continue
            tracer = make()
            tracer.begin(start_of(replay, tx, index, block_hash, logs_before))
            done = replay.apply(tx, BoundTracer(tracer, budget))
            logs_before += len(done.receipt.logs)
            yield tx, tracer, TraceEnd(done.gas_used, done.output, done.error)
            if only is not None:
                return


def start_of(
    replay: Replay, tx: Transaction, index: int, block_hash: bytes, first_log: int
) -> TraceStart:
    """Return what is known of a transaction before it runs."""
    signers = (authorization.signer() for authorization in tx.authorization_list)
    return TraceStart(
        sender=tx.sender,
        to=tx.to,
        gas=tx.gas,
        coinbase=replay.context.coinbase,
        world=replay.world,
        signers=tuple(signer for signer in signers if signer is not None),
        block_hash=block_hash,
        block_number=replay.context.number,
        tx_hash=tx.hash,
        tx_index=index,
        first_log=first_log,
    )


def traced_message(
    setting: CallSetting, request: CallRequest, tracer: TransactionTracer, budget: TraceBudget
) -> MessageResult:
    """Run a message under a tracer; raises `ServerError` where it cannot start."""
    tx = simulated(request, CALL_GAS_CAP)
    watched = BoundTracer(tracer, budget)
    began: list[TraceStart] = []

    def make(rules: Rules) -> Interpreter:
        coinbase, world = setting.context.coinbase, WorldView(rules.world)
        number = setting.context.number
        start = TraceStart(tx.sender, tx.to, tx.gas, coinbase, world, block_number=number)
        tracer.begin(start)
        began.append(start)
        return PlainInterpreter(rules, watched)

    result = run_message(replace(setting, rules=replace(setting.rules, interpreter=make)), tx)
    if not began:
        raise ServerError(str(result.error))
    return result


def json_text(value: JsonValue) -> JsonText:
    """Return a value as JSON, however deep its calls are nested."""
    with deep_json():
        return JsonText(json.dumps(value, separators=(",", ":"), allow_nan=False))


@contextmanager
def deep_json() -> Iterator[None]:
    """Let Python nest as deep as calls do."""
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(max(before, DEEP_JSON))
    try:
        yield
    finally:
        sys.setrecursionlimit(before)
