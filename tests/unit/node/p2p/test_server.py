"""Servers over loopback: sessions open, end, come back, are refused and are replaced."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import replace
from pathlib import Path

import pytest

from cvm.faults import LocalFault
from node.p2p import server
from node.p2p.disconnect_reason import DisconnectReason
from node.p2p.enode import Enode, parse_enode
from node.p2p.faults import PeerGone
from node.p2p.first_fault import innermost
from node.p2p.p2p_config import P2pConfig
from node.p2p.peer_book import PeerBook
from node.p2p.secure_stream import Timeouts
from node.p2p.server import FAULT_POINTS, CannotListen, P2pServer
from tests.p2p_servers import key_of, quick_config, serving, until
from tests.unit.node.p2p.echo import Answer, Ask, Echo, Tell

pytestmark = pytest.mark.network
EITHER_WAY = ([False, True], [True, False])


def run(test: Callable[[], Coroutine[None, None, None]]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(60):
            await test()

    asyncio.run(bounded())


async def refusal(server: P2pServer, enode: str) -> DisconnectReason:
    """Dial a node that wants no session; return its reason, whenever it says it."""
    try:
        peer = await server.connect(enode)
    except PeerGone as gone:
        return gone.reason
    await until(lambda: peer.end is not None)
    assert peer.end is not None
    return peer.end.reason


def open_channels(echo: Echo) -> int:
    return sum(channel.is_open for channel in echo.channels)


def test_a_server_on_every_interface_names_an_address_that_can_be_dialled() -> None:
    async def scene() -> None:
        everywhere = replace(quick_config(), host="0.0.0.0")
        async with serving(1, Echo()) as a, serving(2, Echo(), config=everywhere) as b:
            assert parse_enode(b.enode).host == "127.0.0.1"
            assert (await a.connect(b.enode)).node_id == b.node_id

    run(scene)


def test_two_servers_talk() -> None:
    async def scene() -> None:
        left, right = Echo(), Echo()
        async with serving(1, left) as a, serving(2, right) as b:
            peer = await a.connect(b.enode)
            await until(lambda: bool(b.peers() and left.channels))
            assert (peer.node_id, peer.inbound, peer.client) == (b.node_id, False, "cvm/0.1")
            assert [each.inbound for each in b.peers()] == [True]
            assert await left.channels[0].request(Ask(4), Answer, 5) == Answer(4)
            await left.channels[0].send(Tell(b"x" * 1000))
            await until(lambda: right.told == [b"x" * 1000])

    run(scene)


def test_the_highest_shared_version_runs() -> None:
    async def scene() -> None:
        one, two, three = Echo(version=1), Echo(version=2), Echo(version=2)
        async with serving(1, one, two) as a, serving(2, Echo(version=1), three) as b:
            await a.connect(b.enode)
            await until(lambda: bool(two.channels and three.channels))
            assert one.channels == []

    run(scene)


@pytest.mark.parametrize(
    ("left", "right", "target", "reason"),
    [
        pytest.param(1, 1, None, DisconnectReason.CONNECTED_TO_SELF, id="itself"),
        pytest.param(1, 2, 3, DisconnectReason.NETWORK_ERROR, id="another key than was named"),
    ],
)
def test_who_answers_has_to_be_another_and_the_one_named(
    left: int, right: int, target: int | None, reason: DisconnectReason
) -> None:
    async def scene() -> None:
        async with serving(left, Echo()) as a, serving(right, Echo()) as b:
            enode = parse_enode(b.enode)
            if target is not None:
                named = P2pServer(key_of(target), [], PeerBook(None), quick_config()).node_id
                enode = Enode(named, enode.host, enode.port)
            assert await refusal(a, str(enode)) is reason
            assert a.peers() == b.peers() == ()

    run(scene)


def test_peers_without_a_shared_capability_part() -> None:
    async def scene() -> None:
        async with serving(1, Echo(version=1)) as a, serving(2, Echo(version=2)) as b:
            assert await refusal(a, b.enode) is DisconnectReason.USELESS_PEER
            assert b.peers() == ()

    run(scene)


def test_too_many_peers_are_refused_but_static_ones_come_in() -> None:
    async def scene() -> None:
        async with serving(2, Echo()) as b, serving(3, Echo()) as c:
            full = quick_config(parse_enode(c.enode), max_peers=0)
            async with serving(1, Echo(), config=full) as a:
                assert await refusal(b, a.enode) is DisconnectReason.TOO_MANY_PEERS
                await until(lambda: [peer.node_id for peer in a.peers()] == [c.node_id])

    run(scene)


def test_one_address_has_so_many_inbound_peers_at_most() -> None:
    async def scene() -> None:
        strict = P2pConfig(host="127.0.0.1", port=0, max_per_host=2, limit_loopback=True)
        async with (
            serving(1, Echo(), config=strict) as a,
            serving(2, Echo()) as b,
            serving(3, Echo()) as c,
            serving(4, Echo()) as d,
        ):
            await b.connect(a.enode)
            await c.connect(a.enode)
            await until(lambda: len(a.peers()) == 2)
            assert await refusal(d, a.enode) is DisconnectReason.TOO_MANY_PEERS

    run(scene)


def test_of_a_flood_of_connections_from_one_address_most_are_dropped_unread() -> None:
    async def scene() -> None:
        strict = P2pConfig(host="127.0.0.1", port=0, max_per_host=100, limit_loopback=True)
        async with serving(1, Echo(), config=strict) as a:
            enode = parse_enode(a.enode)
            opened = [
                await asyncio.open_connection(enode.host, enode.port, limit=1) for _ in range(40)
            ]
            ended = [asyncio.ensure_future(reader.read()) for reader, _ in opened]
            await until(lambda: sum(each.done() for each in ended) >= 15)  # 20, and 2 a second
            assert not all(each.done() for each in ended)
            for _, writer in opened:
                writer.close()
            await asyncio.gather(*ended)

    run(scene)


def test_a_peer_that_breaks_rules_is_banned_and_stays_so_after_a_restart(tmp_path: Path) -> None:
    async def scene() -> None:
        path = tmp_path / "peers.json"
        liar = Echo()
        async with serving(2, liar) as b:
            async with serving(1, Echo(), book=PeerBook(path)) as a:
                await b.connect(a.enode)
                await until(lambda: bool(liar.channels))
                await liar.channels[0].send(Tell(b"bad"))
                await until(lambda: a.peers() == b.peers() == ())
                assert await refusal(b, a.enode) is DisconnectReason.USELESS_PEER
                await until(path.exists)  # at once, not when the node stops
            async with serving(1, Echo(), book=PeerBook(path)) as a:
                assert await refusal(b, a.enode) is DisconnectReason.USELESS_PEER

    run(scene)


def test_a_fault_that_a_peer_brings_about_ends_its_session_and_no_other(
    capsys: pytest.CaptureFixture[str],
) -> None:
    async def scene() -> None:
        good, bad, book = Echo(), Echo(), PeerBook(None)
        async with serving(1, good) as a, serving(2, bad) as b, serving(3, Echo(), book=book) as c:
            await a.connect(c.enode)
            peer = await b.connect(c.enode)
            await until(lambda: bool(bad.channels and good.channels))
            await bad.channels[0].send(Tell(b"fault"))
            await until(lambda: peer.end is not None)
            assert peer.end is not None
            assert peer.end.reason is DisconnectReason.SUBPROTOCOL_ERROR
            assert book.points(b.node_id) == pytest.approx(FAULT_POINTS, abs=1)
            assert await good.channels[0].request(Ask(5), Answer, 5) == Answer(5)

    run(scene)
    assert "ZeroDivisionError: unforeseen" in capsys.readouterr().out


def test_a_fault_in_a_handshake_ends_that_handshake_and_no_session(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("unforeseen")

    async def scene() -> None:
        good = Echo()
        async with serving(1, good) as a, serving(2, Echo()) as b, serving(3, Echo()) as c:
            await a.connect(c.enode)
            await until(lambda: bool(good.channels))
            with monkeypatch.context() as spoilt:
                spoilt.setattr(server, "greet", broken)
                with pytest.raises(PeerGone) as gone:
                    await b.connect(c.enode)
            assert gone.value.reason is DisconnectReason.SUBPROTOCOL_ERROR
            assert await good.channels[0].request(Ask(5), Answer, 5) == Answer(5)

    run(scene)
    assert "a handshake failed" in capsys.readouterr().out


def test_a_fault_of_the_machine_ends_the_server() -> None:
    async def scene() -> None:
        left = Echo()
        async with serving(1, left) as a, serving(2, Echo()) as b:
            await a.connect(b.enode)
            await until(lambda: bool(left.channels))
            await left.channels[0].send(Tell(b"disk"))
            await until(lambda: not b.listening.is_set())

    with pytest.raises(ExceptionGroup) as ended:
        run(scene)
    assert isinstance(innermost(ended.value), LocalFault)


def test_a_static_peer_that_was_away_is_found_again() -> None:
    async def scene() -> None:
        async with serving(2, Echo()) as b:
            enode = parse_enode(b.enode)
            config = quick_config(enode)
            async with serving(1, Echo(), config=config) as a:
                await until(lambda: len(a.peers()) == len(b.peers()) == 1)
                b.peers()[0].disconnect(DisconnectReason.CLIENT_QUITTING)
                first = a.peers()[0]
                await until(lambda: bool(a.peers()) and a.peers()[0] is not first)

    run(scene)


def test_candidates_are_dialled_while_there_is_room() -> None:
    async def scene() -> None:
        config = quick_config(max_peers=1)
        async with (
            serving(1, Echo(), config=config) as a,
            serving(2, Echo()) as b,
            serving(3, Echo()) as c,
        ):
            a.add_candidate(b.enode)
            await until(lambda: len(a.peers()) == 1)
            a.add_candidate(c.enode)
            a.add_candidate(a.enode)
            assert [peer.node_id for peer in a.peers()] == [b.node_id]
            assert c.peers() == ()

    run(scene)


async def dial_each_other() -> None:
    left, right = Echo(), Echo()
    async with serving(1, left) as a, serving(2, right) as b:
        await asyncio.gather(a.connect(b.enode), b.connect(a.enode), return_exceptions=True)
        await until(lambda: [peer.inbound for peer in a.peers() + b.peers()] in EITHER_WAY)
        await until(lambda: open_channels(left) == open_channels(right) == 1)
        (ours,), (theirs,) = a.peers(), b.peers()
        channel = next(each for each in left.channels if each.is_open)
        assert await channel.request(Ask(1), Answer, 5) == Answer(1)
        assert (a.peers(), b.peers()) == ((ours,), (theirs,))


def test_two_that_dial_each_other_at_once_keep_one_session() -> None:
    async def scene() -> None:
        for _ in range(5):
            await dial_each_other()

    run(scene)


def test_a_node_that_is_being_dialled_is_not_dialled_again() -> None:
    async def scene() -> None:
        async with serving(2, Echo()) as b:
            config = quick_config(parse_enode(b.enode))
            async with serving(1, Echo(), config=config) as a:
                peers = await asyncio.gather(*(a.connect(b.enode) for _ in range(5)))
                assert len(set(map(id, peers))) == 1
                await until(lambda: len(b.peers()) == 1)
                assert a.peers() == (peers[0],)

    run(scene)


def test_a_session_that_is_over_is_nobody_s_peer_at_once() -> None:
    async def scene() -> None:
        async with serving(1, Echo()) as a, serving(2, Echo()) as b:
            peer = await a.connect(b.enode)
            peer.disconnect(DisconnectReason.REQUESTED)
            assert a.peers() == ()

    run(scene)


def test_a_peer_that_says_nothing_is_given_up() -> None:
    async def scene() -> None:
        hasty = Timeouts(handshake_s=0.05)
        async with serving(1, Echo(), config=quick_config(timeouts=hasty)) as a:
            enode = parse_enode(a.enode)
            reader, writer = await asyncio.open_connection(enode.host, enode.port)
            assert await reader.read() == b""  # within five seconds, or the test's time is up
            writer.close()

    run(scene)


def test_a_peer_that_falls_silent_is_given_up() -> None:
    async def scene() -> None:
        deaf = Timeouts(frame_s=0.1, ping_s=60)
        mute = Timeouts(frame_s=60, ping_s=60)
        async with (
            serving(1, Echo(), config=quick_config(timeouts=deaf)) as a,
            serving(2, Echo(), config=quick_config(timeouts=mute)) as b,
        ):
            peer = await a.connect(b.enode)
            await until(lambda: peer.end is not None)
            assert peer.end is not None
            assert peer.end.reason is DisconnectReason.TIMED_OUT

    run(scene)


def test_pings_keep_a_quiet_session_open() -> None:
    async def scene() -> None:
        times = Timeouts(frame_s=0.4, ping_s=0.05)
        mute = Timeouts(frame_s=60, ping_s=60)
        async with (
            serving(1, Echo(), config=quick_config(timeouts=times)) as a,
            serving(2, Echo(), config=quick_config(timeouts=mute)) as b,
        ):
            peer = await a.connect(b.enode)
            await until(lambda: peer.traffic[0] > 20 * 64)  # pongs alone, for a second
            assert peer.is_open

    run(scene)


def test_a_port_that_is_taken_is_a_fault_of_this_machine() -> None:
    async def scene() -> None:
        async with serving(1, Echo()) as a:
            taken = P2pConfig(host="127.0.0.1", port=parse_enode(a.enode).port)
            server = P2pServer(key_of(2), [Echo()], PeerBook(None), taken)
            told = r"cannot listen for peers on 127.0.0.1:\d+: .* choose another with --p2p.port"
            with pytest.raises(CannotListen, match=told):
                await server.run()

    run(scene)


def test_a_name_that_leads_nowhere_is_no_peer() -> None:
    async def scene() -> None:
        async with serving(1, Echo()) as a, serving(2, Echo()) as b:
            for host in ("no-such-host.invalid", "a..b", "x" * 70):
                enode = Enode(b.node_id, host, 30303)
                assert await refusal(a, str(enode)) is DisconnectReason.NETWORK_ERROR

    run(scene)
