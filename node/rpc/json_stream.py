"""Cuts a stream of bytes into JSON values: clients of the IPC socket write one after the other."""

import re
from collections.abc import Iterator

_SPACE = b" \t\r\n"
_MARK = re.compile(rb'["\\{}\[\]]')
_STRING_MARK = re.compile(rb'["\\]')
_END_OF_SCALAR = re.compile(rb"[ \t\r\n]")


class MessageTooLong(Exception):
    """A value does not end within the bound."""

    def __init__(self, max_bytes: int) -> None:
        super().__init__(f"message too large: want at most {max_bytes} bytes")


class JsonStream:
    """Remembers the value that is not whole yet; every byte is looked at once.

    An array or object ends with its bracket. Anything else is no request, and ends with white
    space, so that it is answered as such.
    """

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._held = bytearray()
        self._place = 0
        self._depth = 0
        self._in_string = False

    def feed(self, piece: bytes) -> Iterator[bytes]:
        """Yield every value that ends in this piece; raises `MessageTooLong`."""
        self._held += piece
        while (end := self._end()) is not None:
            value = bytes(self._held[:end])
            del self._held[:end]
            self._place = 0
            yield value
        if len(self._held) > self._max_bytes:
            raise MessageTooLong(self._max_bytes)

    def _end(self) -> int | None:
        """Return where the first value ends, None where it goes on."""
        if self._place == 0:
            del self._held[: len(self._held) - len(self._held.lstrip(_SPACE))]
            if not self._held:
                return None
            if self._held[0] not in b"{[":
                found = _END_OF_SCALAR.search(self._held)
                return None if found is None else found.end()
        while True:
            mark = (_STRING_MARK if self._in_string else _MARK).search(self._held, self._place)
            if mark is None:
                self._place = len(self._held)
                return None
            if mark.group() == b"\\" and mark.end() == len(self._held):
                self._place = mark.start()
                return None
            self._place = mark.end()
            self._step(mark.group())
            if self._depth == 0 and not self._in_string:
                return self._place

    def _step(self, mark: bytes) -> None:
        if mark == b'"':
            self._in_string = not self._in_string
        elif mark == b"\\":
            self._place += self._in_string
        elif mark in b"{[":
            self._depth += 1
        else:
            self._depth -= 1
