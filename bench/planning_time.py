"""Parses and plans one model file in a fresh process and prints the seconds that it took.

Run as `python -m bench.planning_time FILE LEVEL`. Kernels come from the disk cache if an earlier
process has compiled them; importing the packages is not counted.
"""

import sys
import time
from pathlib import Path

from cvm.numba_cache import configure_numba_cache

configure_numba_cache()

# The cache folder must be named before a module with kernels is imported.
from cvm.inference.backends.cpu import CpuBackend  # noqa: E402
from cvm.inference.limits import OFF_CHAIN_LIMITS  # noqa: E402
from cvm.inference.model_file import parse_model  # noqa: E402


def main(arguments: list[str]) -> None:
    """Print the seconds."""
    path, level = arguments
    data = Path(path).read_bytes()
    start = time.perf_counter()
    CpuBackend(level).plan(parse_model(data, OFF_CHAIN_LIMITS).graph)
    print(time.perf_counter() - start)


if __name__ == "__main__":
    main(sys.argv[1:])
