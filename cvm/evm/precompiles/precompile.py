"""What a precompiled contract is: a name, a price and a function."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Precompile:
    """A contract that the machine itself runs; the caller charges `gas(data)` before `run(data)`.

    `run` returns the output, or None where the call fails and consumes all its gas. It is given no
    more than `most_bytes`, where the price does not grow with the input; `gas` may look at the
    caller's memory itself.
    """

    name: str
    gas: Callable[[bytes], int]
    run: Callable[[bytes], bytes | None]
    most_bytes: int | None = None


def words_gas(base: int, per_word: int) -> Callable[[bytes], int]:
    """Return the price base + per_word for every 32 bytes begun (Yellow Paper, appendix E)."""
    return lambda data: base + per_word * ((len(data) + 31) // 32)


def constant_gas(gas: int) -> Callable[[bytes], int]:
    """Return a price that no input changes."""
    return lambda data: gas  # noqa: ARG005  (every price is a function of the input)
