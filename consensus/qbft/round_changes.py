"""Round changes: taking one, sending one's own, and following others to a later round."""

from dataclasses import replace

from consensus.certificate import CommitCertificate
from consensus.qbft.block_reading import read_block
from consensus.qbft.events import Relay
from consensus.qbft.evidence import digest_of
from consensus.qbft.faults import Superfluous
from consensus.qbft.justification import proof_of, validate_form
from consensus.qbft.messages import (
    PreparedClaim,
    RoundChange,
    RoundChangePayload,
    SignedRoundChange,
)
from consensus.qbft.proposals import try_to_propose
from consensus.qbft.rounds import MAX_ROUND, enter_round
from consensus.qbft.signing import Signer
from consensus.qbft.state import HeldRoundChange
from consensus.qbft.turn import Turn
from consensus.qbft.voting import decide_if_known_final, report


def receive_round_change(
    turn: Turn,
    message: RoundChange,
    parent_certificate: CommitCertificate | None,
    signer: bytes | None,
) -> None:
    """Hold the latest round change of a signer; raises a `Refusal`."""
    state, payload = turn.state, message.payload
    if payload.round < state.round:
        raise Superfluous(f"a round change to {payload.round} in round {state.round}")
    if any(is_same(held.signed, message.signed) for held in state.round_changes.values()):
        raise Superfluous("a round change known already")
    validate_form(message)
    if signer is None:
        signer = turn.validator_who_signed(payload, message.signature)
    refuse_earlier_round_changes(turn, message.signed, signer)
    proof = proof_of(turn, message, parent_certificate)
    hold_round_change(turn, signer, HeldRoundChange(message.signed, proof))
    turn.act(Relay(message, None if proof is None else proof.parent_certificate, turn.sender))
    if proof is not None:
        turn.remember_block(read_block(turn, proof.block, proof.parent_certificate))
        decide_if_known_final(turn, proof.digest)
    follow_round_changes(turn)
    try_to_propose(turn)


def is_same(held: SignedRoundChange, signed: SignedRoundChange) -> bool:
    """Tell whether both are one message; a hundred different ones cost little."""
    return held.signature == signed.signature and held == signed


def refuse_earlier_round_changes(turn: Turn, signed: SignedRoundChange, signer: bytes) -> None:
    """Raise `Superfluous` unless this is the signer's latest; a second claim is reported."""
    held = turn.state.round_changes.get(signer)
    if held is None or held.round < signed.payload.round:
        return
    if held.round == signed.payload.round:
        if digest_of(held.signed.payload) != digest_of(signed.payload):
            report(turn, signer, held.signed, signed)
        raise Superfluous("a second round change to the round")
    raise Superfluous(f"a round change to {signed.payload.round} after one to {held.round}")


def hold_round_change(turn: Turn, signer: bytes, held: HeldRoundChange) -> None:
    """Keep a round change in place of the signer's earlier one."""
    round_changes = {**turn.state.round_changes, signer: held}
    turn.state = replace(turn.state, round_changes=round_changes)


def follow_round_changes(turn: Turn) -> None:
    """Go where f + 1 validators are: at least one of them is honest.

    That is the highest round that f + 1 have reached, at once: where following the smallest of
    the later rounds, again and again, ends.
    """
    state = turn.state
    later = sorted(held.round for held in state.round_changes.values() if held.round > state.round)
    if not state.is_decided and len(later) > state.faulty_bound:
        change_round(turn, later[-1 - state.faulty_bound])


def round_over(turn: Turn) -> None:
    """Go to the next round, for this one took too long."""
    if turn.state.round < MAX_ROUND:
        change_round(turn, turn.state.round + 1)


def change_round(turn: Turn, round_number: int) -> None:
    """Go to a later round, and tell the others, with the last certificate."""
    enter_round(turn, round_number)
    signer = turn.signer
    if signer is not None:
        announce_round(turn, signer)
    try_to_propose(turn)


def announce_round(turn: Turn, signer: Signer) -> None:
    """Send the round change to this round."""
    state, prepared = turn.state, turn.state.prepared
    claim = None if prepared is None else PreparedClaim(prepared.round, prepared.digest)
    payload = RoundChangePayload(state.height, state.round, claim)
    signed = SignedRoundChange(payload, turn.sign(signer, payload))
    if prepared is None:
        turn.cast(RoundChange(signed, None, ()), None)
    else:
        message = RoundChange(signed, prepared.block, prepared.prepares)
        turn.cast(message, prepared.parent_certificate)
    hold_round_change(turn, signer.address, HeldRoundChange(signed, prepared))
