"""Looks for the transactions of an address, block after block: bounded work instead of an index.

A block is run again only where its transactions do not name the address themselves. A search ends
with a full page, at an end of the chain, or when its time is over; what it has found by then is a
page too, from which the caller goes on.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

from cvm.evm.state_reader import EMPTY_CODE_HASH
from cvm.evm.transaction import Transaction
from node.execution.execution_chain import ExecutionChain, Replay
from node.execution.faults import ExecutionTimedOut
from node.execution.trace_budget import BoundTracer, TraceBudget
from node.rpc.encoding import data
from node.rpc.faults import LimitExceeded
from node.tracing.otterscan_calls import names_address
from node.tracing.otterscan_jobs import Calls, direct_ends
from node.tracing.trace_jobs import start_of

NO_ANSWER = 1 << 62
"""Bytes of calls that a search may look at: none of them stands in its answer."""
SEARCH_TIME_S = 4.0
"""Of one page: below the deadline of a worker process, which would end with the search."""


@dataclass(frozen=True, slots=True)
class FoundIn:
    """The places of the transactions that a block has, in order."""

    block_hash: bytes
    indices: tuple[int, ...]


NOTHING = FoundIn(b"", ())


@dataclass(frozen=True, slots=True)
class FoundTransactions:
    """A page in the order of the search; `is_complete` where the chain has no more."""

    blocks: tuple[FoundIn, ...]
    is_complete: bool


@dataclass(frozen=True, slots=True)
class SearchJob:
    """Look from a block on, that block included, down to the first or up to the newest."""

    address: bytes
    first: int
    goes_up: bool
    page_size: int
    time_s: float = SEARCH_TIME_S

    def run(self, chain: ExecutionChain) -> FoundTransactions:
        """Return a page; raises `LimitExceeded` where the time was over before anything was found.

        All transactions of a block are on one page, so it may hold more than its size.
        """
        return self.search(chain, time.monotonic)

    def search(self, chain: ExecutionChain, now: Callable[[], float]) -> FoundTransactions:
        """Return a page by a clock in seconds; see `run`."""
        ends_at, budget = now() + self.time_s, TraceBudget(self.time_s, NO_ANSWER)
        newest = chain.head().block_number
        heights = range(self.first, newest + 1) if self.goes_up else range(self.first, 0, -1)
        found: list[FoundIn] = []
        for number in heights:
            if sum(len(each.indices) for each in found) >= self.page_size:
                return FoundTransactions(tuple(found), is_complete=False)
            try:
                seen = None if now() >= ends_at else self._look(chain, number, budget)
            except ExecutionTimedOut:
                seen = None
            if seen is None:
                if not found:
                    raise self._too_long(number)
                return FoundTransactions(tuple(found), is_complete=False)
            if seen.indices:
                found.append(seen)
        return FoundTransactions(tuple(found), is_complete=True)

    def _look(self, chain: ExecutionChain, number: int, budget: TraceBudget) -> FoundIn:
        """Return what one block has; raises `ExecutionTimedOut` or a `LocalFault`."""
        header = chain.header_at(number)
        if header is None or not header.gas_used:
            return NOTHING
        with chain.replay(header.hash) as replay:
            named = [self.address in direct_ends(tx) for tx in replay.transactions]
            if not all(named):
                self._follow_calls(replay, header.hash, named, budget)
        return FoundIn(
            header.hash, tuple(index for index, is_named in enumerate(named) if is_named)
        )

    def _follow_calls(
        self, replay: Replay, block_hash: bytes, named: list[bool], budget: TraceBudget
    ) -> None:
        """Run a block again; note those transactions too that reach the address by calls."""
        for index, tx in enumerate(replay.transactions):
            budget.look()
            if named[index] or runs_no_code(replay, tx):
                replay.apply(tx)
                continue
            tracer = Calls(budget)
            tracer.begin(start_of(replay, tx, index, block_hash, 0))
            replay.apply(tx, BoundTracer(tracer, budget))
            named[index] = tracer.root is not None and names_address(tracer.root, self.address)

    def _too_long(self, number: int) -> LimitExceeded:
        who, limit = data(self.address), f"{self.time_s:g} s"
        if number == self.first:
            return LimitExceeded(f"block {number} alone takes longer than {limit} to search")
        method = f"ots_searchTransactions{'After' if self.goes_up else 'Before'}"
        bound = number - 1 if self.goes_up else number + 1
        return LimitExceeded(
            f"no transaction of {who} in blocks {self.first} to {bound}, which took {limit}; "
            f"go on with {method} from block {bound}"
        )


def runs_no_code(replay: Replay, tx: Transaction) -> bool:
    """Tell whether a transaction only moves wei, so that nobody can be called."""
    return bool(tx.to) and replay.world.account(tx.to).code_hash == EMPTY_CODE_HASH
