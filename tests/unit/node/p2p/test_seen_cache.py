"""What was seen of late: for so long from when it was news, and so many keys."""

from node.p2p.seen_cache import SeenCache


def test_a_key_is_news_again_after_its_time() -> None:
    cache = SeenCache(most=10, ttl_s=4)
    assert [cache.add(b"a", now_s) for now_s in (0, 3.9, 4, 7.9, 8)] == [
        True,
        False,
        True,
        False,
        True,
    ]


def test_who_repeats_a_key_without_a_pause_does_not_keep_it_old() -> None:
    cache = SeenCache(most=10, ttl_s=1)
    assert [cache.add(b"a", tenth / 10) for tenth in range(25)].count(True) == 3


def test_a_key_that_is_forgotten_is_news() -> None:
    cache = SeenCache(most=10, ttl_s=4)
    cache.add(b"a", 0)
    assert (cache.has(b"a", 3), cache.has(b"a", 4)) == (True, False)
    cache.forget(b"a")
    assert cache.add(b"a", 1)


def test_the_oldest_key_goes_first() -> None:
    cache = SeenCache(most=2, ttl_s=100)
    for key in (b"a", b"b", b"a", b"c"):
        cache.add(key, 0)
    assert len(cache) == 2
    assert [cache.has(key, 1) for key in (b"a", b"b", b"c")] == [False, True, True]
