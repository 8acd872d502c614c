"""A node's disk is written and its process killed, again and again; no final block is lost."""

from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from tests.crashes.children import Life, run_child
from tests.crashes.storage_check import Told
from tests.crashes.storage_life import live


def kill_storage(
    folder: Path, kills: int, seed: int, say: Callable[[str], None], *, forges: bool = False
) -> dict[str, Any]:
    """Run that many lives on an archive and on a pruned node by turns; return what was found.

    `forges` plants a bug: it tells of a final block that never was one.
    """
    nodes = {prunes: Told() for prunes in (False, True)}
    kinds: Counter[str] = Counter()
    faults: list[str] = []
    snapshots = 0
    for life in range(kills):
        prunes = bool(life % 2)
        told = nodes[prunes]
        found = run_child(partial(_live, folder, seed, life, told, prunes))
        read_life(found, told)
        if forges and life == kills // 2:
            told.finals[max(told.finals, default=0)] = bytes(32)
        kinds.update(name for (name,) in found.told("killed"))
        snapshots += len(found.told("snapshot"))
        if not found.was_killed:
            faults.append(f"life {life} ended by itself with status {found.status}")
        if (life + 1) % 50 == 0:
            finals = sum(len(each.finals) for each in nodes.values())
            say(f"storage: {life + 1} kills, {finals} final blocks, {len(faults)} faults")
    return {
        "kills": kills,
        "seed": seed,
        "faults": faults[:20],
        "final_blocks": sum(len(each.finals) for each in nodes.values()),
        "snapshots": snapshots,
        "killed_at": dict(sorted(kinds.items())),
        "passed": not faults,
    }


def _live(
    folder: Path, seed: int, life: int, told: Told, prunes: bool, report: Callable[[str], None]
) -> None:
    place = folder / ("pruned" if prunes else "archive")
    live(place, seed, life, told, report, prunes=prunes)


def read_life(life: Life, told: Told) -> None:
    """Add what a life told; a head that it found may be one that an earlier one did not tell."""
    for line in life.lines:
        word, *rest = line.split()
        if word in ("final", "found"):
            told.finals[int(rest[0])] = bytes.fromhex(rest[1])
        elif word == "vote":
            told.votes = {(int(rest[0]), int(rest[1])): bytes.fromhex(rest[2])}
        elif word == "model":
            told.models.add(bytes.fromhex(rest[0]))
        elif word == "models-dropped":
            told.models.clear()
        elif word == "evidence":
            told.evidence.add(bytes.fromhex(rest[0]))
        elif word == "evidence-dropped":
            told.evidence.clear()
