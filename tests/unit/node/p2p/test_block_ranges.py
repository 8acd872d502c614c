"""Which blocks are asked of whom: windows, partial answers, slow peers, liars."""

from hypothesis import given, settings
from hypothesis import strategies as st

from node.p2p.block_ranges import (
    MAX_HELD_BYTES,
    RANGE_BLOCKS,
    SLOW_AFTER_S,
    WINDOW_RANGES,
    BlockRanges,
    Range,
)

ANNA, BERTA, CARLA, DORA = b"a", b"b", b"c", b"d"


def taken(ranges: BlockRanges[str], node_id: bytes, height: int, now_s: float = 0) -> Range[str]:
    wanted = ranges.take(node_id, 0, height, now_s)
    assert wanted is not None
    return wanted


def span(wanted: Range[str]) -> tuple[int, int]:
    return wanted.start, wanted.count


def test_peers_get_different_ranges_in_order() -> None:
    ranges: BlockRanges[str] = BlockRanges(1)
    assert span(taken(ranges, ANNA, 100)) == (1, 64)
    assert span(taken(ranges, BERTA, 100)) == (65, 36)


def test_a_peer_is_asked_only_for_what_it_has() -> None:
    ranges: BlockRanges[str] = BlockRanges(1)
    taken(ranges, ANNA, 200)
    assert ranges.take(BERTA, 0, 64, 0) is None
    assert ranges.take(BERTA, 70, 200, 0) is not None


def test_the_window_is_bounded() -> None:
    ranges: BlockRanges[str] = BlockRanges(1)
    given = [ranges.take(bytes([index]), 0, 10**6, 0) for index in range(WINDOW_RANGES + 1)]
    assert given[-1] is None
    assert None not in given[:-1]


def test_what_waits_for_import_is_bounded_by_its_bytes() -> None:
    ranges: BlockRanges[str] = BlockRanges(1)
    first = taken(ranges, ANNA, 1000)
    second = taken(ranges, BERTA, 1000)
    assert ranges.deliver(second, BERTA, "large", second.count, MAX_HELD_BYTES + 1)
    assert ranges.take(BERTA, 0, 1000, 0) is None
    ranges.give_back(first, ANNA)
    assert span(taken(ranges, BERTA, 1000)) == (1, 64)


def test_a_partial_answer_leaves_the_rest_to_be_asked() -> None:
    ranges: BlockRanges[str] = BlockRanges(1)
    wanted = taken(ranges, ANNA, 64)
    assert ranges.deliver(wanted, ANNA, "ten blocks", 10, 10)
    assert span(taken(ranges, BERTA, 64)) == (11, 54)


def test_a_slow_range_is_asked_of_an_idle_peer_too_and_the_first_answer_counts() -> None:
    ranges: BlockRanges[str] = BlockRanges(1)
    slow = taken(ranges, ANNA, 64)
    assert ranges.take(BERTA, 0, 64, SLOW_AFTER_S / 2) is None
    assert ranges.slow_after(SLOW_AFTER_S / 2) == SLOW_AFTER_S
    assert taken(ranges, BERTA, 64, SLOW_AFTER_S) is slow
    assert ranges.deliver(slow, BERTA, "fast", 64, 1)
    assert not ranges.deliver(slow, ANNA, "late", 64, 1)
    assert slow.content == "fast"


def test_a_range_that_two_peers_hold_is_asked_of_a_third_and_of_no_fourth() -> None:
    ranges: BlockRanges[str] = BlockRanges(1)
    slow = taken(ranges, ANNA, 64)
    assert taken(ranges, BERTA, 64, SLOW_AFTER_S) is slow
    assert ranges.take(CARLA, 0, 64, 2 * SLOW_AFTER_S - 0.1) is None
    assert ranges.slow_after(SLOW_AFTER_S) == 2 * SLOW_AFTER_S
    assert taken(ranges, CARLA, 64, 2 * SLOW_AFTER_S) is slow
    assert ranges.slow_after(2 * SLOW_AFTER_S) is None
    assert ranges.take(DORA, 0, 64, 9 * SLOW_AFTER_S) is None


