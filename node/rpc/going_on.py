"""How a coroutine goes on that was stepped to its first wait: a `yield from` that began before."""

from collections.abc import Coroutine, Generator
from types import coroutine
from typing import Any, TypeVar

ResultT = TypeVar("ResultT")


@coroutine
def go_on(
    work: Coroutine[Any, Any, ResultT],  # what passes here is the event loop's own affair
    wait: object,
) -> Generator[object, object, ResultT]:
    """Wait for what `work.send(None)` gave, and go on until the coroutine returns its result."""
    while True:
        try:
            try:
                sent = yield wait
            except BaseException as fault:  # noqa: BLE001 - a cancellation: the coroutine's
                wait = work.throw(fault)
            else:
                wait = work.send(sent)
        except StopIteration as end:
            result: ResultT = end.value
            return result
