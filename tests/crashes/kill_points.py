"""Points in a program where it may be killed: named places that count how often they are passed."""

import os
import signal
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from threading import Timer
from typing import Any

from tests.crashes.children import Report


@dataclass(frozen=True, slots=True)
class KillPlan:
    """Die at the nth passing of a kind of place, or `delay_s` after it, amid what follows."""

    kind: str
    passing: int
    delay_s: float = 0


class KillPoints:
    """Kills this process with SIGKILL where its plan says so."""

    def __init__(self, plan: KillPlan, report: Report) -> None:
        self._plan = plan
        self._report = report
        self._left = plan.passing

    def passed(self, kind: str, name: str) -> None:
        """Note that a place is passed; this may be the end."""
        if kind != self._plan.kind:
            return
        self._left -= 1
        if self._left:
            return
        self._report(f"killed {name.replace(' ', '-')}")
        if self._plan.delay_s:
            Timer(self._plan.delay_s, self._end).start()
        else:
            self._end()

    def _end(self) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    def wrap(
        self, owner: object, name: str, before: str | None = None, after: str | None = None
    ) -> None:
        """Make the calls of a function pass a place before they begin and one when they ended."""
        called: Callable[..., Any] = getattr(owner, name)

        @wraps(called)
        def counted(*arguments: Any, **named: Any) -> Any:
            if before is not None:
                self.passed(before, f"before {name}")
            result = called(*arguments, **named)
            if after is not None:
                self.passed(after, f"after {name}")
            return result

        setattr(owner, name, counted)
