"""Changing rounds: time-outs, f + 1 others, certificates carried on, and who proposes then."""

import pytest

from consensus.qbft.events import (
    BuildBlock,
    Decide,
    OwnMessage,
    Persist,
    Relay,
    Report,
    Send,
    SetTimer,
    Timer,
    TimerKind,
)
from consensus.qbft.messages import PreparedClaim, Proposal, RoundChange, RoundChangePayload
from consensus.qbft.messages import SignedRoundChange as Signed
from tests.qbft_world import (
    BLOCK,
    DIGEST,
    DUE_MS,
    HEIGHT,
    OTHER,
    PARENT_CERTIFICATE,
    PREPARES,
    SECOND,
    SIGNERS,
    Node,
    commit_by,
    context_of,
    found,
    hash_of,
    prepare_by,
    proposal_by,
    refusal,
    round_change_by,
    rules_of,
    sent,
    signature_of,
    validator,
)


def prepared(index: int) -> Node:
    """Return a validator of four that was prepared in round 0."""
    node = validator(index)
    node.receive(proposal_by(0, BLOCK))
    node.check(BLOCK)
    node.receive_all([prepare_by(each, DIGEST) for each in range(4) if each != index])
    return node


def test_a_round_that_takes_too_long_is_left_with_a_round_change() -> None:
    node = validator(3)
    node.now_ms = DUE_MS + 6_000
    message = round_change_by(3, 1)
    assert node.fire(TimerKind.ROUND, 0) == [
        SetTimer(Timer(TimerKind.RESEND, HEIGHT, 1), DUE_MS + 7_000),
        SetTimer(Timer(TimerKind.ROUND, HEIGHT, 1), DUE_MS + 18_000),
        Persist(OwnMessage(message, None)),
        Send(message, None),
    ]


@pytest.mark.parametrize(
    ("round_number", "timeout_s"),
    [(1, 12), (2, 24), (5, 192), (11, 12_288), (4_000_000_000, 6 << 40)],
)
def test_round_r_takes_6_s_times_2_to_the_r(round_number: int, timeout_s: int) -> None:
    node = validator(3)
    actions = node.receive_all(round_change_by(index, round_number) for index in (0, 1))
    timer = Timer(TimerKind.ROUND, HEIGHT, round_number)
    assert SetTimer(timer, DUE_MS + timeout_s * 1000) in actions


@pytest.mark.parametrize("kind", list(TimerKind))
@pytest.mark.parametrize(("height", "round_number"), [(HEIGHT, 0), (HEIGHT - 1, 1), (HEIGHT, 2)])
def test_timers_of_other_rounds_and_heights_do_nothing(
    kind: TimerKind, height: int, round_number: int
) -> None:
    node = validator(3)
    node.fire(TimerKind.ROUND, 0)
    before = node.state
    assert node.fire(kind, round_number, height) == []
    assert node.state == before


def test_own_messages_of_the_round_are_sent_again_every_second() -> None:
    node = prepared(3)
    own = [prepare_by(3, DIGEST), commit_by(3, DIGEST)]
    node.now_ms = DUE_MS + 1_000
    actions = node.fire(TimerKind.RESEND, 0)
    assert sent(actions) == own
    timer = Timer(TimerKind.RESEND, HEIGHT, 0)
    assert found(SetTimer, actions) == [SetTimer(timer, DUE_MS + 2_000)]
    assert found(Persist, actions) == []


def test_a_prepared_validator_carries_its_certificate_to_the_next_round() -> None:
    node = prepared(3)
    actions = node.fire(TimerKind.ROUND, 0)
    prepares = [prepare_by(index, DIGEST) for index in (3, 0, 1)]
    assert found(Send, actions) == [
        Send(round_change_by(3, 1, BLOCK, prepares), PARENT_CERTIFICATE)
    ]


