"""Why a development chain does not begin as it was asked to."""

from pathlib import Path


class BadForkFile(Exception):
    """The file holds no state that a chain could begin with."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"--fork {path}: {reason}")


class AlreadyBegun(Exception):
    """A chain begins with a state once."""

    def __init__(self, datadir: Path) -> None:
        super().__init__(
            f"{datadir} holds a chain already, which goes on as it is: leave --fork out, or give "
            "another --datadir"
        )
