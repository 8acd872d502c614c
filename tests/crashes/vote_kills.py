"""A validator is killed between signing and sending, again and again; what it sent is one vote."""

from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from consensus.certificate import quorum
from consensus.qbft.message_decoding import decode_message
from tests.crashes.children import Life, run_child
from tests.crashes.vote_life import SIGNERS, live
from tests.crashes.vote_record import VoteRecord


def kill_votes(
    folder: Path, kills: int, seed: int, say: Callable[[str], None], *, forgets: bool = False
) -> dict[str, Any]:
    """Run that many lives on one folder; return what they sent and what was wrong."""
    record = VoteRecord(quorum(len(SIGNERS)))
    kinds: Counter[str] = Counter()
    faults: list[str] = []
    for life in range(kills):
        found = run_child(partial(_live, folder, seed, life, forgets))
        read_life(found, record)
        kinds.update(name for (name,) in found.told("killed"))
        faults += [f"life {life} blames: {reason}" for (reason,) in found.told("blamed")]
        if not found.was_killed:
            faults.append(f"life {life} ended by itself with status {found.status}")
        if (life + 1) % 50 == 0:
            say(f"votes: {life + 1} kills, {len(record.violations)} violations")
    return {
        "kills": kills,
        "seed": seed,
        "violations": record.violations[:20],
        "faults": faults[:20],
        "messages": record.counts(),
        "heights": record.heights(),
        "highest_round": record.rounds(),
        "offers_against_an_own_vote": record.temptations,
        "killed_at": dict(sorted(kinds.items())),
        "passed": not record.violations and not faults,
    }


def _live(folder: Path, seed: int, life: int, forgets: bool, report: Callable[[str], None]) -> None:
    live(folder, seed, life, report, forgets=forgets)


def read_life(life: Life, record: VoteRecord) -> None:
    """Add what a life sent, and what it was offered, in order."""
    for line in life.lines:
        word, *rest = line.split()
        if word == "sent":
            record.sent(decode_message(int(rest[0]), bytes.fromhex(rest[1])))
        elif word == "offered":
            record.offered(int(rest[0]), int(rest[1]), bytes.fromhex(rest[2]))
