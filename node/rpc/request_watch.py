"""Lets somebody hear of every JSON-RPC request: its method, its time, and whether it failed."""

from collections.abc import Callable

RequestWatcher = Callable[[str, float, bool], None]
"""Hears of a method's name, its duration in seconds, and whether the answer is an error."""


class RequestWatch:
    """Where a watcher is put; requests cost nothing more while there is none."""

    def __init__(self) -> None:
        self.watcher: RequestWatcher | None = None
