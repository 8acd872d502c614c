"""Writes that lie in memory over a read-only store until a block is accepted."""

from collections.abc import Callable, Iterator

from eth.db.backends.base import BaseDB

Read = Callable[[bytes], bytes | None]


class OverlayDatabase(BaseDB):
    """Key-value pairs: reads fall through, writes stay in `writes`, nothing is deleted below.

    Trie nodes and code are named by their hash, so a write never changes what another block
    reads, and a block that is refused leaves nothing behind.
    """

    def __init__(self, read: Read) -> None:
        self._read = read
        self.writes: dict[bytes, bytes] = {}

    def __getitem__(self, key: bytes) -> bytes:
        value = self.writes.get(key)
        if value is None:
            value = self._read(key)
        if value is None:
            raise KeyError(key)
        return value

    def __setitem__(self, key: bytes, value: bytes) -> None:
        self.writes[key] = value

    def __delitem__(self, key: bytes) -> None:
        self.writes.pop(key, None)

    def _exists(self, key: bytes) -> bool:
        return key in self.writes or self._read(key) is not None

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.writes)

    def __len__(self) -> int:
        return len(self.writes)
