"""A validator that comes back signs nothing twice and forgets no certificate."""

from collections.abc import Sequence

import pytest

from consensus.qbft.events import (
    BuildBlock,
    CheckBlock,
    Decide,
    OwnMessage,
    Persist,
    PreparedCertificate,
    TimerKind,
)
from consensus.qbft.faults import BadMessage
from consensus.qbft.messages import Commit, Message, RoundChange
from tests.qbft_world import (
    BLOCK,
    DIGEST,
    HEIGHT,
    OTHER,
    PARENT_CERTIFICATE,
    SECOND,
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
    validator,
)

PREPARES = tuple(prepare_by(index, DIGEST) for index in (0, 1, 3))
CERTIFICATE = PreparedCertificate(HEIGHT, 0, DIGEST, BLOCK, PREPARES, PARENT_CERTIFICATE)
PREPARED = OwnMessage(prepare_by(3, DIGEST), None)
COMMITTED = OwnMessage(commit_by(3, DIGEST), None)


def test_own_messages_of_the_round_are_sent_again() -> None:
    node = validator(3, records=[PREPARED, CERTIFICATE, COMMITTED])
    assert sent(node.actions) == [prepare_by(3, DIGEST), commit_by(3, DIGEST)]
    assert node.records() == []


def test_the_other_of_two_proposals_is_not_prepared_after_a_restart() -> None:
    node = validator(3, records=[PREPARED])
    reason = ("another block was prepared here in this round", False)
    assert refusal(node.receive(proposal_by(0, OTHER))) == reason
    assert node.check(OTHER) == []


def test_the_same_proposal_is_taken_and_not_prepared_again() -> None:
    node = validator(3, records=[PREPARED])
    node.receive(proposal_by(0, BLOCK))
    assert node.check(BLOCK) == []
    actions = node.receive_all([prepare_by(0, DIGEST), prepare_by(1, DIGEST)])
    assert sent(actions) == [commit_by(3, DIGEST)]


def test_a_crash_between_certificate_and_commit_ends_in_the_commit() -> None:
    node = validator(3, records=[PREPARED, CERTIFICATE])
    assert sent(node.actions) == [prepare_by(3, DIGEST), commit_by(3, DIGEST)]
    assert node.records() == [COMMITTED]


def test_a_crash_before_the_prepare_checks_the_own_proposal_again() -> None:
    node = validator(0, records=[OwnMessage(proposal_by(0, BLOCK), PARENT_CERTIFICATE)])
    assert sent(node.actions) == [proposal_by(0, BLOCK)]
    assert [check.digest for check in found(CheckBlock, node.actions)] == [DIGEST]
    assert found(BuildBlock, node.actions) == []
    assert sent(node.check(BLOCK)) == [prepare_by(0, DIGEST)]


def test_goes_on_in_the_highest_own_round() -> None:
    own = [OwnMessage(round_change_by(3, number), None) for number in (1, 4, 2)]
    node = validator(3, records=own)
    assert node.state.round == 4
    assert sent(node.actions) == [round_change_by(3, 4)]
    assert sent(node.fire(TimerKind.ROUND, 4)) == [round_change_by(3, 5)]


def test_the_certificate_is_claimed_after_a_restart() -> None:
    node = validator(3, records=[PREPARED, CERTIFICATE, COMMITTED])
    (message,) = sent(node.fire(TimerKind.ROUND, 0))
    assert message == round_change_by(3, 1, BLOCK, PREPARES)


def test_the_highest_certificate_is_claimed() -> None:
    prepares = tuple(prepare_by(index, hash_of(OTHER), 2) for index in (0, 1, 3))
    higher = PreparedCertificate(HEIGHT, 2, hash_of(OTHER), OTHER, prepares, PARENT_CERTIFICATE)
    node = validator(3, records=[higher, CERTIFICATE])
    (message,) = sent(node.fire(TimerKind.ROUND, 2))
    assert message == round_change_by(3, 3, OTHER, prepares, 2)


def test_an_own_round_change_still_counts_for_the_proposal() -> None:
    own = OwnMessage(round_change_by(1, 1, BLOCK, PREPARES), PARENT_CERTIFICATE)
    node = validator(1, records=[own])
    node.receive_all([round_change_by(0, 1), round_change_by(2, 1)])
    assert [message.payload.CODE for message in sent(node.actions)] == [0x15, 0x12]
    assert found(CheckBlock, node.actions)[0].digest == DIGEST


def test_one_validator_decides_what_it_committed_before_the_crash() -> None:
    alone = Node(rules_of(0))
    alone.start(context_of(1))
    alone.build(BLOCK)
    again = Node(rules_of(0))
    again.start(context_of(1), alone.records())
    assert found(Decide, again.actions) == found(Decide, alone.actions)


