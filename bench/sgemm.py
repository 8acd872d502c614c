"""Speed of NumPy's float32 product in a process of its own, with an OpenBLAS kernel that is named.

OPENBLAS_CORETYPE in the environment may pin a slower kernel than the CPU has.
"""

import os
import subprocess
import sys

CORETYPES = {"avx512": "SkylakeX", "avx2": "Haswell", "generic": "Prescott"}
"""The OpenBLAS kernels of each feature level."""

PROGRAM = """
import sys, time, numpy as np
m, k, n = map(int, sys.argv[1:])
rng = np.random.default_rng(1)
a = rng.standard_normal((m, k)).astype(np.float32)
b = rng.standard_normal((k, n)).astype(np.float32)
def once():
    start = time.perf_counter()
    a @ b
    return time.perf_counter() - start
print(min(once() for _ in range(50)))
"""


def sgemm_seconds(level: str, m: int, k: int, n: int) -> float:
    """Return the least time of a product (m, k) by (k, n) on one thread."""
    environment = {
        **os.environ,
        "OPENBLAS_CORETYPE": CORETYPES[level],
        "OPENBLAS_NUM_THREADS": "1",
    }
    result = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(m), str(k), str(n)],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    return float(result.stdout)
