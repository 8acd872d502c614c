"""Who may propose what: turns, new blocks, what justifies later rounds, one block a round."""

import pytest

from consensus.certificate import certify
from consensus.qbft.events import (
    BuildBlock,
    CheckBlock,
    HeightContext,
    OwnMessage,
    Persist,
    Relay,
    Report,
    Send,
    SetTimer,
    Timer,
    TimerKind,
)
from consensus.qbft.messages import Message, Proposal
from consensus.qbft.validator_order import faulty_bound, proposer
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
    addresses,
    context_of,
    found,
    hash_of,
    prepare_by,
    proposal_by,
    refusal,
    round_change_by,
    rules_of,
    sent,
    tiny_block,
    validator,
)

UNPREPARED = [round_change_by(index, 1).signed for index in (0, 1, 2)]
PREPARED = [
    round_change_by(0, 1).signed,
    round_change_by(1, 1, BLOCK, PREPARES).signed,
    round_change_by(2, 1).signed,
]


@pytest.mark.parametrize(
    ("last", "round_number", "expected"),
    [
        pytest.param(0, 0, 1, id="the next one"),
        pytest.param(3, 0, 0, id="the first after the last"),
        pytest.param(1, 3, 1, id="one further each round"),
        pytest.param(-1, 0, 0, id="the first where the last proposer left"),
        pytest.param(2, 4_000_000_001, 0, id="a high round"),
    ],
)
def test_proposers_take_turns(last: int, round_number: int, expected: int) -> None:
    assert proposer(context_of(4, last), round_number) == SIGNERS[expected].address


@pytest.mark.parametrize(
    ("count", "bound"), [(1, 0), (2, 0), (3, 0), (4, 1), (6, 1), (7, 2), (100, 33)]
)
def test_less_than_a_third_may_be_byzantine(count: int, bound: int) -> None:
    assert faulty_bound(count) == bound


def test_the_proposer_asks_for_a_block_when_the_height_is_due() -> None:
    node = Node(rules_of(0), now_ms=DUE_MS - 500)
    actions = node.start(context_of(4))
    build = Timer(TimerKind.BUILD, HEIGHT, 0)
    assert found(BuildBlock, actions) == []
    assert SetTimer(build, DUE_MS) in actions
    node.now_ms = DUE_MS
    assert node.fire(TimerKind.BUILD, 0) == [BuildBlock(HEIGHT, 0)]


def test_round_timer_and_sending_again_start_when_the_height_is_due() -> None:
    node = Node(rules_of(1), now_ms=DUE_MS - 500)
    assert node.start(context_of(4)) == [
        SetTimer(Timer(TimerKind.RESEND, HEIGHT, 0), DUE_MS + 1_000),
        SetTimer(Timer(TimerKind.ROUND, HEIGHT, 0), DUE_MS + 6_000),
    ]


def test_the_proposer_sends_its_block_and_prepares_it_unchecked() -> None:
    node = validator(0)
    proposal, prepare = proposal_by(0, BLOCK), prepare_by(0, DIGEST)
    assert node.build(BLOCK) == [
        Persist(OwnMessage(proposal, PARENT_CERTIFICATE)),
        Send(proposal, PARENT_CERTIFICATE),
        Persist(OwnMessage(prepare, None)),
        Send(prepare, None),
    ]


def test_a_block_built_for_a_round_that_is_over_is_not_proposed() -> None:
    node = validator(0)
    node.fire(TimerKind.ROUND, 0)
    assert node.build(BLOCK, 0) == []


def test_only_one_block_is_proposed_in_a_round() -> None:
    node = validator(0)
    node.build(BLOCK)
    assert node.build(OTHER) == []


def test_a_block_with_another_coinbase_was_not_built_here() -> None:
    with pytest.raises(ValueError, match="does not propose now"):
        validator(0).build(SECOND)


def test_an_accepted_proposal_is_passed_on() -> None:
    actions = validator(3).receive(proposal_by(0, BLOCK))
    assert found(Relay, actions) == [Relay(proposal_by(0, BLOCK), PARENT_CERTIFICATE, b"peer")]


