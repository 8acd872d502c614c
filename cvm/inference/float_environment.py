"""Guards an inference against the float settings of whoever calls it.

A thread may have been left with flush-to-zero, denormals-are-zero or another rounding direction
(a library built with -ffast-math does it on load). C's default environment (C11 section 7.6)
rounds to nearest even and keeps subnormals: MXCSR 0x1f80 on x86-64, FPCR 0 on arm64.
"""

import ctypes
from types import TracebackType

from cvm.faults import DeviceFault

_MAX_ENVIRONMENT_BYTES = 64
"""glibc's and musl's fenv_t take 32 bytes on x86-64 and 8 on arm64."""
_DEFAULT_ENVIRONMENT = ctypes.c_void_p(-1)
"""FE_DFL_ENV of glibc and musl."""

# PyDLL keeps the interpreter lock: the calls take nanoseconds and must stay on this thread.
_LIBM = ctypes.PyDLL(None)
_get_environment = _LIBM.fegetenv
_set_environment = _LIBM.fesetenv
_get_environment.argtypes = _set_environment.argtypes = (ctypes.c_void_p,)
_get_environment.restype = _set_environment.restype = ctypes.c_int


class default_float_environment:  # noqa: N801  (used as a function, in `with`)
    """Context manager: round to nearest even, subnormals kept; the caller's setting comes back.

    It holds for the thread that enters it, so every worker thread enters its own. Raises
    `DeviceFault` when the C library refuses.
    """

    __slots__ = ("_saved",)

    def __enter__(self) -> None:
        self._saved = ctypes.create_string_buffer(_MAX_ENVIRONMENT_BYTES)
        if _get_environment(self._saved) or _set_environment(_DEFAULT_ENVIRONMENT):
            raise DeviceFault("fenv", "the C library cannot set the default float environment")

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if _set_environment(self._saved):
            raise DeviceFault("fenv", "the C library cannot restore the float environment")