def test_the_certificate_is_carried_through_rounds_without_a_proposal() -> None:
    node = prepared(3)
    node.fire(TimerKind.ROUND, 0)
    (message,) = sent(node.fire(TimerKind.ROUND, 1))
    assert message.payload == RoundChangePayload(HEIGHT, 2, PreparedClaim(0, DIGEST))


def test_prepares_of_a_round_that_is_over_prepare_nothing() -> None:
    node = validator(3)
    node.receive(proposal_by(0, BLOCK))
    node.check(BLOCK)
    node.fire(TimerKind.ROUND, 0)
    node.receive_all(PREPARES)
    assert node.state.prepared is None


# Following others


def test_f_plus_1_round_changes_are_followed() -> None:
    node = validator(3)
    assert sent(node.receive(round_change_by(0, 1))) == []
    assert sent(node.receive(round_change_by(1, 1))) == [round_change_by(3, 1)]
    assert node.state.round == 1


def test_leads_to_the_smallest_of_f_plus_1_later_rounds() -> None:
    node = validator(3)
    node.receive(round_change_by(0, 7))
    assert sent(node.receive(round_change_by(1, 4))) == [round_change_by(3, 4)]


def test_one_validator_alone_leads_nowhere() -> None:
    node = validator(3)
    node.receive_all(round_change_by(0, round_number) for round_number in (1, 2, 3, 2**32 - 1))
    assert node.state.round == 0
    assert len(node.state.round_changes) == 1


def test_a_follower_goes_along_and_sends_nothing() -> None:
    node = Node(rules_of(None))
    node.start(context_of(4))
    node.receive_all([round_change_by(0, 1), round_change_by(1, 1)])
    assert node.state.round == 1
    assert sent(node.actions) == []


# Proposing after a round change


def test_a_quorum_of_round_changes_lets_the_proposer_build() -> None:
    node = validator(1)
    assert found(BuildBlock, node.fire(TimerKind.ROUND, 0)) == []
    node.receive(round_change_by(0, 1))
    assert found(BuildBlock, node.receive(round_change_by(2, 1))) == [BuildBlock(HEIGHT, 1)]
    listed = [round_change_by(index, 1).signed for index in (0, 1, 2)]
    proposal = proposal_by(1, SECOND, 1, listed)
    assert sent(node.build(SECOND, 1)) == [proposal, prepare_by(1, hash_of(SECOND), 1)]


def test_round_changes_after_the_quorum_do_not_ask_for_another_block() -> None:
    node = validator(1)
    node.receive_all(round_change_by(index, 1) for index in (0, 2, 3))
    assert found(BuildBlock, node.actions) == [BuildBlock(HEIGHT, 1)]
    proposal, _prepare = sent(node.build(SECOND, 1))
    assert isinstance(proposal, Proposal)
    assert len(proposal.round_changes) == 3


def test_a_validator_whose_turn_it_is_not_proposes_nothing() -> None:
    node = validator(3)
    node.receive_all(round_change_by(index, 1) for index in (0, 1, 2))
    assert found(BuildBlock, node.actions) == []


def test_the_proposer_proposes_the_highest_prepared_block() -> None:
    node = validator(1)
    node.receive_all([round_change_by(0, 1), round_change_by(2, 1, BLOCK, PREPARES)])
    listed = [
        round_change_by(0, 1).signed,
        round_change_by(1, 1).signed,
        round_change_by(2, 1, BLOCK, PREPARES).signed,
    ]
    assert found(BuildBlock, node.actions) == []
    proposal = proposal_by(1, BLOCK, 1, listed, PREPARES)
    assert Send(proposal, PARENT_CERTIFICATE) in node.actions


def test_a_block_known_from_a_round_change_is_decided_by_commits() -> None:
    node = validator(3)
    node.receive_all(commit_by(index, DIGEST) for index in (0, 1, 2))
    assert found(Decide, node.receive(round_change_by(2, 1, BLOCK, PREPARES)))


# Which round changes are taken


def test_a_sound_round_change_is_passed_on_with_its_certificate() -> None:
    message = round_change_by(2, 1, BLOCK, PREPARES)
    actions = validator(3).receive(message)
    assert actions == [Relay(message, PARENT_CERTIFICATE, b"peer")]


