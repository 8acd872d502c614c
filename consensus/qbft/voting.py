"""Prepares and commits: taking them, casting one's own, and what a quorum of them does."""

from dataclasses import replace

from consensus.certificate import certify
from consensus.qbft.events import (
    Behind,
    CheckBlock,
    Decide,
    Persist,
    PreparedCertificate,
    Relay,
    Report,
    TimerKind,
)
from consensus.qbft.evidence import Said, evidence_of
from consensus.qbft.faults import BadMessage, Superfluous
from consensus.qbft.messages import (
    COMMIT,
    PREPARE,
    Commit,
    CommitPayload,
    Prepare,
    PreparePayload,
)
from consensus.qbft.signing import Signer
from consensus.qbft.turn import Turn
from consensus.qbft.votes import Vote, Votes


def receive_prepare(turn: Turn, message: Prepare, signer: bytes | None) -> None:
    """Hold a prepare of this round or a later one; raises a `Refusal`."""
    state = turn.state
    if message.payload.round < state.round:
        raise Superfluous(f"a prepare of round {message.payload.round} in round {state.round}")
    signer = check_vote(turn, state.prepares, message, signer)
    turn.state = replace(turn.state, prepares=state.prepares.added(signer, message))
    turn.act(Relay(message, None, turn.sender))
    commit_if_prepared(turn)


def receive_commit(turn: Turn, message: Commit, signer: bytes | None) -> None:
    """Hold a commit of any round, its seal checked; raises a `Refusal`."""
    state = turn.state
    signer = check_vote(turn, state.commits, message, signer)
    payload = message.payload
    sealed = turn.rules.seals.digest(payload.height, payload.round, payload.digest)
    if turn.rules.recover(sealed, payload.seal) != signer:
        raise BadMessage("the commit seal is not the signer's")
    turn.state = replace(turn.state, commits=state.commits.added(signer, message))
    turn.act(Relay(message, None, turn.sender))
    decide_if_committed(turn, payload.round, payload.digest)


def check_vote(turn: Turn, votes: Votes[Vote], message: Vote, signer: bytes | None) -> bytes:
    """Return the validator whose vote this is, new and of use; raises a `Refusal`.

    A second vote of a signer for another block in the round is reported, and not counted.
    """
    payload = message.payload
    if votes.holds(message):
        raise Superfluous("a vote known already")
    if signer is None:
        signer = turn.validator_who_signed(payload, message.signature)
    earlier = votes.in_round(signer, payload.round)
    if earlier is not None:
        if earlier.payload.digest != payload.digest:
            report(turn, signer, earlier, message)
        raise Superfluous("a second vote of the round")
    if not votes.has_room(signer, payload.round):
        raise Superfluous("older than the votes kept of its signer")
    return signer


def report(turn: Turn, signer: bytes, earlier: Said, later: Said) -> None:
    """Report that a validator signed both: once for each height and code."""
    accused = (signer, later.payload.CODE)
    if accused in turn.state.accused:
        return
    turn.state = replace(turn.state, accused=turn.state.accused | {accused})
    turn.act(Report(evidence_of(signer, earlier, later)))


def consider_proposal(turn: Turn) -> None:
    """Prepare the proposal of the round once it was found valid and its time has come."""
    state, signer = turn.state, turn.signer
    if signer is None or state.proposal is None or state.is_decided:
        return
    known = state.proposal.known
    if PREPARE in state.own:
        commit_if_prepared(turn)
        return
    if known.digest not in state.verdicts:
        turn.remember_verdict(known.digest, None)
        turn.act(
            CheckBlock(
                state.height, state.round, known.digest, known.block, known.parent_certificate
            )
        )
        return
    if not state.verdicts[known.digest]:
        return
    earliest_ms = known.header.timestamp_s * 1000 - turn.rules.timeouts.header_ahead_ms
    if turn.now_ms < earliest_ms:
        turn.set_timer(TimerKind.HEADER_TIME, earliest_ms)
        return
    cast_prepare(turn, signer, known.digest)


def cast_prepare(turn: Turn, signer: Signer, digest: bytes) -> None:
    """Prepare a block in this round."""
    payload = PreparePayload(turn.state.height, turn.state.round, digest)
    message = Prepare(payload, turn.sign(signer, payload))
    turn.cast(message, None)
    if turn.state.prepares.in_round(signer.address, payload.round) is None:
        held = turn.state.prepares.added(signer.address, message)
        turn.state = replace(turn.state, prepares=held)
    commit_if_prepared(turn)


def commit_if_prepared(turn: Turn) -> None:
    """Commit once a quorum prepared the block that this validator prepared in this round.

    The certificate is persisted first: a later round change must claim it.
    """
    state, signer = turn.state, turn.signer
    if signer is None or state.proposal is None or state.is_decided or COMMIT in state.own:
        return
    known, prepare = state.proposal.known, state.own.get(PREPARE)
    if prepare is None:
        return
    prepares = state.prepares.matching(state.round, known.digest)
    if len(prepares) < state.quorum:
        return
    certificate = PreparedCertificate(
        state.height,
        state.round,
        known.digest,
        known.block,
        tuple(message for _signer, message in prepares[: state.quorum]),
        known.parent_certificate,
    )
    if state.prepared is None or state.prepared.round < state.round:
        turn.state = replace(state, prepared=certificate)
        turn.act(Persist(certificate))
    cast_commit(turn, signer, known.digest)


def cast_commit(turn: Turn, signer: Signer, digest: bytes) -> None:
    """Commit to a block in this round."""
    height, round_number = turn.state.height, turn.state.round
    seal = signer.sign(turn.rules.seals.digest(height, round_number, digest))
    payload = CommitPayload(height, round_number, digest, seal)
    message = Commit(payload, turn.sign(signer, payload))
    turn.cast(message, None)
    if turn.state.commits.in_round(signer.address, round_number) is None:
        held = turn.state.commits.added(signer.address, message)
        turn.state = replace(turn.state, commits=held)
    decide_if_committed(turn, round_number, digest)


def decide_if_committed(turn: Turn, round_number: int, digest: bytes) -> None:
    """Decide a block that a quorum committed to in one round, whatever this node voted.

    Where the block itself is not here, whoever sends the votes is asked for the final one.
    """
    state = turn.state
    commits = state.commits.matching(round_number, digest)
    if state.is_decided or len(commits) < state.quorum:
        return
    known = state.blocks.get(digest)
    if known is None:
        turn.act(Behind(state.height + 1, turn.sender))
        return
    validators = state.context.validators
    seals = sorted((validators.index(who), vote.payload.seal) for who, vote in commits)
    certificate = certify(state.height, round_number, digest, seals[: state.quorum])
    turn.state = replace(state, is_decided=True)
    turn.act(Decide(state.height, known.block, certificate, known.parent_certificate))


def decide_if_known_final(turn: Turn, digest: bytes) -> None:
    """Decide a block that became known after a quorum's commits to it."""
    for round_number in turn.state.commits.rounds_of(digest):
        decide_if_committed(turn, round_number, digest)
