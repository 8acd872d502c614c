"""Checks what a round change, and a proposal after round 0, claim of earlier rounds.

EEA QBFT v1 (`isProposalJustification`, `isValidRoundChangeJustification`); Moniz 2020,
algorithms 3 and 4. What costs a signature comes last.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from consensus.certificate import CommitCertificate
from consensus.qbft.block_reading import read_block
from consensus.qbft.events import PreparedCertificate
from consensus.qbft.faults import BadMessage
from consensus.qbft.messages import (
    Prepare,
    PreparedClaim,
    PreparePayload,
    Proposal,
    RoundChange,
    SignedRoundChange,
)
from consensus.qbft.state import KnownBlock, State
from consensus.qbft.turn import Turn


def highest_claim(round_changes: Iterable[SignedRoundChange]) -> PreparedClaim | None:
    """Return the claim of the highest prepared round, None where nobody was prepared.

    Two blocks prepared in one round need more than f byzantine validators; the first one counts.
    """
    claims = [each.payload.prepared for each in round_changes if each.payload.prepared]
    return max(claims, key=lambda claim: claim.round, default=None)


def validate_listing(name: str, signatures: Sequence[bytes], state: State) -> None:
    """Check that a list may be a quorum of different validators; raises `BadMessage`."""
    most = len(state.context.validators)
    if not state.quorum <= len(signatures) <= most:
        raise BadMessage(f"{len(signatures)} {name}, must be {state.quorum} to {most}")
    if len(set(signatures)) != len(signatures):
        raise BadMessage(f"the {name} repeat a signature")


def validate_prepares(turn: Turn, claim: PreparedClaim, prepares: Sequence[Prepare]) -> None:
    """Check that a quorum prepared the block of a claim in its round; raises `BadMessage`.

    What was verified is held like prepares that came alone, so that the certificates of many
    validators cost each signature once.
    """
    state = turn.state
    validate_listing("prepares", [prepare.signature for prepare in prepares], state)
    wanted = PreparePayload(state.height, claim.round, claim.digest)
    if any(prepare.payload != wanted for prepare in prepares):
        raise BadMessage("a prepare is for another height, round or block")
    signers = set()
    for prepare in prepares:
        signer = turn.state.prepares.signer_of(prepare)
        if signer is None:
            signer = turn.validator_who_signed(prepare.payload, prepare.signature)
            hold_prepare(turn, signer, prepare)
        signers.add(signer)
    if len(signers) != len(prepares):
        raise BadMessage("the prepares repeat a signer")


def hold_prepare(turn: Turn, signer: bytes, prepare: Prepare) -> None:
    """Keep a prepare that a certificate brought, where its signer's slot is free."""
    held, round_number = turn.state.prepares, prepare.payload.round
    if held.in_round(signer, round_number) is None and held.has_room(signer, round_number):
        turn.state = replace(turn.state, prepares=held.added(signer, prepare))


def validate_form(message: RoundChange) -> None:
    """Check that a round change has the parts that its claim needs; raises `BadMessage`."""
    payload = message.payload
    claim = payload.prepared
    if payload.round == 0:
        raise BadMessage("a round change to round 0")
    if claim is None and (message.block is not None or message.prepares):
        raise BadMessage("a block or prepares without a prepared round")
    if claim is not None and message.block is None:
        raise BadMessage("a prepared round without its block")
    if claim is not None and claim.round >= payload.round:
        raise BadMessage(f"prepared in round {claim.round}, going to {payload.round}")


def proof_of(
    turn: Turn, message: RoundChange, parent_certificate: CommitCertificate | None
) -> PreparedCertificate | None:
    """Return what proves the claim of a round change; raises `BadMessage`."""
    claim, block = message.payload.prepared, message.block
    if claim is None or block is None:
        return None
    validate_prepares(turn, claim, message.prepares)
    known = read_block(turn, block, parent_certificate)
    if known.digest != claim.digest:
        raise BadMessage("the block is not the prepared one")
    return PreparedCertificate(
        turn.state.height,
        claim.round,
        claim.digest,
        known.block,
        message.prepares,
        known.parent_certificate,
    )


def validate_quorum_there(turn: Turn, message: Proposal) -> None:
    """Check that a quorum went to the round of a proposal, looking at no block of it.

    Whoever proposes in some later round can sign a proposal now, and a full block takes half a
    second to read. Raises `BadMessage`.
    """
    listed = message.round_changes
    validate_listing("round changes", [each.signature for each in listed], turn.state)
    validate_round_changes(turn, message.payload.round, listed)


def validate_justification(turn: Turn, message: Proposal, known: KnownBlock) -> None:
    """Check that a round's proposer may propose this block; raises `BadMessage`.

    Without a prepared round it is a new block with the proposer as coinbase; else it is the
    block of the highest one.
    """
    state, round_number = turn.state, message.payload.round
    if round_number == 0:
        if message.round_changes or message.prepares:
            raise BadMessage("round 0 needs no justification")
        validate_coinbase(state, round_number, known)
        return
    listed = message.round_changes
    validate_listing("round changes", [each.signature for each in listed], state)
    claim = highest_claim(listed)
    if claim is None:
        if message.prepares:
            raise BadMessage("prepares without a prepared round")
        validate_coinbase(state, round_number, known)
    elif claim.digest != known.digest:
        raise BadMessage("the block is not that of the highest prepared round")
    validate_round_changes(turn, round_number, listed)
    if claim is not None:
        validate_prepares(turn, claim, message.prepares)


def validate_coinbase(state: State, round_number: int, known: KnownBlock) -> None:
    """Check that a new block pays the round's proposer; raises `BadMessage`."""
    if known.header.coinbase != state.proposer(round_number):
        raise BadMessage(f"coinbase 0x{known.header.coinbase.hex()} does not propose now")


def validate_round_changes(
    turn: Turn, round_number: int, listed: Sequence[SignedRoundChange]
) -> None:
    """Check that different validators signed round changes to this round; raises `BadMessage`."""
    held = {
        each.signed.signature: (each.signed, signer)
        for signer, each in turn.state.round_changes.items()
    }
    signers = set()
    for each in listed:
        payload = each.payload
        if (payload.height, payload.round) != (turn.state.height, round_number):
            raise BadMessage("a round change is to another height or round")
        if payload.prepared is not None and payload.prepared.round >= round_number:
            raise BadMessage("a round change was prepared in no earlier round")
        signed, signer = held.get(each.signature, (None, b""))
        if signed != each:
            signer = turn.validator_who_signed(payload, each.signature)
        signers.add(signer)
    if len(signers) != len(listed):
        raise BadMessage("the round changes repeat a signer")