def test_two_claims_in_one_round_are_evidence() -> None:
    node = validator(3)
    node.receive(round_change_by(2, 1))
    actions = node.receive(round_change_by(2, 1, BLOCK, PREPARES))
    (report,) = found(Report, actions)
    assert (report.evidence.code, report.evidence.signer) == (0x15, SIGNERS[2].address)
    assert refusal(actions) == ("a second round change to the round", False)


@pytest.mark.parametrize(
    ("message", "reason", "is_fault"),
    [
        pytest.param(round_change_by(2, 0), "a round change to round 0", True, id="to round 0"),
        pytest.param(
            round_change_by(2, 1, BLOCK), "0 prepares, must be 3 to 4", True, id="unproven"
        ),
        pytest.param(
            round_change_by(2, 1, BLOCK, [*PREPARES[:2], prepare_by(3, hash_of(OTHER))]),
            "a prepare is for another height, round or block",
            True,
            id="prepares for two blocks",
        ),
        pytest.param(
            round_change_by(2, 1, BLOCK, [*PREPARES, PREPARES[0], PREPARES[1]]),
            "5 prepares, must be 3 to 4",
            True,
            id="too many prepares",
        ),
        pytest.param(
            RoundChange(round_change_by(2, 1, BLOCK).signed, OTHER, PREPARES),
            "the block is not the prepared one",
            True,
            id="another block",
        ),
        pytest.param(
            RoundChange(round_change_by(2, 1, BLOCK).signed, None, PREPARES),
            "a prepared round without its block",
            True,
            id="no block",
        ),
        pytest.param(
            RoundChange(round_change_by(2, 1).signed, BLOCK, ()),
            "a block or prepares without a prepared round",
            True,
            id="a block for nothing",
        ),
        pytest.param(
            round_change_by(2, 1, BLOCK, PREPARES, prepared_round=1),
            "prepared in round 1, going to 1",
            True,
            id="prepared in no earlier round",
        ),
        pytest.param(
            RoundChange(Signed(round_change_by(2, 1).payload, b"\0" * 65), None, ()),
            "the signature does not recover, or has a high s",
            True,
            id="unsigned",
        ),
        pytest.param(
            round_change_by(6, 1),
            f"0x{SIGNERS[6].address.hex()} is no validator of height 42",
            True,
            id="of no validator",
        ),
        pytest.param(round_change_by(1, 3), "a round change known already", False, id="known"),
        pytest.param(
            round_change_by(1, 2), "a round change to 2 after one to 3", False, id="an earlier one"
        ),
    ],
)
def test_refuses_round_changes(message: RoundChange, reason: str, is_fault: bool) -> None:
    node = validator(3)
    node.receive(round_change_by(1, 3))
    before = node.state.round_changes
    assert refusal(node.receive(message)) == (reason, is_fault)
    assert node.state.round_changes == before


def test_two_blocks_prepared_in_one_round_crash_nobody() -> None:
    """More than f byzantine validators can do that; agreement is lost then, not the node."""
    others = [prepare_by(index, hash_of(OTHER)) for index in (0, 1, 2)]
    node = validator(1)
    node.receive_all([round_change_by(0, 1, BLOCK, PREPARES), round_change_by(2, 1, OTHER, others)])
    proposed = [
        message.payload.block for message in sent(node.actions) if isinstance(message, Proposal)
    ]
    assert proposed == [BLOCK]


def test_a_signature_with_the_claim_of_another_round_is_no_duplicate() -> None:
    payload = RoundChangePayload(HEIGHT, 2, None)
    message = RoundChange(Signed(payload, signature_of(SIGNERS[0], payload)), None, ())
    forged = RoundChange(Signed(round_change_by(0, 3).payload, message.signature), None, ())
    node = validator(3)
    node.receive(message)
    reason = ("the signature does not recover, or has a high s", True)
    assert refusal(node.receive(forged)) == reason
