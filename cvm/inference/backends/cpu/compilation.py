"""Compiling a kernel for known arguments, ahead of its first run."""

from collections.abc import Callable
from typing import Any

import numba


def compile_for(function: Callable[..., object], arguments: tuple[object, ...]) -> Any:
    """Compile a kernel for these arguments, or load it from the disk cache, without running it.

    Returns what numba keeps of it (`CompileResult`), None where the function is no kernel.
    """
    dispatcher: Any = function
    if not hasattr(dispatcher, "overloads"):
        return None
    typeof: Any = numba.typeof
    signature = tuple(typeof(argument) for argument in arguments)
    if signature not in dispatcher.overloads:  # numba's look-up costs 0.2 ms of events and locks
        dispatcher.compile(signature)
    return dispatcher.overloads[signature]
