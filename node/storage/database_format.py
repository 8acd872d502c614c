"""Which form of tables a data directory has; it changes when a version cannot read another's."""

from collections.abc import Collection
from pathlib import Path

from cvm.faults import DatabaseFault

FORMAT = b"1"
"""Written with block 0. Tables that only add something keep it."""

CHANGED_FORMAT = b"1 changed by hand"
"""The same tables on a development chain whose state or blocks follow no rule any more."""


class OtherFormat(DatabaseFault):
    """Another version of this software wrote the data directory."""

    def __init__(self, datadir: Path, found: bytes) -> None:
        super().__init__(
            f"the data directory {datadir} has format {found.decode(errors='replace')}, this "
            f"version reads format {FORMAT.decode()}: run the version that wrote it, or start an "
            "empty --datadir and import the chain"
        )


class ChangedByHand(DatabaseFault):
    """Methods of a development chain changed what blocks decide, so no node can check it."""

    def __init__(self, datadir: Path) -> None:
        super().__init__(
            f"the chain in {datadir} was changed by methods of `cvm dev` (anvil_, evm_, hardhat_): "
            "no other node can check it, and only `cvm dev` opens it"
        )


def validate_format(
    datadir: Path, found: bytes | None, taken: Collection[bytes] = (FORMAT,)
) -> None:
    """Refuse what another version wrote; raises `OtherFormat` or `ChangedByHand`."""
    if found in taken:
        return
    if found == CHANGED_FORMAT:
        raise ChangedByHand(datadir)
    raise OtherFormat(datadir, b"none" if found is None else found)
