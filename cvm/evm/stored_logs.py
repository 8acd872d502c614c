"""The logs of a receipt that was stored: decoded when somebody looks at them, one by one.

A block may hold 80,000 logs, and most who ask for its receipts want the gas, or one of them.
"""

from collections.abc import Iterator, Sequence
from typing import overload

from cvm.evm.log import Log, decode_log
from cvm.evm.rlp_lists import ADDRESS_BYTES, expect_shape, split_items


class StoredLogs(Sequence[Log]):
    """A sequence of logs over the payload of their RLP list; equal to any with the same logs.

    What is no list of logs raises `BadRlp` when it is looked at.
    """

    __slots__ = ("_entries", "_payload")

    def __init__(self, payload: bytes) -> None:
        self._payload = payload
        self._entries: list[bytes] | None = None if payload else []

    def _split(self) -> list[bytes]:
        if self._entries is None:
            entries, kinds = split_items(self._payload, 0, len(self._payload), ADDRESS_BYTES)
            expect_shape("the logs", entries, kinds, len(entries), list(range(len(entries))))
            self._entries = entries
        return self._entries

    def __len__(self) -> int:
        return len(self._split())

    def __iter__(self) -> Iterator[Log]:
        return map(decode_log, self._split())

    @overload
    def __getitem__(self, place: int) -> Log: ...

    @overload
    def __getitem__(self, place: slice) -> tuple[Log, ...]: ...

    def __getitem__(self, place: int | slice) -> Log | tuple[Log, ...]:
        found = self._split()[place]
        return decode_log(found) if isinstance(found, bytes) else tuple(map(decode_log, found))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and tuple(self) == tuple(other)
