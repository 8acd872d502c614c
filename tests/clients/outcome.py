"""How each client went, as a table and as one line."""

from collections.abc import Sequence
from dataclasses import dataclass

from tests.clients.client_table import STEPS, Client

PASSED, FAILED, SKIPPED = "passed", "failed", "skipped"
SHOWN_CHARACTERS = 3_000
DONE, NOT_DONE, NOT_THERE = "ok", "FAILED", "-"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a client did: the steps it took, how long they took, and why it did not take more."""

    client: Client
    verdict: str
    steps: tuple[str, ...] = ()
    took_s: float = 0.0
    reason: str = ""


def skipped(client: Client, reason: str) -> Outcome:
    """Return the outcome of a client whose tool is missing."""
    return Outcome(client, SKIPPED, reason=reason)


def judge(client: Client, printed: str, status: int, took_s: float) -> Outcome:
    """Return how a client went that ended: it passed if it took each of its steps, in order."""
    lines = printed.splitlines()
    steps = tuple(line.removeprefix("ok ") for line in lines if line.startswith("ok "))
    if status == 0 and steps == client.steps:
        return Outcome(client, PASSED, steps, took_s)
    missing = [step for step in client.steps if step not in steps]
    shown = printed[-SHOWN_CHARACTERS:]
    reason = f"status {status}, not done: {' '.join(missing) or 'nothing'}\n{shown}"
    return Outcome(client, FAILED, steps, took_s, reason)


def table(outcomes: Sequence[Outcome]) -> str:
    """Return a row for each client: its steps, and the seconds that it took."""
    rows = [["client", *STEPS, "seconds"]]
    for outcome in outcomes:
        cells = [cell(outcome, step) for step in STEPS]
        took = NOT_THERE if outcome.verdict == SKIPPED else f"{outcome.took_s:.0f}"
        rows.append([outcome.client.name, *cells, took])
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = ("  ".join(text.ljust(w) for text, w in zip(row, widths, strict=True)) for row in rows)
    return "\n".join(line.rstrip() for line in lines)


def cell(outcome: Outcome, step: str) -> str:
    """Return what the table says of one step of one client."""
    if step not in outcome.client.steps:
        return NOT_THERE
    if outcome.verdict == SKIPPED:
        return SKIPPED
    return DONE if step in outcome.steps else NOT_DONE


def closing_line(outcomes: Sequence[Outcome]) -> str:
    """Return `N passed, N failed, N skipped`."""
    verdicts = [outcome.verdict for outcome in outcomes]
    return ", ".join(f"{verdicts.count(word)} {word}" for word in (PASSED, FAILED, SKIPPED))
