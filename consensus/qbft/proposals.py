"""Proposals: taking one, and making one's own."""

from collections.abc import Sequence
from dataclasses import replace

from consensus.certificate import CommitCertificate
from consensus.qbft.block_reading import read_block
from consensus.qbft.events import BlockBuilt, BuildBlock, Relay
from consensus.qbft.evidence import SignedPayload, digest_of
from consensus.qbft.faults import BadMessage, Superfluous
from consensus.qbft.justification import (
    highest_claim,
    validate_coinbase,
    validate_justification,
    validate_quorum_there,
)
from consensus.qbft.messages import (
    PREPARE,
    PROPOSAL,
    Prepare,
    PreparedClaim,
    Proposal,
    ProposalPayload,
    SignedRoundChange,
)
from consensus.qbft.rounds import enter_round
from consensus.qbft.state import AcceptedProposal, HeldRoundChange, KnownBlock
from consensus.qbft.turn import Turn
from consensus.qbft.voting import consider_proposal, decide_if_known_final, report


def receive_proposal(
    turn: Turn,
    message: Proposal,
    parent_certificate: CommitCertificate | None,
    signer: bytes | None,
) -> None:
    """Take the first sound proposal of this round or of a later one; raises a `Refusal`."""
    refuse_known_proposals(turn, message)
    proposer = turn.state.proposer(message.payload.round)
    if signer is None:
        signer = turn.validator_who_signed(message.payload, message.signature)
    if signer != proposer:
        raise BadMessage(f"0x{signer.hex()} does not propose in round {message.payload.round}")
    if message.payload.round > turn.state.round:
        validate_quorum_there(turn, message)
    known = read_block(turn, message.payload.block, parent_certificate)
    refuse_second_proposals(turn, message, known, proposer)
    validate_justification(turn, message, known)
    turn.act(Relay(message, known.parent_certificate, turn.sender))
    accept_proposal(turn, message, known)


def refuse_known_proposals(turn: Turn, message: Proposal) -> None:
    """Raise `Superfluous` for what can be told without a signature."""
    state, payload = turn.state, message.payload
    if payload.round < state.round:
        raise Superfluous(f"a proposal of round {payload.round} in round {state.round}")
    if payload.round > state.round or state.proposal is None:
        return
    if payload.block == state.proposal.known.block:
        raise Superfluous("a proposal known already")
    if (state.proposer(payload.round), PROPOSAL) in state.accused:
        raise Superfluous("one more proposal of who is reported already")


def refuse_second_proposals(
    turn: Turn, message: Proposal, known: KnownBlock, proposer: bytes
) -> None:
    """Raise `Superfluous` where this round has another block, and report who proposed both."""
    state, payload = turn.state, message.payload
    if payload.round > state.round:
        return
    accepted, own = state.proposal, state.own.get(PREPARE)
    if accepted is not None and known.digest != accepted.known.digest:
        if accepted.signature is not None:
            first = ProposalPayload(payload.height, payload.round, accepted.known.block)
            report(turn, proposer, SignedPayload(first, accepted.signature), message)
        raise Superfluous("a second proposal of the round")
    if own is not None and digest_of(own.message.payload) != known.digest:
        raise Superfluous("another block was prepared here in this round")


def accept_proposal(turn: Turn, message: Proposal, known: KnownBlock) -> None:
    """Make a sound proposal that of the round, going there where the round is a later one."""
    if message.payload.round > turn.state.round:
        enter_round(turn, message.payload.round)
    turn.state = replace(turn.state, proposal=AcceptedProposal(known, message.signature))
    turn.remember_block(known)
    decide_if_known_final(turn, known.digest)
    consider_proposal(turn)


def try_to_propose(turn: Turn) -> None:
    """Propose, or ask for a block to propose, where it is this validator's turn.

    After round 0 a quorum of round changes to this round is needed, and the block of the highest
    prepared round among them goes on unchanged.
    """
    state = turn.state
    if state.is_decided or state.proposal is not None or state.building is not None:
        return
    if not turn.is_proposer() or PROPOSAL in state.own or PREPARE in state.own:
        return
    listed = [each for each in round_changes_held(turn) if each.round == state.round]
    if state.round and len(listed) < state.quorum:
        return
    signed = tuple(each.signed for each in listed) if state.round else ()
    claim = highest_claim(signed)
    if claim is None:
        turn.state = replace(state, building=signed)
        turn.act(BuildBlock(state.height, state.round))
    else:
        propose_prepared(turn, listed, claim)


def round_changes_held(turn: Turn) -> list[HeldRoundChange]:
    """Return the round changes in the order of the validators."""
    held, validators = turn.state.round_changes, turn.state.context.validators
    return [held[validator] for validator in validators if validator in held]


def propose_prepared(turn: Turn, listed: Sequence[HeldRoundChange], claim: PreparedClaim) -> None:
    """Propose the block of a claim again."""
    proofs = [each.proof for each in listed if each.signed.payload.prepared == claim]
    proof = next(proof for proof in proofs if proof is not None)
    known = read_block(turn, proof.block, proof.parent_certificate)
    propose(turn, known, tuple(each.signed for each in listed), proof.prepares)


def block_built(turn: Turn, event: BlockBuilt) -> None:
    """Propose the block that was built for this round; raises `ValueError` for a wrong one."""
    state = turn.state
    if (event.height, event.round) != (state.height, state.round) or state.building is None:
        return
    if state.is_decided or state.proposal is not None:
        return
    try:
        known = read_block(turn, event.block, event.parent_certificate)
        validate_coinbase(state, state.round, known)
    except BadMessage as error:
        raise ValueError(f"the block built here cannot be proposed: {error}") from error
    turn.remember_verdict(known.digest, valid=True)
    propose(turn, known, state.building, ())


def propose(
    turn: Turn,
    known: KnownBlock,
    round_changes: tuple[SignedRoundChange, ...],
    prepares: tuple[Prepare, ...],
) -> None:
    """Send the proposal of this round, and take it."""
    signer = turn.signer
    if signer is None:
        return
    payload = ProposalPayload(turn.state.height, turn.state.round, known.block)
    message = Proposal(payload, turn.sign(signer, payload), round_changes, prepares)
    turn.cast(message, known.parent_certificate)
    accept_proposal(turn, message, known)
