"""Processes that compile different kernels of one function at once read back their own."""

import multiprocessing
from multiprocessing.synchronize import Barrier
from pathlib import Path

from cvm.numba_cache_lock import LockedCacheFile

PROCESSES = 4
ENTRIES = 40


def fill(folder: str, name: int, together: Barrier) -> None:
    file = LockedCacheFile(folder, "kernel", 0)
    together.wait()
    for number in range(ENTRIES):
        file.save((name, number), (name, number))


def test_no_entry_is_lost_or_mixed_up(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    together = context.Barrier(PROCESSES)
    writers = [
        context.Process(target=fill, args=(str(tmp_path), name, together))
        for name in range(PROCESSES)
    ]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(60)
    file = LockedCacheFile(str(tmp_path), "kernel", 0)
    keys = [(name, number) for name in range(PROCESSES) for number in range(ENTRIES)]
    assert [file.load(key) for key in keys] == keys
