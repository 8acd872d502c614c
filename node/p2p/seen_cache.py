"""What was seen of late: messages go round a network in circles, and each is passed on once."""

from collections import OrderedDict
from hashlib import sha256


class SeenCache:
    """The last `most` keys, each for `ttl_s` seconds from when it was news; time comes in."""

    def __init__(self, most: int, ttl_s: float) -> None:
        self._most = most
        self._ttl_s = ttl_s
        self._until: OrderedDict[bytes, float] = OrderedDict()

    def add(self, key: bytes, now_s: float) -> bool:
        """Note a key; tell whether it is news.

        A repeat does not count as seen anew: nobody keeps a message from being heard by repeating
        it.
        """
        if self.has(key, now_s):
            return False
        self._until[key] = now_s + self._ttl_s
        self._until.move_to_end(key)
        if len(self._until) > self._most:
            self._until.popitem(last=False)
        return True

    def has(self, key: bytes, now_s: float) -> bool:
        """Tell whether a key was seen of late."""
        return self._until.get(key, now_s) > now_s

    def forget(self, key: bytes) -> None:
        """Make a key news again."""
        self._until.pop(key, None)

    def __len__(self) -> int:
        return len(self._until)


def key_of(*parts: bytes) -> bytes:
    """Return a short key of a long message."""
    digest = sha256()
    for part in parts:
        digest.update(len(part).to_bytes(8, "big"))
        digest.update(part)
    return digest.digest()
