"""Lets several processes fill numba's disk cache at once without taking each other's kernels.

numba gives kernels of one function numbered files, and writes the index before the file. Two
processes that compile different kernels at the same time choose the same number; then the index
names one kernel and the file holds the other, which a third process would run.
"""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from numba.core import caching

STOCK: Any = caching.IndexDataCacheFile  # numba ships no types


class LockedCacheFile:
    """numba's index and data files, read and written by one process at a time."""

    def __init__(self, cache_path: str, filename_base: str, source_stamp: object) -> None:
        self._files = STOCK(cache_path, filename_base, source_stamp)
        self._lock_path = Path(cache_path) / f"{filename_base}.lock"

    def flush(self) -> None:
        """Forget every entry."""
        with self._locked(fcntl.LOCK_EX):
            self._files.flush()

    def save(self, key: Any, data: Any) -> None:  # what numba's dispatcher hands over
        """Write an entry while no other process reads or writes one."""
        with self._locked(fcntl.LOCK_EX):
            self._files.save(key, data)

    def load(self, key: Any) -> Any:  # the same
        """Return an entry as one process wrote it, None where there is none."""
        with self._locked(fcntl.LOCK_SH):
            return self._files.load(key)

    @contextmanager
    def _locked(self, how: int) -> Iterator[None]:
        with self._lock_path.open("ab") as file:
            fcntl.flock(file, how)
            yield


def lock_numba_cache() -> None:
    """Have every kernel that is declared from now on use locked files.

    numba has no setting for it: its `FunctionCache` looks the class up by this name.
    """
    vars(caching)["IndexDataCacheFile"] = LockedCacheFile
