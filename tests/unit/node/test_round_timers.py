"""A timer fires once, at the last time that it was set for, and not after it was dropped."""

import asyncio

from consensus.qbft.events import Timer, TimerKind
from node.round_timers import RoundTimers

RESEND, ROUND = Timer(TimerKind.RESEND, 7, 0), Timer(TimerKind.ROUND, 7, 0)
NEVER_MS = 3_600_000
TIMEOUT_S = 20


def fired_until(last: Timer, *settings: tuple[Timer, int], dropped: bool = False) -> list[Timer]:
    """Set timers, drop all if asked, set `last` for now, and return what fired up to it."""

    async def run() -> list[Timer]:
        fired: list[Timer] = []
        over = asyncio.Event()

        def fire(timer: Timer) -> None:
            fired.append(timer)
            if timer == last:
                over.set()

        timers = RoundTimers(fire)
        for timer, delay_ms in settings:
            timers.set(timer, delay_ms)
        if dropped:
            timers.drop()
        timers.set(last, 1)
        async with asyncio.timeout(TIMEOUT_S):
            await over.wait()
        timers.drop()
        return fired

    return asyncio.run(run())


def test_what_is_set_again_fires_once() -> None:
    assert fired_until(ROUND, (RESEND, 0), (ROUND, NEVER_MS)) == [RESEND, ROUND]


def test_a_time_that_has_passed_is_now() -> None:
    assert fired_until(ROUND, (RESEND, -5)) == [RESEND, ROUND]


def test_what_was_dropped_does_not_fire() -> None:
    assert fired_until(ROUND, (RESEND, 0), dropped=True) == [ROUND]
