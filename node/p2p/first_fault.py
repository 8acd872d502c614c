"""Lets a group of tasks fail like one function: with the first fault, the others as its cause."""

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def first_fault() -> Iterator[None]:
    """Raise the first fault of a group of tasks instead of the group."""
    try:
        yield
    except BaseExceptionGroup as group:
        raise innermost(group) from group


def innermost(fault: BaseException) -> BaseException:
    """Return the first fault in groups of groups."""
    while isinstance(fault, BaseExceptionGroup):
        fault = fault.exceptions[0]
    return fault
