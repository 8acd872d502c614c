"""How every kernel is compiled: exact IEEE semantics, no interpreter lock, cached on disk."""

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba
from numba import njit

from cvm.numba_cache import is_cache_configured

F = TypeVar("F", bound=Callable[..., object])

ON_DISK = is_cache_configured()
"""numba's own choice of a cache folder would serve kernels whose helpers have changed since."""


def compiled(function: Callable[..., object], on_disk: bool, forceinline: bool = False) -> Any:
    """Return a function that numba compiles as every kernel is, cached on disk or not."""
    return njit(
        nogil=True,
        cache=on_disk,
        error_model="numpy",
        fastmath=False,
        forceinline=forceinline,
    )(function)


def kernel(function: F) -> F:
    """Compile a function on first use for the types that it is called with.

    No fastmath (each float operation is rounded once, in the order written), NumPy's division
    (no exception on zero), no interpreter lock. A kernel made by a factory may close over integers
    only: numba's cache cannot recognise anything else in a second process.
    """
    return cast(F, compiled(function, on_disk=ON_DISK))


def inlined(function: F) -> F:
    """Compile a scalar function as a kernel is, into every loop that calls it."""
    return cast(F, compiled(function, on_disk=ON_DISK, forceinline=True))


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
