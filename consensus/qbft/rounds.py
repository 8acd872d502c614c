"""Which round it is: entering one, and the timers of a round."""

from dataclasses import replace

from consensus.qbft.events import TimerKind
from consensus.qbft.turn import Turn

MAX_DOUBLINGS = 40
"""Bounds the number, not the wait: rounds must go on growing, or a validator that is one ahead of
all others stays so for ever."""

MAX_ROUND = 2**32 - 1


def enter_round(turn: Turn, round_number: int) -> None:
    """Go to a later round: its proposal and own votes begin anew, what arrived stays."""
    turn.state = replace(turn.state, round=round_number, proposal=None, own={}, building=None)
    start_timers(turn)


def start_timers(turn: Turn) -> None:
    """Start the round's timers: sending again, and for a validator the round's end.

    A node that only follows changes rounds when validators do.
    """
    timeouts = turn.rules.timeouts
    start_ms = max(turn.now_ms, turn.state.context.due_ms)
    if turn.signer is None:
        return
    turn.set_timer(TimerKind.RESEND, start_ms + timeouts.resend_ms)
    doublings = min(turn.state.round, MAX_DOUBLINGS)
    turn.set_timer(TimerKind.ROUND, start_ms + (timeouts.round_ms << doublings))
