"""What became of one case of a public suite, and who judges a whole file of them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

from cvm.evm.message_rules import Interpreter

PASSED, FAILED, SKIPPED = "passed", "failed", "skipped"


@dataclass(frozen=True, slots=True)
class Outcome:
    """One case: `passed`, `failed` with what is wrong, or `skipped` with the reason."""

    case: str
    verdict: str
    reason: str = ""


Judge: TypeAlias = Callable[[str, Any, type[Interpreter]], list[Outcome]]
"""From the path of a file in its suite, its JSON and an interpreter to its outcomes."""


def outcome(case: str, fault: str | None) -> Outcome:
    """Return the outcome of a case that ran; `fault` says what is wrong with it."""
    return Outcome(case, PASSED) if fault is None else Outcome(case, FAILED, fault)
