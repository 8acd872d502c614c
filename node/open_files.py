"""How many files and connections the system lets this process have open."""

import resource

WANTED_OPEN_FILES = 65_536
"""Room for every connection that JSON-RPC and peers may have; a common default is 1,024."""


def raise_open_files() -> int:
    """Raise the bound as far as this process may by itself, and return it, as geth does."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = WANTED_OPEN_FILES if hard == resource.RLIM_INFINITY else min(WANTED_OPEN_FILES, hard)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return soft
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return wanted
