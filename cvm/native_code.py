"""How functions are compiled to machine code: exact semantics, no interpreter lock, disk cache."""

from collections.abc import Callable
from typing import Any, TypeVar, cast

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
    """Compile a function on first use for the types that it is called with."""
    return cast(F, compiled(function, on_disk=ON_DISK))


def inlined(function: F) -> F:
    """Compile a function as a kernel is, into every place that calls it."""
    return cast(F, compiled(function, on_disk=ON_DISK, forceinline=True))