def test_what_a_liar_gave_is_asked_again_and_what_others_gave_stays() -> None:
    ranges: BlockRanges[str] = BlockRanges(1)
    first, second = taken(ranges, ANNA, 128), taken(ranges, BERTA, 128)
    ranges.deliver(first, ANNA, "lies", 64, 1)
    ranges.deliver(second, BERTA, "good", 64, 1)
    ranges.drop_from(ANNA)
    assert ranges.first() is None
    assert span(taken(ranges, BERTA, 128)) == (1, 64)
    assert ranges.take(BERTA, 0, 128, 0) is None


def test_of_a_range_that_was_good_in_part_the_rest_is_asked_again() -> None:
    ranges: BlockRanges[str] = BlockRanges(1)
    ranges.deliver(taken(ranges, ANNA, 64), ANNA, "half lies", 64, 1)
    ranges.drop_from(ANNA)
    ranges.imported(30)
    assert span(taken(ranges, BERTA, 64)) == (31, 34)


def test_a_height_that_nobody_has_any_more_is_forgotten() -> None:
    ranges: BlockRanges[str] = BlockRanges(1)
    ranges.give_back(taken(ranges, ANNA, 10**6), ANNA)
    ranges.shrink(10)
    assert span(taken(ranges, BERTA, 10)) == (1, 10)
    assert ranges.take(ANNA, 0, 10, 0) is None


def test_blocks_that_are_here_are_imported_though_their_giver_left() -> None:
    ranges: BlockRanges[str] = BlockRanges(1)
    ranges.deliver(taken(ranges, ANNA, 64), ANNA, "good", 64, 1)
    ranges.shrink(0)
    first = ranges.first()
    assert first is not None
    assert first.content == "good"


Step = tuple[int, int, int]


@settings(derandomize=True, max_examples=300)
@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 3), st.integers(0, 80)), max_size=60))
def test_whatever_happens_ranges_stand_side_by_side_and_everything_comes_in_order(
    steps: list[Step],
) -> None:
    target, head, now_s = 500, 0, 0.0
    ranges: BlockRanges[tuple[int, ...]] = BlockRanges(1)
    open_asks: list[tuple[bytes, Range[tuple[int, ...]]]] = []

    def import_first() -> int:
        ready = ranges.first()
        if ready is None or ready.content is None:
            return head
        assert ready.start <= head + 1, "in order"
        last = max(head, ready.end - 1)
        ranges.imported(last)
        return last

    def ask(node_id: bytes, ready_s: float) -> None:
        wanted = ranges.take(node_id, 0, target, ready_s)
        if wanted is not None:
            open_asks.append((node_id, wanted))

    for kind, who, amount in steps:
        node_id = bytes([who])
        now_s += amount / 20
        if kind == 0:
            ask(node_id, now_s)
        elif kind == 1 and open_asks:
            asked, wanted = open_asks.pop(amount % len(open_asks))
            count = max(1, wanted.count - amount % RANGE_BLOCKS)
            ranges.deliver(
                wanted, asked, tuple(range(wanted.start, wanted.start + count)), count, 1
            )
        elif kind == 2 and open_asks:
            asked, wanted = open_asks.pop(amount % len(open_asks))
            ranges.give_back(wanted, asked)
        elif kind == 3:
            ranges.drop_from(node_id)
        else:
            head = import_first()
    for asked, wanted in open_asks:
        ranges.give_back(wanted, asked)
    while head < target:
        last = import_first()
        if last == head:
            wanted_range = ranges.take(b"honest", 0, target, now_s)
            assert wanted_range is not None, "nothing is lost"
            ranges.deliver(wanted_range, b"honest", (), wanted_range.count, 1)
        head = last
    assert ranges.take(b"honest", 0, target, now_s) is None
