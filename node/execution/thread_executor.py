"""Runs jobs on one thread of this process: for tests, tools, and nodes without worker processes."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

from node.execution.execution_chain import ExecutionChain
from node.execution.jobs import Job, ResultT


class ThreadExecutor:
    """See `jobs.Executor`; nothing ends a job that takes long."""

    def __init__(self, chain: ExecutionChain) -> None:
        self._chain = chain
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="cvm-call")

    async def execute(self, job: Job[ResultT]) -> ResultT:
        """Return what a job gives; raises what it raises."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, job.run, self._chain)

    def close(self) -> None:
        """Stop the thread after the job under way."""
        self._thread.shutdown()
