"""The step function of consensus: (state, event) -> (state, actions), and nothing else.

QBFT as of Moniz, "The Istanbul BFT Consensus Algorithm", 2020, and EEA's QBFT specification v1;
what is ours stands in PROTOCOL section 5. It never waits, reads no clock, and raises nothing for
what others send: what comes to nothing is an action `Refused`.
"""

from dataclasses import replace
from typing import assert_never

from consensus.certificate import CommitCertificate
from consensus.qbft.beginning import begin
from consensus.qbft.events import (
    Action,
    BlockBuilt,
    BlockChecked,
    Event,
    Received,
    Refused,
    Send,
    Started,
    Timer,
    TimerFired,
    TimerKind,
)
from consensus.qbft.faults import BadMessage, Refusal, Superfluous
from consensus.qbft.messages import Commit, Message, Prepare, Proposal, RoundChange
from consensus.qbft.other_heights import receive_of_other_height
from consensus.qbft.proposals import block_built, receive_proposal, try_to_propose
from consensus.qbft.round_changes import receive_round_change, round_over
from consensus.qbft.rules import Rules
from consensus.qbft.state import EarlyMessage, State
from consensus.qbft.turn import Turn
from consensus.qbft.voting import consider_proposal, receive_commit, receive_prepare

__all__ = ["State", "step"]


def step(
    rules: Rules, state: State | None, event: Event
) -> tuple[State | None, tuple[Action, ...]]:
    """Return the state after an event, and what is to be done, in this order.

    `state` is None before the first `Started`; until then nothing happens. Raises `ValueError`
    where the driver hands in a block that this validator cannot have built, `BadMessage` where
    it hands in records of another chain.
    """
    if isinstance(event, Started):
        return start_height(rules, state, event)
    if state is None:
        return None, ()
    turn = Turn(rules, state, event.now_ms)
    match event:
        case Received():
            turn.sender = event.sender
            receive(turn, event.message, event.parent_certificate)
        case TimerFired():
            timer_fired(turn, event.timer)
        case BlockBuilt():
            block_built(turn, event)
        case BlockChecked():
            block_checked(turn, event)
        case _:
            assert_never(event)
    return turn.state, tuple(turn.actions)


def start_height(
    rules: Rules, previous: State | None, event: Started
) -> tuple[State, tuple[Action, ...]]:
    """Begin a height, and take up what came early for it."""
    turn = Turn(rules, State(event.context), event.now_ms)
    begin(turn, event)
    early = () if previous is None else tuple(previous.early.values())
    for kept in early:
        if kept.message.payload.height == event.context.height:
            turn.sender = kept.sender
            receive(turn, kept.message, kept.parent_certificate, kept)
    return turn.state, tuple(turn.actions)


def receive(
    turn: Turn,
    message: Message,
    parent_certificate: CommitCertificate | None,
    early: EarlyMessage | None = None,
) -> None:
    """Take a message; one that was kept early has its signature verified already."""
    try:
        if message.payload.height != turn.state.height:
            receive_of_other_height(turn, message, parent_certificate)
            return
        if turn.state.is_decided:
            raise Superfluous("the height is decided")
        signer = None if early is None else early.signer
        if signer is not None and signer not in turn.state.context.validators:
            raise Superfluous("its signer is no validator any more")
        take(turn, message, parent_certificate, signer)
    except Refusal as refusal:
        is_fault = isinstance(refusal, BadMessage)
        turn.act(Refused(turn.sender, refusal.reason, is_fault))


def take(
    turn: Turn,
    message: Message,
    parent_certificate: CommitCertificate | None,
    signer: bytes | None,
) -> None:
    """Take a message of this height; raises a `Refusal`."""
    match message:
        case Prepare():
            receive_prepare(turn, message, signer)
        case Commit():
            receive_commit(turn, message, signer)
        case RoundChange():
            receive_round_change(turn, message, parent_certificate, signer)
        case Proposal():
            receive_proposal(turn, message, parent_certificate, signer)
        case _:
            assert_never(message)


def timer_fired(turn: Turn, timer: Timer) -> None:
    """Do what the time has come for, unless its height or round is over."""
    state = turn.state
    if (timer.height, timer.round) != (state.height, state.round) or state.is_decided:
        return
    match timer.kind:
        case TimerKind.BUILD:
            try_to_propose(turn)
        case TimerKind.HEADER_TIME:
            consider_proposal(turn)
        case TimerKind.RESEND:
            send_again(turn)
        case TimerKind.ROUND:
            round_over(turn)


def send_again(turn: Turn) -> None:
    """Send the own messages of the round once more: through loss, partitions and reconnects."""
    for own in turn.state.own.values():
        turn.act(Send(own.message, own.parent_certificate))
    turn.set_timer(TimerKind.RESEND, turn.now_ms + turn.rules.timeouts.resend_ms)


def block_checked(turn: Turn, event: BlockChecked) -> None:
    """Keep the verdict on a block, and prepare it where it is the valid one of this round."""
    if event.height != turn.state.height or turn.state.is_decided:
        return
    if event.valid is None:
        others = {key: kept for key, kept in turn.state.verdicts.items() if key != event.digest}
        turn.state = replace(turn.state, verdicts=others)
        return
    turn.remember_verdict(event.digest, event.valid)
    proposal = turn.state.proposal
    if proposal is not None and proposal.known.digest == event.digest:
        consider_proposal(turn)
