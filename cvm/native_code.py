"""How integer and float kernels are compiled: no interpreter lock, exact, cached on disk."""

from collections.abc import Callable
from typing import Any, TypeVar, cast

from numba import njit
from numba.extending import intrinsic

from cvm.numba_cache import is_cache_configured
from cvm.numba_cache_lock import lock_numba_cache

F = TypeVar("F", bound=Callable[..., object])

lock_numba_cache()

ON_DISK = is_cache_configured()
"""numba's own choice of a cache folder would serve kernels whose helpers have changed since."""


def compiled(
    function: Callable[..., object],
    on_disk: bool,
    forceinline: bool = False,
    is_inner: bool = False,
) -> Any:
    """Return a function that numba compiles as every kernel is, cached on disk or not."""
    compiler: Any = njit  # its stub leaves out the two options of wrappers
    return compiler(
        nogil=True,
        cache=on_disk,
        error_model="numpy",
        fastmath=False,
        forceinline=forceinline,
        no_cpython_wrapper=is_inner,
        no_cfunc_wrapper=is_inner,
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


def inner(function: F) -> F:
    """Compile a function that only kernels call.

    Without the code that takes Python's objects apart, one that handles nested tuples compiles in
    two thirds of the time. It cannot be called from Python.
    """
    return cast(F, compiled(function, on_disk=ON_DISK, is_inner=True))


def emitted(function: Callable[..., object]) -> Any:
    """Return a function of compiled code that writes its own LLVM code (numba's intrinsic)."""
    return intrinsic(function)
