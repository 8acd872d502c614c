"""The network of one node: listens, dials, opens sessions, and keeps the book of peers."""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import structlog
from coincurve import PrivateKey

from cvm.faults import LocalFault
from node.keys import draw_bytes
from node.p2p.admission import Admission, ConnectionGate, Party
from node.p2p.dialler import Dialler
from node.p2p.disconnect_reason import DisconnectReason
from node.p2p.ecies import Draw, node_id_of
from node.p2p.enode import Enode, parse_enode
from node.p2p.faults import BadMessage, PeerGone
from node.p2p.hello import Hello
from node.p2p.multiplexing import share
from node.p2p.p2p_config import P2pConfig
from node.p2p.peer_book import PeerBook
from node.p2p.protocol import Handler
from node.p2p.secure_stream import (
    READ_AHEAD_BYTES,
    SecureStream,
    open_inbound,
    open_outbound,
)
from node.p2p.session import Remote, Session, greet, say_disconnect

log = structlog.get_logger(__name__)
EVERY_INTERFACE = {"0.0.0.0": "127.0.0.1", "::": "::1"}

SAVE_EVERY_S = 30.0
SETTLED_S = 5.0
"""A session that ends sooner counts as a dial that failed."""
FAULT_POINTS = 25
Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class CannotListen(LocalFault):
    """The port for peers cannot be opened on this machine."""

    def __init__(self, host: str, port: int, error: OSError) -> None:
        super().__init__(
            f"cannot listen for peers on {host}:{port}: {error.strerror or error}; stop what holds "
            "the port or choose another with --p2p.port"
        )


