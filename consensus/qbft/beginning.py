"""How a height begins, also after a restart: with what was persisted, nothing is signed twice."""

from collections.abc import Iterable
from dataclasses import replace

from consensus.qbft.block_reading import read_block
from consensus.qbft.events import (
    OwnMessage,
    PreparedCertificate,
    Record,
    Send,
    Started,
    TimerKind,
)
from consensus.qbft.justification import validate_prepares
from consensus.qbft.messages import (
    PROPOSAL,
    Commit,
    Prepare,
    PreparedClaim,
    Proposal,
    RoundChange,
)
from consensus.qbft.proposals import try_to_propose
from consensus.qbft.records import height_of
from consensus.qbft.round_changes import hold_round_change
from consensus.qbft.rounds import start_timers
from consensus.qbft.signing import Signer
from consensus.qbft.state import AcceptedProposal, HeldRoundChange, KnownBlock
from consensus.qbft.turn import Turn
from consensus.qbft.voting import consider_proposal, decide_if_known_final


def begin(turn: Turn, event: Started) -> None:
    """Begin a height, in the highest round that this validator signed anything in.

    Raises `BadMessage` where the records are not of this chain.
    """
    signer = turn.signer
    if signer is not None:
        height = event.context.height
        restore(turn, signer, [each for each in event.records if height_of(each) == height])
    start_timers(turn)
    for own in turn.state.own.values():
        turn.act(Send(own.message, own.parent_certificate))
    for digest in turn.state.blocks:
        decide_if_known_final(turn, digest)
    consider_proposal(turn)
    if turn.state.round == 0 and turn.is_proposer() and turn.now_ms < event.context.due_ms:
        turn.set_timer(TimerKind.BUILD, event.context.due_ms)
    else:
        try_to_propose(turn)


def restore(turn: Turn, signer: Signer, records: Iterable[Record]) -> None:
    """Take up what was persisted before a restart."""
    own = [each for each in records if isinstance(each, OwnMessage) and is_by(turn, signer, each)]
    certificates = [each for each in records if isinstance(each, PreparedCertificate)]
    prepared = max(certificates, key=lambda each: each.round, default=None)
    rounds = [each.message.payload.round for each in own]
    round_number = max([*rounds, 0 if prepared is None else prepared.round])
    latest: dict[int, OwnMessage] = {}
    for each in own:
        if each.message.payload.round == round_number:
            latest.setdefault(each.message.payload.CODE, each)
    turn.state = replace(turn.state, round=round_number, own=latest, prepared=prepared)
    for each in own:
        hold_own(turn, signer, each)
    if prepared is not None:
        restore_certificate(turn, prepared)
    if PROPOSAL in latest:
        restore_proposal(turn, latest[PROPOSAL])


def is_by(turn: Turn, signer: Signer, own: OwnMessage) -> bool:
    """Tell whether a record is of the key in use."""
    message = own.message
    return turn.validator_who_signed(message.payload, message.signature) == signer.address


def hold_own(turn: Turn, signer: Signer, own: OwnMessage) -> None:
    """Count an own message like those of others."""
    message, state = own.message, turn.state
    match message:
        case Prepare():
            held = state.prepares.added(signer.address, message)
            turn.state = replace(state, prepares=held)
        case Commit():
            turn.state = replace(state, commits=state.commits.added(signer.address, message))
        case RoundChange() if message.payload.round == state.round:
            held_change = HeldRoundChange(message.signed, proof_in(own, message))
            hold_round_change(turn, signer.address, held_change)


def proof_in(own: OwnMessage, message: RoundChange) -> PreparedCertificate | None:
    """Return the certificate that an own round change carries."""
    claim = message.payload.prepared
    if claim is None or message.block is None:
        return None
    return PreparedCertificate(
        message.payload.height,
        claim.round,
        claim.digest,
        message.block,
        message.prepares,
        own.parent_certificate,
    )


def restore_certificate(turn: Turn, prepared: PreparedCertificate) -> None:
    """Take up the prepared block; it is the proposal where its round is this one."""
    known = read_block(turn, prepared.block, prepared.parent_certificate)
    turn.remember_block(known)
    validate_prepares(turn, PreparedClaim(prepared.round, prepared.digest), prepared.prepares)
    if prepared.round == turn.state.round:
        turn.state = replace(turn.state, proposal=AcceptedProposal(known, None))


def restore_proposal(turn: Turn, own: OwnMessage) -> None:
    """Take up the own proposal of this round."""
    message = own.message
    if isinstance(message, Proposal):
        known: KnownBlock = read_block(turn, message.payload.block, own.parent_certificate)
        turn.remember_block(known)
        turn.state = replace(turn.state, proposal=AcceptedProposal(known, message.signature))
