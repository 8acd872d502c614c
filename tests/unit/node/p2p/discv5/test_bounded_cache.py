"""A cache that nobody can make grow."""

from node.p2p.discv5.bounded_cache import BoundedCache


def test_the_longest_unused_value_goes_first() -> None:
    cache: BoundedCache[str, int] = BoundedCache(2, 10)
    cache.put("a", 1, 0)
    cache.put("b", 2, 0)
    assert cache.get("a", 0) == 1
    cache.put("c", 3, 0)
    assert (cache.get("a", 0), cache.get("b", 0), cache.get("c", 0)) == (1, None, 3)


def test_a_value_lives_for_its_lifetime() -> None:
    cache: BoundedCache[str, int] = BoundedCache(2, 10)
    cache.put("a", 1, 0)
    cache.put("b", 2, 5)
    assert cache.get("a", 10) == 1
    assert cache.values(11) == (2,)
    assert len(cache) == 1
    assert cache.get("b", 15.5) is None
    assert len(cache) == 0


def test_a_dropped_value_is_gone() -> None:
    cache: BoundedCache[str, int] = BoundedCache(2, 10)
    cache.put("a", 1, 0)
    cache.drop("a")
    cache.drop("b")
    assert cache.get("a", 0) is None
