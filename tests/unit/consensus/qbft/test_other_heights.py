"""Messages of other heights: bounded room, who is behind, who is ahead."""

import pytest

from consensus.qbft import other_heights
from consensus.qbft.events import Ahead, Behind, CheckBlock, Decide, Relay
from consensus.qbft.messages import Message
from tests.qbft_world import (
    HEIGHT,
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
    sent,
    tiny_block,
    validator,
)

NEXT = HEIGHT + 1
BLOCK = tiny_block(SIGNERS[0].address, number=NEXT)
DIGEST = hash_of(BLOCK)


def test_messages_of_the_next_height_are_taken_up_when_it_begins() -> None:
    node = validator(3)
    node.receive(proposal_by(0, BLOCK, height=NEXT))
    node.receive_all(prepare_by(index, DIGEST, height=NEXT) for index in (0, 1))
    actions = node.start(context_of(4, height=NEXT))
    assert [check.digest for check in found(CheckBlock, actions)] == [DIGEST]
    assert len(found(Relay, actions)) == 3
    assert node.state.prepares.signers.keys() == {
        prepare_by(index, DIGEST, height=NEXT) for index in (0, 1)
    }


def test_early_messages_of_a_height_that_was_passed_over_are_dropped() -> None:
    node = validator(3)
    node.receive(prepare_by(0, DIGEST, height=NEXT))
    node.start(context_of(4, height=NEXT + 1))
    assert node.state.prepares.signers == {}
    assert node.state.early == {}


def test_an_early_message_tells_that_we_are_behind() -> None:
    actions = validator(3).receive(prepare_by(0, DIGEST, height=NEXT))
    assert actions == [Behind(NEXT, b"peer")]


def test_a_message_of_a_far_height_tells_that_we_are_behind_and_is_dropped() -> None:
    node = validator(3)
    actions = node.receive(prepare_by(0, DIGEST, height=HEIGHT + 2))
    assert found(Behind, actions) == [Behind(HEIGHT + 2, b"peer")]
    assert refusal(actions) == ("a message of height 44 at height 42", False)
    assert node.state.early == {}


def test_who_decided_and_waits_for_the_next_height_is_not_behind() -> None:
    node = validator(3)
    block = tiny_block(SIGNERS[0].address)
    node.receive(proposal_by(0, block))
    node.receive_all(commit_by(index, hash_of(block)) for index in (0, 1, 2))
    assert len(found(Decide, node.actions)) == 1
    assert node.receive(prepare_by(0, DIGEST, height=NEXT)) == []
    assert len(node.state.early) == 1


def test_the_latest_early_message_of_each_signer_and_kind_is_kept() -> None:
    node = validator(3)
    for round_number in range(100):
        node.receive(prepare_by(0, DIGEST, round_number, height=NEXT))
    kept = [early.message.payload.round for early in node.state.early.values()]
    assert kept == [99]


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        pytest.param(
            prepare_by(0, DIGEST, height=NEXT), "an early message known already", id="known"
        ),
        pytest.param(
            prepare_by(0, b"\0" * 32, height=NEXT),
            "an earlier early message of its signer",
            id="of the same round",
        ),
        pytest.param(
            prepare_by(6, DIGEST, height=NEXT),
            "an early message of who is no validator yet",
            id="of no validator",
        ),
    ],
)
def test_refuses_early_messages(message: Message, reason: str) -> None:
    node = validator(3)
    node.receive(prepare_by(0, DIGEST, height=NEXT))
    assert refusal(node.receive(message)) == (reason, False)
    assert len(node.state.early) == 1


def test_early_blocks_have_bounded_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(other_heights, "MAX_EARLY_BLOCK_BYTES", 2 * len(BLOCK))
    node = validator(3)
    node.receive_all(proposal_by(index, BLOCK, height=NEXT) for index in (0, 1))
    actions = node.receive(proposal_by(2, BLOCK, height=NEXT))
    assert refusal(actions) == ("no room for an early block", False)
    assert len(node.state.early) == 2


def test_an_early_signer_who_left_the_set_is_not_heard() -> None:
    node = validator(1)
    node.receive(prepare_by(3, DIGEST, height=NEXT))
    actions = node.start(context_of(3, height=NEXT))
    assert refusal(actions) == ("its signer is no validator any more", False)


# Heights that are over


def next_height() -> Node:
    node = validator(3)
    node.start(context_of(4, height=NEXT))
    return node


def test_a_vote_for_the_last_block_that_is_merely_late_needs_no_answer() -> None:
    actions = next_height().receive(commit_by(0, DIGEST))
    assert found(Ahead, actions) == []
    assert refusal(actions) == ("a message of height 42 at height 43", False)


def test_who_sends_it_again_is_sent_the_block() -> None:
    node = next_height()
    node.receive(commit_by(0, DIGEST))
    assert found(Ahead, node.receive(commit_by(0, DIGEST))) == [Ahead(HEIGHT, b"peer")]


@pytest.mark.parametrize(
    "message",
    [
        pytest.param(round_change_by(0, 1), id="who changes rounds"),
        pytest.param(commit_by(0, DIGEST, height=HEIGHT - 1), id="who is two heights behind"),
    ],
)
def test_is_sent_the_block_at_once(message: Message) -> None:
    actions = next_height().receive(message)
    assert found(Ahead, actions) == [Ahead(message.payload.height, b"peer")]


def test_late_messages_have_bounded_room() -> None:
    node = next_height()
    for round_number in range(100):
        node.receive(commit_by(0, DIGEST, round_number))
    assert len(node.state.late) == 16
    assert sent(node.actions) == []
