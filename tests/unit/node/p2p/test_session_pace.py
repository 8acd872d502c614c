"""How fast a peer is read: by what its messages become, not by what they are on the wire."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from node.p2p import session
from node.p2p.disconnect_reason import DisconnectReason
from node.p2p.faults import PeerGone
from node.p2p.hello import BASE_LENGTH, Hello
from node.p2p.multiplexing import join_code, share
from node.p2p.protocol import Rate
from node.p2p.secure_stream import Timeouts
from node.p2p.session import Remote, Session
from node.p2p.snappy import compress
from tests.unit.node.p2p.echo import MAX_TEXT, Echo

HELLO = Hello("test", (("echo", 1),), 0, b"\x01" * 64)
BURST_TEXTS = 2


class Frames:
    """A stream that gives some frames, and then ends."""

    remote_id = b"\x01" * 64

    def __init__(self, frames: Sequence[bytes]) -> None:
        self._frames = list(frames)

    async def read_frame(self, _max_bytes: int) -> bytes:
        if not self._frames:
            raise PeerGone(DisconnectReason.REQUESTED)
        return self._frames.pop(0)


class Nobody:
    """Watches no session."""

    def penalised(self, _session: Session, points: int, reason: str) -> None:
        raise AssertionError(f"{points}: {reason}")

    def failed(self, session: Session, fault: Exception) -> None:
        raise fault

    def ended(self, _session: Session) -> None:
        """Say nothing."""


def pauses(monkeypatch: pytest.MonkeyPatch, texts: Sequence[bytes]) -> list[float]:
    """Return how long a session pauses while it reads these texts, all sent at once."""
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    async def read() -> None:
        frames = [join_code(BASE_LENGTH, compress(text)) for text in texts]
        stream: Any = Frames(frames)
        shared = share([Echo()], HELLO.capabilities)
        remote = Remote(HELLO, "127.0.0.1", 1, inbound=True)
        reader = Session(stream, remote, shared, Nobody(), Timeouts())
        with pytest.raises(PeerGone):
            await reader._read()

    rate = Rate(per_second=MAX_TEXT, burst=BURST_TEXTS * MAX_TEXT)
    monkeypatch.setattr(session, "BYTE_RATE", rate)
    monkeypatch.setattr(asyncio, "sleep", sleep)
    asyncio.run(read())
    return slept


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(bytes(MAX_TEXT), id="zeros, which take sixty bytes"),
        pytest.param(bytes(range(250)) * 4, id="what hardly becomes smaller"),
    ],
)
def test_a_text_costs_what_it_becomes(monkeypatch: pytest.MonkeyPatch, text: bytes) -> None:
    slept = pauses(monkeypatch, [text] * 5)
    assert [round(seconds) for seconds in slept] == [1, 2, 3]


def test_a_burst_is_read_without_a_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    assert pauses(monkeypatch, [bytes(MAX_TEXT)] * BURST_TEXTS) == []