def test_records_of_other_heights_mean_nothing() -> None:
    node = validator(3, records=[OwnMessage(round_change_by(3, 5, height=HEIGHT - 1), None)])
    assert node.state.round == 0


def test_records_of_another_key_mean_nothing() -> None:
    node = validator(3, records=[OwnMessage(round_change_by(2, 5), None)])
    assert node.state.round == 0
    assert sent(node.actions) == []


def test_a_certificate_that_proves_nothing_is_no_record_of_this_chain() -> None:
    broken = PreparedCertificate(HEIGHT, 0, DIGEST, BLOCK, PREPARES[:2], PARENT_CERTIFICATE)
    with pytest.raises(BadMessage, match="2 prepares, must be 3 to 4"):
        validator(3, records=[broken])


# A crash at every point


def first_life(node: Node, index: int) -> None:
    """Take a validator of four through a round that ends prepared, and one that decides."""
    if index == 0:
        node.build(BLOCK)
    node.receive(proposal_by(0, BLOCK))
    node.check(BLOCK)
    node.receive_all(prepare_by(each, DIGEST) for each in range(4))
    node.fire(TimerKind.ROUND, 0)
    changes = [round_change_by(each, 1, BLOCK, PREPARES) for each in range(4) if each != index]
    node.receive_all(changes)
    listed = [change.signed for change in changes]
    node.receive(proposal_by(1, BLOCK, 1, listed, PREPARES))
    node.receive_all(prepare_by(each, DIGEST, 1) for each in range(4))
    node.receive_all(commit_by(each, DIGEST, 1) for each in range(4) if each != index)


def second_life(node: Node, index: int) -> None:
    """Tempt it: the proposer equivocated, and everybody else goes for the other block."""
    if index == 0:
        node.build(OTHER)
    node.receive(proposal_by(0, OTHER))
    node.check(OTHER)
    node.check(BLOCK)
    node.receive_all(prepare_by(each, hash_of(OTHER)) for each in range(4) if each != index)
    node.fire(TimerKind.ROUND, 0)
    changes = [round_change_by(each, 1) for each in range(4) if each != index]
    node.receive_all(changes)
    if index == 1:
        node.build(SECOND, 1)
    listed = [change.signed for change in changes]
    node.receive(proposal_by(1, SECOND, 1, listed))
    node.check(SECOND)
    node.receive_all(prepare_by(each, hash_of(SECOND), 1) for each in range(4) if each != index)
    node.fire(TimerKind.ROUND, 1)


@pytest.mark.parametrize("index", range(4))
def test_signs_nothing_twice_whatever_it_lost_in_a_crash(index: int) -> None:
    whole = validator(index)
    first_life(whole, index)
    assert len(found(Decide, whole.actions)) == 1
    assert len(found(Persist, whole.actions)) >= 6
    for lost_at in range(len(whole.actions) + 1):
        before = whole.actions[:lost_at]
        after = validator(index, records=[action.record for action in found(Persist, before)])
        second_life(after, index)
        assert said_twice([*sent(before), *sent(after.actions)]) == []
        assert forgotten([*sent(before), *sent(after.actions)]) == []


def said_twice(messages: Sequence[Message]) -> list[Message]:
    """Return the messages that differ from an earlier one of their height, round and code."""
    first: dict[tuple[int, int, int], Message] = {}
    return [
        message
        for message in messages
        if first.setdefault(
            (message.payload.height, message.payload.round, message.payload.CODE), message
        )
        != message
    ]


def forgotten(messages: Sequence[Message]) -> list[Message]:
    """Return the round changes that claim less than their sender committed to in earlier rounds."""
    committed: set[int] = set()
    found_so_far: list[Message] = []
    for message in messages:
        if isinstance(message, Commit):
            committed.add(message.payload.round)
        elif isinstance(message, RoundChange):
            claim = message.payload.prepared
            earlier = [number for number in committed if number < message.payload.round]
            if earlier and (claim is None or claim.round < max(earlier)):
                found_so_far.append(message)
    return found_so_far


def test_the_checks_of_crashes_see_a_double_sign_and_a_lost_certificate() -> None:
    assert said_twice([prepare_by(0, DIGEST), prepare_by(0, DIGEST)]) == []
    twice: list[Message] = [prepare_by(0, DIGEST), prepare_by(0, hash_of(OTHER))]
    assert said_twice(twice) == twice[1:]
    lost: list[Message] = [commit_by(0, DIGEST), round_change_by(0, 1)]
    assert forgotten(lost) == lost[1:]
