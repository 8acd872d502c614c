"""Which chunk is asked of whom: spread over peers, bounded, slow ones asked twice."""

from node.p2p.chunk_plan import MAX_ASKED, MAX_ASKED_OF_PEER, SLOW_AFTER_S, ChunkPlan, WantedChunk

FIRST, SECOND = b"\x01" * 32, b"\x02" * 32
BOTH = {FIRST, SECOND}
ANNA, BERTA = b"a", b"b"


def plan_of(*models: tuple[bytes, int, range]) -> ChunkPlan:
    plan = ChunkPlan()
    plan.want({model_id: (size, chunks) for model_id, size, chunks in models})
    return plan


def test_chunks_are_spread_over_the_peers_that_have_the_model() -> None:
    plan = plan_of((FIRST, 900, range(3)), (SECOND, 100, range(1)))
    assert plan.take(ANNA, BOTH, 0) == WantedChunk(FIRST, 900, 0)
    assert plan.take(BERTA, BOTH, 0) == WantedChunk(FIRST, 900, 1)
    assert plan.take(BERTA, {SECOND}, 0) == WantedChunk(SECOND, 100, 0)
    assert plan.take(b"c", set(), 0) is None


def test_a_peer_is_asked_for_a_few_chunks_at_once() -> None:
    plan = plan_of((FIRST, 900, range(100)))
    taken = [plan.take(ANNA, BOTH, 0) for _ in range(MAX_ASKED_OF_PEER + 1)]
    assert taken[-1] is None
    assert None not in taken[:-1]
    assert taken[0] is not None
    plan.give_back(taken[0], ANNA)
    assert plan.take(ANNA, BOTH, 0) == WantedChunk(FIRST, 900, 0)


def test_the_requests_under_way_are_bounded_in_all() -> None:
    plan = plan_of((FIRST, 900, range(200)))
    for name in range(100):
        plan.take(bytes([name]), BOTH, 0)
    assert plan.asked == MAX_ASKED


def test_a_slow_chunk_is_asked_of_somebody_else_once() -> None:
    plan = plan_of((FIRST, 900, range(1)))
    assert plan.take(ANNA, BOTH, 0) is not None
    assert plan.take(BERTA, BOTH, 1) is None
    assert plan.slow_after(1) == SLOW_AFTER_S
    assert plan.take(ANNA, BOTH, SLOW_AFTER_S) is None
    assert plan.take(BERTA, BOTH, SLOW_AFTER_S) == WantedChunk(FIRST, 900, 0)
    assert plan.take(b"c", BOTH, SLOW_AFTER_S) is None


def test_the_last_chunk_completes_a_model() -> None:
    plan = plan_of((FIRST, 900, range(2)))
    assert not plan.got(WantedChunk(FIRST, 900, 1))
    assert plan.got(WantedChunk(FIRST, 900, 0))


def test_a_model_that_is_wanted_no_more_is_not_asked_for() -> None:
    plan = plan_of((FIRST, 900, range(2)))
    chunk = plan.take(ANNA, BOTH, 0)
    assert chunk is not None
    plan.want({SECOND: (100, range(1))})
    plan.give_back(chunk, ANNA)
    assert not plan.got(chunk)
    assert plan.take(ANNA, BOTH, 0) == WantedChunk(SECOND, 100, 0)
    assert plan.models == (SECOND,)


def test_what_is_under_way_stays_so_when_more_is_wanted() -> None:
    plan = plan_of((FIRST, 900, range(2)))
    plan.take(ANNA, BOTH, 0)
    plan.want({FIRST: (900, range(2)), SECOND: (100, range(1))})
    assert plan.take(BERTA, {FIRST}, 0) == WantedChunk(FIRST, 900, 1)
