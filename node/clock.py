"""The wall clock; block code gets time passed in, and only this module reads it."""

import time


def now_s() -> int:
    """Return the Unix time in whole seconds."""
    return int(time.time())


def now_ms() -> int:
    """Return the Unix time in whole milliseconds."""
    return time.time_ns() // 1_000_000
