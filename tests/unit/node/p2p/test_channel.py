"""Channels over a pipe: order, replies, bounds, and how waits end."""

import asyncio
from collections.abc import Callable, Coroutine

import pytest

from node.p2p.disconnect_reason import DisconnectReason
from node.p2p.faults import BadMessage, PeerGone, RequestTimedOut
from node.p2p.protocol import Rate
from tests.p2p_pipe import channel_pipe, handler_pipe
from tests.unit.node.p2p.echo import Answer, Ask, Echo, Tell


def run(test: Callable[[], Coroutine[None, None, None]]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(10):
            await test()

    asyncio.run(bounded())


def test_messages_arrive_in_order() -> None:
    async def scene() -> None:
        async with channel_pipe(Echo(), Echo()) as pipe:
            for text in (b"one", b"two", b"three"):
                await pipe.left.send(Tell(text))
            got = [await pipe.right.receive() for _ in range(3)]
        assert got == [Tell(b"one"), Tell(b"two"), Tell(b"three")]

    run(scene)


def test_a_request_gets_the_reply_with_its_number() -> None:
    async def scene() -> None:
        async with channel_pipe(Echo(), Echo()) as pipe:
            asked = [
                asyncio.ensure_future(pipe.left.request(Ask(number), Answer, 5))
                for number in (7, 8)
            ]
            await pipe.right.receive()
            await pipe.right.receive()
            await pipe.right.send(Answer(8))
            await pipe.right.send(Answer(7))
            assert await asyncio.gather(*asked) == [Answer(7), Answer(8)]
            assert pipe.left_peer.penalties == []

    run(scene)


def test_a_silent_peer_costs_the_request_and_not_the_session() -> None:
    async def scene() -> None:
        async with handler_pipe(Echo(), Echo(mute=True)) as pipe:
            with pytest.raises(RequestTimedOut, match=r"no answer to Ask within 0.01 s"):
                await pipe.left.request(Ask(1), Answer, 0.01)
            assert pipe.left.is_open

    run(scene)


def test_a_late_reply_costs_nothing() -> None:
    async def scene() -> None:
        async with channel_pipe(Echo(), Echo()) as pipe:
            with pytest.raises(RequestTimedOut):
                await pipe.left.request(Ask(1), Answer, 0.01)
            await pipe.right.send(Answer(1))
            await pipe.right.send(Tell(b"after"))
            assert await pipe.left.receive() == Tell(b"after")
            assert pipe.left_peer.penalties == []

    run(scene)


@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        pytest.param(None, "nobody asked for Answer", id="nothing was asked"),
        pytest.param(2, "nobody asked for this Answer", id="another number was asked"),
    ],
)
def test_an_unsolicited_reply_costs_points(asked: int | None, reason: str) -> None:
    async def scene() -> None:
        async with channel_pipe(Echo(), Echo()) as pipe:
            if asked is not None:
                with pytest.raises(RequestTimedOut):
                    await pipe.left.request(Ask(asked), Answer, 0.01)
            await pipe.right.send(Answer(1))
            await pipe.right.send(Tell(b"after"))
            await pipe.left.receive()
            assert pipe.left_peer.penalties == [(10, reason)]

    run(scene)


def test_what_exceeds_its_rate_is_dropped_with_points() -> None:
    async def scene() -> None:
        strict = Echo(rate=Rate(per_second=0.001, burst=2))
        async with channel_pipe(Echo(), strict) as pipe:
            for number in range(4):
                await pipe.left.send(Tell(bytes([number])))
            await pipe.left.send(Ask(9))
            got = [await pipe.right.receive() for _ in range(3)]
            assert got == [Tell(b"\0"), Tell(b"\1"), Ask(9)]
            assert pipe.right_peer.penalties == [(1, "too many Tell")] * 2

    run(scene)


def test_a_long_message_counts_for_several() -> None:
    async def scene() -> None:
        strict = Echo(rate=Rate(per_second=0.001, burst=6, bytes_per_message=100))
        async with channel_pipe(Echo(), strict) as pipe:
            for text in (b"a" * 399, b"b" * 200, b"c" * 99):
                await pipe.left.send(Tell(text))
            await pipe.left.send(Ask(9))
            got = [await pipe.right.receive() for _ in range(3)]
            assert got == [Tell(b"a" * 399), Tell(b"c" * 99), Ask(9)]
            assert pipe.right_peer.penalties == [(1, "too many Tell")]

    run(scene)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        pytest.param(b"bad", "bad text", id="refused by its class"),
        pytest.param(b"x" * 1001, "Tell of 1001 bytes, at most 1000", id="too long"),
    ],
)
def test_bad_bytes_end_the_session_with_points(text: bytes, reason: str) -> None:
    async def scene() -> None:
        async with channel_pipe(Echo(), Echo()) as pipe:
            await pipe.left.send(Tell(text))
            with pytest.raises(PeerGone) as gone:
                await pipe.right.receive()
            assert gone.value.reason is DisconnectReason.BREACH_OF_PROTOCOL
            assert pipe.right_peer.penalties == [(100, reason)]

    run(scene)


def test_an_unknown_code_is_a_breach() -> None:
    class Wrong(Tell):
        CODE = 3

    async def scene() -> None:
        async with channel_pipe(Echo(), Echo()) as pipe:
            await pipe.left.send(Wrong(b""))
            with pytest.raises(PeerGone):
                await pipe.right.receive()
            assert pipe.right_peer.penalties == [(100, "echo/1 has no message 0x03")]

    run(scene)


def test_a_request_ends_when_the_peer_goes() -> None:
    async def scene() -> None:
        async with handler_pipe(Echo(), Echo(mute=True)) as pipe:
            asked = asyncio.ensure_future(pipe.left.request(Ask(1), Answer, 60))
            await asyncio.sleep(0)
            pipe.left_peer.disconnect(DisconnectReason.CLIENT_QUITTING)
            with pytest.raises(PeerGone, match="client_quitting"):
                await asked
            assert not pipe.left.is_open
            assert not pipe.left.try_send(Tell(b"late"))

    run(scene)


def test_handlers_talk_over_the_pipe() -> None:
    async def scene() -> None:
        right = Echo()
        async with handler_pipe(Echo(), right) as pipe:
            assert pipe.left.try_send(Tell(b"hello"))
            assert await pipe.left.request(Ask(5), Answer, 5) == Answer(5)
            assert right.told == [b"hello"]

    run(scene)


def test_bad_messages_are_refused_by_name() -> None:
    with pytest.raises(BadMessage, match="bad text"):
        Tell.decode(b"bad")
