"""An operator reads in the log when a key begins to vote, and when it ends."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from node.seat_log import SeatLog
from tests.chain_world import address_of
from tests.unit.node.p2p.epoch_world import FOUNDERS, KEYS, EpochWorld, epoch_genesis

JOINER = KEYS[4]
STARTS, ENDS, WAITS = "this key votes", "this key votes no more", "this key has no vote yet"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[EpochWorld]:
    made = EpochWorld(tmp_path, epoch_genesis())
    yield made
    made.close()


def said_of(seat: SeatLog, world: EpochWorld, height: int) -> list[tuple[str, int]]:
    """Run to a height, and return what was said on the way, with the heights that were named."""
    with capture_logs() as logs:
        seat.look()
        while world.chain.head.block_number < height:
            world.run_to(world.chain.head.block_number + 1)
            seat.look()
    return [(entry["event"], entry["height"]) for entry in logs]


def test_a_key_that_joins_and_leaves_is_told_of_once_each(world: EpochWorld) -> None:
    seat = SeatLog(world.chain, address_of(JOINER))
    assert said_of(seat, world, 1) == [(WAITS, 1)]
    world.join(JOINER)
    assert said_of(seat, world, 8) == [(STARTS, 4)]
    world.leave(JOINER)
    assert said_of(seat, world, 16) == [(ENDS, 12)]


def test_a_founder_votes_from_the_first_block(world: EpochWorld) -> None:
    seat = SeatLog(world.chain, address_of(FOUNDERS[0]))
    assert said_of(seat, world, 9) == [(STARTS, 1)]
