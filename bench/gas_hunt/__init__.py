"""Shapes and data that were looked for to be charged least for their time."""

from bench.gas_cases.case import GasCase
from bench.gas_hunt import arguments, chains, moves, rows, windows

HUNTS = {
    **chains.HUNTS,
    **windows.HUNTS,
    **moves.HUNTS,
    **rows.HUNTS,
    **arguments.HUNTS,
}
"""Makers of cases by the name that `--only` takes."""


def hunted_cases(name: str) -> list[GasCase]:
    """Return the cases of one hunt; the data is the same in every run."""
    return list(HUNTS[name]())
