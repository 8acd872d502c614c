"""What can go wrong with execution for JSON-RPC, beside what a job itself raises."""

from cvm.faults import LocalFault


class ExecutionTimedOut(LocalFault):
    """A job took longer than its time, and was ended."""

    def __init__(self, timeout_s: float) -> None:
        super().__init__(f"execution aborted (timeout = {timeout_s:g}s)")


class ExecutorBusy(LocalFault):
    """More jobs wait than this node keeps; ask again later."""

    def __init__(self, waiting: int) -> None:
        super().__init__(f"this node is busy: {waiting} executions wait, try again later")


class ExecutorDied(LocalFault):
    """The process that ran a job ended; another one has taken its place."""

    def __init__(self) -> None:
        super().__init__("the process that executed this ended before it was done")


class NoModelsHere(LocalFault):
    """An inference is asked of a plain Ethereum chain."""

    def __init__(self) -> None:
        super().__init__("this chain runs no models")


class OverrideRefused(LocalFault):
    """A state override contradicts itself or another one."""


class ExecutorFailed(Exception):
    """A job raised what nobody foresaw; the log of its process has it."""

    def __init__(self, name: str) -> None:
        super().__init__(f"a job raised {name}")
