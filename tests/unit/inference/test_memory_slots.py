"""Values that live together never share memory; planning many of them takes no long time."""

import numpy as np

from cvm.inference.backends.memory_slots import Slot, place
from cvm.inference.limits import MAX_OPERANDS


def test_slots_that_live_together_never_overlap() -> None:
    rng = np.random.default_rng(4)
    slots = []
    for _ in range(60):
        first = int(rng.integers(0, 50))
        last = first + int(rng.integers(0, 8))
        slots.append(Slot(64 * int(rng.integers(1, 20)), first, last))
    size = place(slots)
    for i, one in enumerate(slots):
        assert 0 <= one.offset <= size - one.size_bytes
        for other in slots[:i]:
            together = one.first <= other.last and other.first <= one.last
            apart = (
                one.offset + one.size_bytes <= other.offset
                or other.offset + other.size_bytes <= one.offset
            )
            assert apart or not together


def test_slots_of_a_chain_share_memory() -> None:
    slots = [Slot(640, index, index + 1) for index in range(10)]
    assert place(slots) == 2 * 640


def test_a_slot_goes_into_the_first_gap_that_holds_it() -> None:
    slots = [Slot(640, 0, 1), Slot(512, 0, 3), Slot(256, 2, 3), Slot(320, 2, 3), Slot(128, 2, 3)]
    assert place(slots) == 640 + 512 + 128
    assert [slot.offset for slot in slots] == [0, 640, 320, 0, 1152]


def test_a_graph_without_activations_takes_nothing() -> None:
    assert place([]) == 0


def test_a_node_of_very_many_results_is_placed_one_after_the_other() -> None:
    slots = [Slot(64, 0, 1 + index % 7) for index in range(MAX_OPERANDS)]
    assert place(slots) == 64 * MAX_OPERANDS
    assert len({slot.offset for slot in slots}) == MAX_OPERANDS
