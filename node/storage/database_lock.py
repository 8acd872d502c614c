"""One process writes a folder at a time."""

import fcntl
from pathlib import Path
from typing import BinaryIO

from cvm.faults import DatabaseFault


class DatabaseInUse(DatabaseFault):
    """Another process writes this database; two writers would make two chains of one."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            f"the data directory {path.parent} is in use by another process: "
            "stop it, or use another --datadir"
        )


def lock_for_writing(path: Path) -> BinaryIO:
    """Hold the folder's lock until the file is closed or the process ends."""
    file = (path / "writer.lock").open("wb")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        file.close()
        raise DatabaseInUse(path) from error
    return file
