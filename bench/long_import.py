"""Memory over a million plain transfers: `python -m bench.long_import [TRANSFERS] [ACCOUNTS]`.

Blocks are made in one database and imported into another, one at a time. Each line tells the
transfers so far, what the process holds (anonymous memory: the databases' files are mapped, and
the kernel's to drop) and the import's speed. Ends in one JSON line.
"""

import json
import sys
import tempfile
import time
from pathlib import Path

from cvm.numba_cache import configure_numba_cache

configure_numba_cache()

# The cache folder must be named before a module with kernels is imported.
from bench.transfer_chain import TransferChain  # noqa: E402
from node.collector import spare_collector  # noqa: E402

TRANSFERS, ACCOUNTS = 1_000_000, 100_000
LINES = 10


def main(arguments: list[str]) -> None:
    """Import, and print a line ten times."""
    given = [int(argument) for argument in arguments]
    transfers, accounts = (*given, *(TRANSFERS, ACCOUNTS)[len(given) :])
    spare_collector()
    with tempfile.TemporaryDirectory() as folder:
        chain = TransferChain(Path(folder), "plain", accounts)
        goals = [line * transfers // LINES for line in range(1, LINES + 1)]
        try:
            held = [progress(chain, goal) for goal in goals]
        finally:
            chain.close()
    print(json.dumps({"transfers": transfers, "accounts": accounts, "anonymous MiB": held}))


def progress(chain: TransferChain, goal: int) -> float:
    """Import until so many transfers are in the chain; return the memory held, in MiB."""
    first, seconds = chain.imported, 0.0
    while chain.imported < goal:
        raw = chain.make_block()
        began = time.perf_counter()
        chain.import_block(raw)
        seconds += time.perf_counter() - began
    held = anonymous_mib()
    speed = (chain.imported - first) / seconds
    print(f"{chain.imported:9,} transfers, {held:7.1f} MiB, {speed:7,.0f} tx/s", flush=True)
    return held


def anonymous_mib() -> float:
    """Return the anonymous memory of this process (Linux's proc(5), RssAnon)."""
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("RssAnon:"):
            return round(int(line.split()[1]) / 1024, 1)
    raise OSError("/proc/self/status has no RssAnon: this needs Linux 4.5 or later")


if __name__ == "__main__":
    main(sys.argv[1:])
