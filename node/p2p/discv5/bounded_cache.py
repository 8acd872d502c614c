"""A cache with a bound and a lifetime, for what anybody on the network can make grow."""

from collections import OrderedDict
from typing import Generic, TypeVar

Key = TypeVar("Key")
Value = TypeVar("Value")


class BoundedCache(Generic[Key, Value]):
    """Keeps at most `capacity` values; the one that was unused for longest goes first.

    A value older than `lifetime_s` is not found any more. Time comes in with each call.
    """

    def __init__(self, capacity: int, lifetime_s: float) -> None:
        self._capacity = capacity
        self._lifetime_s = lifetime_s
        self._values: OrderedDict[Key, tuple[float, Value]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._values)

    def get(self, key: Key, now_s: float) -> Value | None:
        """Return a value and note that it was used, or None."""
        found = self._values.get(key)
        if found is None:
            return None
        if now_s - found[0] > self._lifetime_s:
            del self._values[key]
            return None
        self._values.move_to_end(key)
        return found[1]

    def put(self, key: Key, value: Value, now_s: float) -> None:
        """Keep a value from now on."""
        self._values[key] = (now_s, value)
        self._values.move_to_end(key)
        if len(self._values) > self._capacity:
            self._values.popitem(last=False)

    def values(self, now_s: float) -> tuple[Value, ...]:
        """Return what is alive, and forget the rest."""
        for key in [k for k, (at_s, _) in self._values.items() if now_s - at_s > self._lifetime_s]:
            del self._values[key]
        return tuple(value for _, value in self._values.values())

    def drop(self, key: Key) -> None:
        """Forget a value, if it is there."""
        self._values.pop(key, None)
