"""Carries the messages of one capability over a session that it may share with others."""

from collections.abc import Callable

from node.p2p.disconnect_reason import DisconnectReason
from node.p2p.faults import PeerGone
from node.p2p.multiplexing import join_code
from node.p2p.secure_stream import SecureStream
from node.p2p.snappy import compress


class CapabilityLink:
    """Sends the messages of one capability."""

    def __init__(self, stream: SecureStream, offset: int, is_open: Callable[[], bool]) -> None:
        self._stream = stream
        self._offset = offset
        self._is_open = is_open

    @property
    def is_open(self) -> bool:
        """Tell whether the session goes on."""
        return self._is_open()

    async def send(self, code: int, payload: bytes) -> None:
        """Send; waits for room; raises `PeerGone`."""
        if not self._is_open():
            raise PeerGone(DisconnectReason.REQUESTED, "the session is over")
        await self._stream.write(join_code(self._offset + code, compress(payload)))

    def try_send(self, code: int, payload: bytes) -> bool:
        """Send if there is room now; tell whether it was sent."""
        if not self._is_open():
            return False
        return self._stream.try_write(join_code(self._offset + code, compress(payload)))