@pytest.mark.parametrize(
    ("message", "reason", "is_fault"),
    [
        pytest.param(
            proposal_by(1, BLOCK),
            f"0x{SIGNERS[1].address.hex()} does not propose in round 0",
            True,
            id="of another validator",
        ),
        pytest.param(
            proposal_by(0, tiny_block(SIGNERS[0].address, number=HEIGHT + 1)),
            "the block is number 43, not 42",
            True,
            id="of another height's block",
        ),
        pytest.param(
            proposal_by(0, SECOND),
            f"coinbase 0x{SIGNERS[1].address.hex()} does not propose now",
            True,
            id="with another coinbase",
        ),
        pytest.param(
            proposal_by(0, b"\xc0"),
            "the block is malformed, or its body is not its header's",
            True,
            id="of no block",
        ),
        pytest.param(
            proposal_by(0, tiny_block(SIGNERS[0].address, parent=None)),
            "the parent's certificate is not the one that the header names",
            True,
            id="that names another certificate",
        ),
        pytest.param(
            proposal_by(0, BLOCK, 0, UNPREPARED),
            "round 0 needs no justification",
            True,
            id="justified",
        ),
        pytest.param(
            Proposal(proposal_by(0, BLOCK).payload, b"\0" * 65, (), ()),
            "the signature does not recover, or has a high s",
            True,
            id="unsigned",
        ),
    ],
)
def test_refuses_proposals_of_round_0(message: Message, reason: str, is_fault: bool) -> None:
    node = validator(3)
    assert refusal(node.receive(message)) == (reason, is_fault)
    assert node.state.proposal is None


def test_the_certificate_that_the_header_names_must_come_along() -> None:
    reason = ("the parent's certificate is not the one that the header names", True)
    assert refusal(validator(3).receive(proposal_by(0, BLOCK), None)) == reason
    other = certify(HEIGHT - 1, 1, b"\x41" * 32, [(0, b"\x5e" * 65)])
    assert refusal(validator(3).receive(proposal_by(0, BLOCK), other)) == reason


def test_the_first_height_names_no_certificate() -> None:
    node = Node(rules_of(3))
    node.start(HeightContext(1, addresses(4), bytes(20), DUE_MS))
    block = tiny_block(SIGNERS[0].address, number=1, parent=None)
    (check,) = found(CheckBlock, node.receive(proposal_by(0, block, height=1), None))
    assert check.parent_certificate is None


def test_a_second_proposal_is_evidence_and_only_the_first_is_prepared() -> None:
    node = validator(3)
    node.receive(proposal_by(0, BLOCK))
    actions = node.receive(proposal_by(0, OTHER))
    (report,) = found(Report, actions)
    first, second = proposal_by(0, BLOCK), proposal_by(0, OTHER)
    assert report.evidence.signer == SIGNERS[0].address
    assert (report.evidence.first, report.evidence.first_signature) == (
        first.payload.encode(),
        first.signature,
    )
    assert (report.evidence.second, report.evidence.second_signature) == (
        second.payload.encode(),
        second.signature,
    )
    assert refusal(actions) == ("a second proposal of the round", False)
    assert sent(node.check(OTHER)) == []
    assert sent(node.check(BLOCK)) == [prepare_by(3, DIGEST)]


def test_a_validator_is_reported_once() -> None:
    node = validator(3)
    node.receive(proposal_by(0, BLOCK))
    node.receive(proposal_by(0, OTHER))
    third = node.receive(proposal_by(0, tiny_block(SIGNERS[0].address, salt=3)))
    assert refusal(third) == ("one more proposal of who is reported already", False)
    assert len(found(Report, node.actions)) == 1


def test_a_known_proposal_is_refused_without_a_signature_check() -> None:
    node = validator(3)
    node.receive(proposal_by(0, BLOCK))
    unsigned = Proposal(proposal_by(0, BLOCK).payload, b"\0" * 65, (), ())
    assert refusal(node.receive(unsigned)) == ("a proposal known already", False)


# Later rounds


def test_a_justified_proposal_of_a_later_round_leads_there() -> None:
    node = validator(3)
    actions = node.receive(proposal_by(1, SECOND, 1, UNPREPARED))
    assert node.state.round == 1
    assert [check.digest for check in found(CheckBlock, actions)] == [hash_of(SECOND)]
    timers = [action.timer for action in found(SetTimer, actions)]
    assert Timer(TimerKind.ROUND, HEIGHT, 1) in timers
    assert sent(node.check(SECOND)) == [prepare_by(3, hash_of(SECOND), 1)]


def test_the_highest_prepared_block_is_proposed_again_unchanged() -> None:
    node = validator(3)
    node.receive(proposal_by(1, BLOCK, 1, PREPARED, PREPARES))
    assert sent(node.check(BLOCK)) == [prepare_by(3, DIGEST, 1)]


def test_a_block_that_was_checked_is_not_checked_again() -> None:
    node = validator(3)
    node.receive(proposal_by(0, BLOCK))
    node.check(BLOCK)
    actions = node.receive(proposal_by(1, BLOCK, 1, PREPARED, PREPARES))
    assert found(CheckBlock, actions) == []
    assert sent(actions) == [prepare_by(3, DIGEST, 1)]


def test_a_check_that_runs_counts_for_the_round_in_which_it_ends() -> None:
    node = validator(3)
    node.receive(proposal_by(0, BLOCK))
    assert found(CheckBlock, node.receive(proposal_by(1, BLOCK, 1, PREPARED, PREPARES))) == []
    assert sent(node.check(BLOCK)) == [prepare_by(3, DIGEST, 1)]


