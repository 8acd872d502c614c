"""Work for the processes that execute for JSON-RPC: small values that say what to run and where.

A job names its block by hash: states do not change under a hash, so it does not matter which
process runs it, or when. What it raises comes back as the same class (`worker_messages`).
"""

from typing import Protocol, TypeVar

from node.execution.execution_chain import ExecutionChain

ResultT_co = TypeVar("ResultT_co", covariant=True)
ResultT = TypeVar("ResultT")


class Job(Protocol[ResultT_co]):
    """A frozen dataclass that pickles, and so does its result."""

    def run(self, chain: ExecutionChain) -> ResultT_co:
        """Do the work; raises a `LocalFault` or a fault of execution."""


class Executor(Protocol):
    """Runs jobs away from the event loop."""

    async def execute(self, job: Job[ResultT]) -> ResultT:
        """Return what a job gives; raises what it raises.

        And `ExecutionTimedOut`, `ExecutorBusy` or `ExecutorDied`.
        """

    def close(self) -> None:
        """Let go of whatever runs."""
