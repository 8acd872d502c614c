"""Prepare after a valid check, commit after a quorum of prepares, decide after one of commits."""

import pytest

from consensus.certificate import quorum
from consensus.qbft.events import (
    Behind,
    CheckBlock,
    Decide,
    OwnMessage,
    Persist,
    PreparedCertificate,
    Relay,
    Send,
    SetTimer,
    Timer,
    TimerKind,
)
from consensus.qbft.messages import Commit, CommitPayload, Prepare
from tests.qbft_world import (
    BLOCK,
    DIGEST,
    DUE_MS,
    HEIGHT,
    OTHER,
    PARENT_CERTIFICATE,
    SEALS,
    SIGNERS,
    Node,
    addresses,
    commit_by,
    context_of,
    found,
    hash_of,
    prepare_by,
    proposal_by,
    refusal,
    rules_of,
    sent,
    signature_of,
    tiny_block,
    validator,
)


def with_proposal(index: int = 3, count: int = 4) -> Node:
    node = validator(index, count)
    node.receive(proposal_by(0, BLOCK))
    return node


def prepared(index: int = 3) -> Node:
    """Return a validator of four that has committed."""
    node = with_proposal(index)
    node.check(BLOCK)
    node.receive_all([prepare_by(0, DIGEST), prepare_by(1, DIGEST)])
    return node


def test_a_proposal_is_checked_before_anything_is_signed() -> None:
    node = validator(3)
    actions = node.receive(proposal_by(0, BLOCK))
    (check,) = found(CheckBlock, actions)
    assert (check.height, check.round, check.digest) == (HEIGHT, 0, DIGEST)
    assert (check.block, check.parent_certificate) == (BLOCK, PARENT_CERTIFICATE)
    assert sent(actions) == []


def test_a_valid_block_is_prepared() -> None:
    actions = with_proposal().check(BLOCK)
    expected = prepare_by(3, DIGEST)
    assert actions == [Persist(OwnMessage(expected, None)), Send(expected, None)]


def test_an_invalid_block_is_not_prepared() -> None:
    assert with_proposal().check(BLOCK, valid=False) == []


def test_a_block_that_cannot_be_judged_is_not_prepared() -> None:
    assert with_proposal().check(BLOCK, valid=None) == []


def test_a_verdict_on_another_block_signs_nothing() -> None:
    assert with_proposal().check(OTHER) == []


