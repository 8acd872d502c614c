"""`python -m node.execution.worker_entry`: a worker process, whose standard input is its socket."""

import faulthandler
import socket
import sys

from cvm.numba_cache import configure_numba_cache


def main() -> None:
    """Name the cache folder before a module with kernels is imported, then serve."""
    if sys.__stderr__ is not None:
        faulthandler.enable(sys.__stderr__)
    configure_numba_cache()
    from node.execution.worker_process import serve_jobs

    serve_jobs(socket.socket(fileno=0))


if __name__ == "__main__":
    main()