class P2pServer:
    """A `Network`; `run` owns every task of it, and everything else may be called while it runs."""

    def __init__(
        self,
        key: PrivateKey,
        handlers: Sequence[Handler],
        book: PeerBook,
        config: P2pConfig,
        draw: Draw = draw_bytes,
    ) -> None:
        self._key = key
        self._handlers = handlers
        self._book = book
        self._config = config
        self._draw = draw
        self._port = config.port
        self._sessions: dict[bytes, Session] = {}
        self._dials: dict[bytes, asyncio.Future[Session | PeerGone]] = {}
        self._save_now = asyncio.Event()
        self._tasks: asyncio.TaskGroup | None = None
        self._gate = ConnectionGate(config)
        self._dialler = Dialler(
            self._dial_due, self._sessions, self._has_room, book, config.dial_back_s
        )
        for enode in config.static_peers:
            self._dialler.add_static(enode)
        for enode in config.bootnodes:
            book.note(enode)
        self.node_id = node_id_of(key)
        self.listening = asyncio.Event()

    @property
    def enode(self) -> str:
        """Return this node's own enode URL.

        Where it listens on every interface and was not told its address, it knows but loopback's.
        """
        host = self._config.advertised_host or self._config.host
        host = EVERY_INTERFACE.get(host, host)
        return str(Enode(self.node_id, host, self._port))

    @property
    def max_peers(self) -> int:
        """Return how many peers there may be, static ones not counted."""
        return self._config.max_peers

    def peers(self) -> tuple[Session, ...]:
        """Return the peers whose sessions are open, by node id."""
        return tuple(self._sessions[node_id] for node_id in sorted(self._sessions))

    def is_static(self, node_id: bytes) -> bool:
        """Tell whether this node keeps a session with that one."""
        return node_id in self._dialler.static_ids

    def add_static(self, enode: str) -> None:
        """Keep a session with this node from now on; raises `BadEnode`."""
        self._dialler.add_static(parse_enode(enode))

    def remove_static(self, enode: str) -> None:
        """Keep no session with this node any more; raises `BadEnode`."""
        self._dialler.remove_static(parse_enode(enode).node_id)

    def add_candidate(self, enode: str) -> None:
        """Note a node that may be dialled when there is room for it; raises `BadEnode`."""
        found = parse_enode(enode)
        if found.node_id != self.node_id:
            self._book.note(found)
            self._dialler.wake()

    async def connect(self, enode: str) -> Session:
        """Dial a node once, and return it when its session is open.

        Raises `PeerGone` where that fails, and `BadEnode`.
        """
        found = parse_enode(enode)
        if self._tasks is None:
            raise PeerGone(DisconnectReason.CLIENT_QUITTING, "the network is not running")
        if found.node_id in self._sessions:
            return self._sessions[found.node_id]
        if found.node_id not in self._dials:
            self._dials[found.node_id] = asyncio.get_running_loop().create_future()
            self._tasks.create_task(self._dial(found))
        outcome = self._dials[found.node_id]
        timeouts = self._config.timeouts
        await asyncio.wait([outcome], timeout=timeouts.connect_s + 2 * timeouts.handshake_s)
        if not outcome.done():
            raise PeerGone(DisconnectReason.TIMED_OUT)
        opened = outcome.result()
        if isinstance(opened, PeerGone):
            raise PeerGone(opened.reason, opened.detail)
        return opened

    async def run(self) -> None:
        """Listen, dial and talk until cancelled; raises `CannotListen`."""
        listener = await self._listen()
        try:
            async with asyncio.TaskGroup() as tasks:
                self._tasks = tasks
                tasks.create_task(self._keep_book())
                try:
                    await listener.start_serving()
                    self.listening.set()
                    log.info("listening for peers", enode=self.enode)
                    await self._dialler.run()
                finally:
                    listener.close()
        finally:
            self._tasks = None
            self._dials.clear()
            self.listening.clear()
            self._book.save()

    async def _listen(self) -> asyncio.Server:
        host, port = self._config.host, self._config.port
        try:
            listener = await asyncio.start_server(
                self._accept, host, port, limit=READ_AHEAD_BYTES, start_serving=False
            )
        except OSError as error:
            raise CannotListen(host, port, error) from error
        self._port = listener.sockets[0].getsockname()[1]
        return listener

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Take a connection from outside, or drop it unread."""
        address = remote_address(writer)
        now_s = asyncio.get_running_loop().time()
        if self._tasks is None or address is None or not self._gate.enter(address[0], now_s):
            writer.transport.abort()
            return
        self._tasks.create_task(self._answer((reader, writer), address))

    async def _answer(self, streams: Streams, address: tuple[str, int]) -> None:
        """Open a session that the other side asks for, and run it."""
        try:
            with _released(streams):
                try:
                    stream, hello = await self._shake(streams, None)
                    session = await self._admit(stream, Remote(hello, *address, inbound=True))
                finally:
                    self._gate.leave(address[0])
                await self._run(session)
        except PeerGone as gone:
            log.debug("no session", host=address[0], inbound=True, reason=str(gone))

    async def _dial_due(self, enode: Enode) -> bool:
        """Dial unless somebody does already; see `dialler.Dial`."""
        if enode.node_id in self._dials:
            return False
        self._dials[enode.node_id] = asyncio.get_running_loop().create_future()
        return await self._dial(enode)

    async def _dial(self, enode: Enode) -> bool:
        """Dial, and talk until the session is over; return whether there was one for a while."""
        try:
            streams = await self._connect(enode)
        except PeerGone as gone:
            return self._dialled_in_vain(enode, gone)
        with _released(streams):
            try:
                stream, hello = await self._shake(streams, enode.node_id)
                remote = Remote(hello, enode.host, enode.port, inbound=False)
                session = await self._admit(stream, remote)
            except PeerGone as gone:
                return self._dialled_in_vain(enode, gone)
            self._dials.pop(enode.node_id).set_result(session)
            lasted_s = await self._run(session)
        if lasted_s < SETTLED_S:  # it may have no room for us: it says so after Hello
            self._book.failed(enode.node_id)
        return lasted_s >= SETTLED_S

    def _dialled_in_vain(self, enode: Enode, gone: PeerGone) -> bool:
        log.debug("no session", host=enode.host, inbound=False, reason=str(gone))
        if gone.reason is not DisconnectReason.ALREADY_CONNECTED:
            self._book.failed(enode.node_id)
        self._dials.pop(enode.node_id).set_result(gone)
        return False

    async def _connect(self, enode: Enode) -> Streams:
        try:
            async with asyncio.timeout(self._config.timeouts.connect_s):
                return await asyncio.open_connection(enode.host, enode.port, limit=READ_AHEAD_BYTES)
        except (OSError, UnicodeError) as error:  # a name may be one that DNS cannot have
            raise PeerGone(DisconnectReason.NETWORK_ERROR, str(error)) from error

    async def _shake(self, streams: Streams, remote_id: bytes | None) -> tuple[SecureStream, Hello]:
        """Do the handshake, as the dialler of `remote_id` or as who was dialled, and say Hello."""
        timeouts = self._config.timeouts
        try:
            async with asyncio.timeout(timeouts.handshake_s):
                if remote_id is None:
                    stream = await open_inbound(*streams, self._key, self._draw, timeouts)
                else:
                    stream = await open_outbound(
                        *streams, self._key, remote_id, self._draw, timeouts
                    )
                return stream, await greet(stream, self._hello())
        except TimeoutError:
            raise PeerGone(DisconnectReason.TIMED_OUT, "in the handshake") from None
        except BadMessage as fault:
            raise PeerGone(DisconnectReason.BREACH_OF_PROTOCOL, str(fault)) from fault
        except (PeerGone, LocalFault, MemoryError):
            raise
        except Exception as fault:
            log.exception("a handshake failed")
            raise PeerGone(DisconnectReason.SUBPROTOCOL_ERROR, "a fault of this node") from fault

    def _hello(self) -> Hello:
        spoken = tuple(
            (each.name, each.version)
            for each in sorted(handler.capability for handler in self._handlers)
        )
        return Hello(self._config.client, spoken, self._port, self.node_id)

    async def _admit(self, stream: SecureStream, remote: Remote) -> Session:
        """Return the session, counted in, or refuse it: raises `PeerGone`."""
        shared = share(self._handlers, remote.hello.capabilities)
        admission = Admission(
            self.node_id, self._config, self._book, self._sessions, self._dialler.static_ids
        )
        party = Party(stream.remote_id, remote.host, remote.inbound)
        refusal = admission.refusal(party, asyncio.get_running_loop().time())
        if refusal is None and not shared:
            refusal = DisconnectReason.USELESS_PEER
        if refusal is not None:
            say_disconnect(stream, refusal)
            await stream.close()
            raise PeerGone(refusal, "refused here")
        session = Session(stream, remote, shared, self, self._config.timeouts)
        older = self._sessions.get(stream.remote_id)
        if older is not None:
            older.disconnect(DisconnectReason.ALREADY_CONNECTED)
        self._sessions[stream.remote_id] = session
        return session

    async def _run(self, session: Session) -> float:
        """Talk until the session is over; return how many seconds it lasted."""
        node_id = session.node_id
        self._dialler.opened(node_id)
        self._remember(session)
        facts = {"peer": node_id.hex()[:16], "client": session.client, "inbound": session.inbound}
        log.info("peer connected", **facts)
        end = await session.run()
        log.info("peer gone", **facts, reason=str(end))
        lasted_s = asyncio.get_running_loop().time() - session.opened_at_s
        if lasted_s >= SETTLED_S:
            self._book.settled(node_id)
        return lasted_s

    def _remember(self, session: Session) -> None:
        self._book.opened(session.node_id)
        port = session.listen_port if session.inbound else session.port
        if port:
            found = Enode(session.node_id, session.host, port)
            self._book.note(found, is_guess=session.inbound)  # its address may be a router's

    def ended(self, session: Session) -> None:
        """Count a session out; see `session.Watcher`."""
        if self._sessions.get(session.node_id) is session:
            del self._sessions[session.node_id]
        self._dialler.wake()

    def penalised(self, session: Session, points: int, reason: str) -> None:
        """Write points into the book, and end the session of who is banned for them."""
        node_id = session.node_id
        log.debug("peer penalised", peer=node_id.hex()[:16], points=points, reason=reason)
        if self._book.penalise(node_id, points, is_static=self.is_static(node_id)):
            log.warning("peer banned", peer=node_id.hex()[:16], host=session.host, reason=reason)
            session.disconnect(DisconnectReason.BREACH_OF_PROTOCOL)
            self._save_now.set()

    def failed(self, session: Session, fault: Exception) -> None:
        """Write a fault of ours down whole; who brings it about again and again is banned."""
        facts = {"peer": session.node_id.hex()[:16], "client": session.client}
        log.error("a session failed", **facts, exc_info=fault)
        self.penalised(session, FAULT_POINTS, f"brought about {type(fault).__name__}")

    def _has_room(self) -> bool:
        others = self._sessions.keys() - self._dialler.static_ids
        return len(others) < self._config.max_peers

    async def _keep_book(self) -> None:
        """Save the book now and then, and at once after a ban."""
        while True:
            self._save_now.clear()
            try:
                async with asyncio.timeout(SAVE_EVERY_S):
                    await self._save_now.wait()
            except TimeoutError:
                pass
            if self._book.is_changed:
                await asyncio.to_thread(self._book.writer())


@contextmanager
def _released(streams: Streams) -> Iterator[None]:
    """Let a connection go, whatever happens; sessions have said goodbye before."""
    try:
        yield
    finally:
        streams[1].transport.abort()


def remote_address(writer: asyncio.StreamWriter) -> tuple[str, int] | None:
    """Return IP address and port of the other side, None where it is gone already."""
    found = writer.get_extra_info("peername")
    if not found:
        return None
    return str(found[0]).removeprefix("::ffff:"), int(found[1])