@pytest.mark.parametrize(
    ("ahead_s", "is_prepared"),
    [pytest.param(2, True, id="2 s ahead"), pytest.param(3, False, id="3 s ahead")],
)
def test_the_header_time_may_be_2_s_ahead_of_the_clock(ahead_s: int, is_prepared: bool) -> None:
    node = validator(3)
    block = tiny_block(SIGNERS[0].address, timestamp_s=DUE_MS // 1000 + ahead_s)
    node.receive(proposal_by(0, block))
    assert (sent(node.check(block)) == [prepare_by(3, hash_of(block))]) == is_prepared


def test_a_block_ahead_of_the_clock_is_prepared_when_its_time_comes() -> None:
    node = validator(3)
    block = tiny_block(SIGNERS[0].address, timestamp_s=DUE_MS // 1000 + 5)
    node.receive(proposal_by(0, block))
    timer = Timer(TimerKind.HEADER_TIME, HEIGHT, 0)
    assert node.check(block) == [SetTimer(timer, DUE_MS + 3000)]
    node.now_ms = DUE_MS + 3000
    assert sent(node.fire(TimerKind.HEADER_TIME, 0)) == [prepare_by(3, hash_of(block))]


def test_a_quorum_of_prepares_is_persisted_before_the_commit() -> None:
    node = with_proposal()
    node.check(BLOCK)
    assert found(Send, node.receive(prepare_by(0, DIGEST))) == []
    actions = node.receive(prepare_by(1, DIGEST))
    prepares = (prepare_by(3, DIGEST), prepare_by(0, DIGEST), prepare_by(1, DIGEST))
    certificate = PreparedCertificate(HEIGHT, 0, DIGEST, BLOCK, prepares, PARENT_CERTIFICATE)
    commit = commit_by(3, DIGEST)
    assert actions == [
        Relay(prepare_by(1, DIGEST), None, b"peer"),
        Persist(certificate),
        Persist(OwnMessage(commit, None)),
        Send(commit, None),
    ]


def test_prepares_that_came_before_the_proposal_count() -> None:
    node = validator(3)
    node.receive_all([prepare_by(0, DIGEST), prepare_by(1, DIGEST)])
    node.receive(proposal_by(0, BLOCK))
    assert sent(node.check(BLOCK)) == [prepare_by(3, DIGEST), commit_by(3, DIGEST)]


def test_prepares_of_others_commit_nothing_before_the_own_check() -> None:
    node = with_proposal()
    assert sent(node.receive_all([prepare_by(index, DIGEST) for index in (0, 1, 2)])) == []


def test_prepares_for_another_block_do_not_count() -> None:
    node = with_proposal()
    node.check(BLOCK)
    node.receive_all([prepare_by(0, DIGEST), prepare_by(1, hash_of(OTHER))])
    assert [type(message) for message in sent(node.actions)] == [Prepare]


def test_a_quorum_of_commits_decides() -> None:
    node = prepared()
    node.receive(commit_by(1, DIGEST))
    (decision,) = found(Decide, node.receive(commit_by(0, DIGEST)))
    assert (decision.height, decision.block) == (HEIGHT, BLOCK)
    assert decision.parent_certificate == PARENT_CERTIFICATE
    assert decision.certificate.signers == 0b1011
    seals = [commit_by(index, DIGEST).payload.seal for index in (0, 1, 3)]
    assert list(decision.certificate.seals) == seals


@pytest.mark.parametrize("count", range(2, 8))
def test_needs_and_seals_exactly_a_quorum(count: int) -> None:
    node = with_proposal(count - 1, count)
    decisions = []
    for index in range(count - 1):
        decisions += found(Decide, node.receive(commit_by(index, DIGEST)))
        assert len(decisions) == (index + 1 >= quorum(count))
    if not decisions:
        node.check(BLOCK)
        node.receive_all(prepare_by(index, DIGEST) for index in range(count - 1))
        decisions = found(Decide, node.actions)
    (decision,) = decisions
    assert len(decision.certificate.seals) == quorum(count)


def test_commits_decide_whatever_this_node_voted() -> None:
    node = with_proposal()
    node.check(BLOCK, valid=False)
    actions = node.receive_all(commit_by(index, DIGEST) for index in (0, 1, 2))
    assert [decision.block for decision in found(Decide, actions)] == [BLOCK]


def test_commits_that_came_before_the_proposal_count() -> None:
    node = validator(3)
    node.receive_all(commit_by(index, DIGEST) for index in (0, 1, 2))
    assert len(found(Decide, node.receive(proposal_by(0, BLOCK)))) == 1


def test_commits_of_an_older_round_decide_after_a_round_change() -> None:
    node = with_proposal()
    node.receive_all([commit_by(0, DIGEST), commit_by(1, DIGEST)])
    node.fire(TimerKind.ROUND, 0)
    (decision,) = found(Decide, node.receive(commit_by(2, DIGEST)))
    assert (decision.block, decision.certificate.round) == (BLOCK, 0)


def test_commits_of_two_rounds_do_not_add_up() -> None:
    node = with_proposal()
    commits = [commit_by(0, DIGEST), commit_by(1, DIGEST), commit_by(2, DIGEST, 1)]
    assert found(Decide, node.receive_all(commits)) == []


def test_a_quorum_of_commits_to_an_unknown_block_asks_for_it() -> None:
    node = validator(3)
    actions = node.receive_all(commit_by(index, DIGEST) for index in (0, 1, 2))
    assert found(Behind, actions) == [Behind(HEIGHT + 1, b"peer")]


def test_a_follower_decides_and_signs_nothing() -> None:
    node = Node(rules_of(None))
    node.start(context_of(4))
    node.receive(proposal_by(0, BLOCK))
    node.receive_all(prepare_by(index, DIGEST) for index in range(4))
    node.receive_all(commit_by(index, DIGEST) for index in range(4))
    assert len(found(Decide, node.actions)) == 1
    assert sent(node.actions) == []
    assert node.records() == []


def test_nothing_happens_to_a_decided_height() -> None:
    node = prepared()
    node.receive_all([commit_by(0, DIGEST), commit_by(1, DIGEST)])
    late = node.receive(commit_by(2, DIGEST)) + node.fire(TimerKind.ROUND, 0)
    assert refusal(late) == ("the height is decided", False)
    assert node.fire(TimerKind.RESEND, 0) == []


@pytest.mark.parametrize(
    ("message", "reason", "is_fault"),
    [
        pytest.param(
            Prepare(prepare_by(1, DIGEST).payload, b"\1" * 65),
            "the signature does not recover, or has a high s",
            True,
            id="no signature",
        ),
        pytest.param(
            prepare_by(5, DIGEST),
            f"0x{SIGNERS[5].address.hex()} is no validator of height 42",
            True,
            id="no validator",
        ),
        pytest.param(prepare_by(0, DIGEST), "a vote known already", False, id="known"),
    ],
)
def test_refuses_prepares(message: Prepare, reason: str, is_fault: bool) -> None:
    node = with_proposal()
    node.receive(prepare_by(0, DIGEST))
    assert refusal(node.receive(message)) == (reason, is_fault)


def test_refuses_prepares_of_a_round_that_is_over() -> None:
    node = validator(3)
    node.fire(TimerKind.ROUND, 0)
    reason = ("a prepare of round 0 in round 1", False)
    assert refusal(node.receive(prepare_by(0, DIGEST))) == reason


def test_refuses_a_commit_with_the_seal_of_another() -> None:
    payload = CommitPayload(HEIGHT, 0, DIGEST, commit_by(2, DIGEST).payload.seal)
    message = Commit(payload, signature_of(SIGNERS[1], payload))
    actions = with_proposal().receive(message)
    assert refusal(actions) == ("the commit seal is not the signer's", True)


def test_a_known_vote_is_not_verified_again() -> None:
    asked = []

    def recover(digest: bytes, signature: bytes) -> bytes | None:
        asked.append(digest)
        return signature[:20]

    rules = rules_of(3)
    node = Node(type(rules)(rules.signer, rules.domain, rules.seals, lambda _block: None, recover))
    node.start(context_of(4))
    node.receive_all([prepare_by(0, DIGEST)] * 5 + [commit_by(1, DIGEST)] * 5)
    assert len(asked) == 3


def test_votes_of_a_signer_take_bounded_room() -> None:
    node = validator(3)
    for round_number in range(100):
        node.receive(prepare_by(0, DIGEST, round_number))
        node.receive(commit_by(0, DIGEST, round_number))
    kept = [vote.payload.round for vote in node.state.prepares.by_signer[SIGNERS[0].address]]
    assert kept == [99, 98, 97, 96]
    assert len(node.state.prepares.signers) == len(node.state.commits.signers) == 4
    actions = node.receive(prepare_by(0, DIGEST, 50))
    assert refusal(actions) == ("older than the votes kept of its signer", False)


def test_the_certificate_is_one_that_consensus_takes() -> None:
    node = prepared()
    node.receive_all([commit_by(0, DIGEST), commit_by(1, DIGEST)])
    (decision,) = found(Decide, node.actions)
    digests = SEALS.digest(HEIGHT, 0, DIGEST)
    indices = [index for index in range(4) if decision.certificate.signers >> index & 1]
    assert [rules_of(0).recover(digests, seal) for seal in decision.certificate.seals] == [
        addresses(4)[index] for index in indices
    ]
