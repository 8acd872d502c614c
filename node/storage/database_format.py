"""Which form of tables a data directory has; it changes when a version cannot read another's."""

from pathlib import Path

from cvm.faults import DatabaseFault

FORMAT = b"1"
"""Written with block 0. Tables that only add something keep it."""


class OtherFormat(DatabaseFault):
    """Another version of this software wrote the data directory."""

    def __init__(self, datadir: Path, found: bytes) -> None:
        super().__init__(
            f"the data directory {datadir} has format {found.decode(errors='replace')}, this "
            f"version reads format {FORMAT.decode()}: run the version that wrote it, or start an "
            "empty --datadir and import the chain"
        )


def validate_format(datadir: Path, found: bytes | None) -> None:
    """Refuse what another version wrote; raises `OtherFormat`."""
    if found != FORMAT:
        raise OtherFormat(datadir, b"none" if found is None else found)