def test_a_block_that_could_not_be_judged_is_checked_again_when_proposed_again() -> None:
    node = validator(3)
    node.receive(proposal_by(0, BLOCK))
    node.check(BLOCK, None)
    again = node.receive(proposal_by(1, BLOCK, 1, PREPARED, PREPARES))
    assert [check.round for check in found(CheckBlock, again)] == [1]


def test_the_highest_of_two_prepared_rounds_counts() -> None:
    second_prepares = [prepare_by(index, hash_of(SECOND), 1) for index in (0, 1, 2)]
    listed = [
        round_change_by(0, 2, BLOCK, PREPARES).signed,
        round_change_by(1, 2, SECOND, second_prepares, 1).signed,
        round_change_by(2, 2).signed,
    ]
    node = validator(3)
    refused = node.receive(proposal_by(2, BLOCK, 2, listed, PREPARES))
    assert refusal(refused) == ("the block is not that of the highest prepared round", True)
    assert found(CheckBlock, node.receive(proposal_by(2, SECOND, 2, listed, second_prepares)))


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        pytest.param(
            proposal_by(1, SECOND, 1, UNPREPARED[:2]),
            "2 round changes, must be 3 to 4",
            id="too few round changes",
        ),
        pytest.param(
            proposal_by(1, SECOND, 1, [*UNPREPARED[:2], UNPREPARED[0]]),
            "the round changes repeat a signature",
            id="a round change twice",
        ),
        pytest.param(
            proposal_by(1, SECOND, 1, [*UNPREPARED[:2], round_change_by(2, 2).signed]),
            "a round change is to another height or round",
            id="a round change to another round",
        ),
        pytest.param(
            proposal_by(
                1, SECOND, 1, [*UNPREPARED[:2], round_change_by(2, 1, height=HEIGHT - 1).signed]
            ),
            "a round change is to another height or round",
            id="a round change of another height",
        ),
        pytest.param(
            proposal_by(1, SECOND, 1, [*UNPREPARED[:2], round_change_by(5, 1).signed]),
            f"0x{SIGNERS[5].address.hex()} is no validator of height 42",
            id="a round change of no validator",
        ),
        pytest.param(
            proposal_by(1, BLOCK, 1, UNPREPARED),
            f"coinbase 0x{SIGNERS[0].address.hex()} does not propose now",
            id="an older block that nobody prepared",
        ),
        pytest.param(
            proposal_by(1, SECOND, 1, UNPREPARED, PREPARES),
            "prepares without a prepared round",
            id="prepares for nothing",
        ),
        pytest.param(
            proposal_by(1, SECOND, 1, PREPARED, PREPARES),
            "the block is not that of the highest prepared round",
            id="a new block although one was prepared",
        ),
        pytest.param(
            proposal_by(1, BLOCK, 1, PREPARED),
            "0 prepares, must be 3 to 4",
            id="no prepares",
        ),
        pytest.param(
            proposal_by(1, BLOCK, 1, PREPARED, [*PREPARES[:2], PREPARES[0]]),
            "the prepares repeat a signature",
            id="a prepare twice",
        ),
        pytest.param(
            proposal_by(1, BLOCK, 1, PREPARED, [*PREPARES[:2], prepare_by(2, DIGEST, 1)]),
            "a prepare is for another height, round or block",
            id="a prepare of another round",
        ),
        pytest.param(
            proposal_by(1, BLOCK, 1, PREPARED, [*PREPARES[:2], prepare_by(2, hash_of(OTHER))]),
            "a prepare is for another height, round or block",
            id="a prepare for another block",
        ),
        pytest.param(
            proposal_by(1, BLOCK, 1, PREPARED, [*PREPARES[:2], prepare_by(6, DIGEST)]),
            f"0x{SIGNERS[6].address.hex()} is no validator of height 42",
            id="a prepare of no validator",
        ),
        pytest.param(
            proposal_by(
                1, BLOCK, 1, [*UNPREPARED[:2], round_change_by(2, 1, BLOCK, (), 1).signed], PREPARES
            ),
            "a round change was prepared in no earlier round",
            id="prepared in the round it goes to",
        ),
    ],
)
def test_refuses_proposals_of_later_rounds(message: Proposal, reason: str) -> None:
    node = validator(3)
    assert refusal(node.receive(message)) == (reason, True)
    assert node.state.round == 0


def test_refuses_proposals_of_a_round_that_is_over() -> None:
    node = validator(3)
    node.fire(TimerKind.ROUND, 0)
    reason = ("a proposal of round 0 in round 1", False)
    assert refusal(node.receive(proposal_by(0, BLOCK))) == reason


# One validator


def test_one_validator_decides_at_once() -> None:
    node = Node(rules_of(0))
    node.start(context_of(1))
    kinds = [type(action).__name__ for action in node.build(BLOCK)]
    assert kinds == ["Persist", "Send", "Persist", "Send", "Persist", "Persist", "Send", "Decide"]
