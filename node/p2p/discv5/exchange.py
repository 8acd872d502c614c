"""Requests and answers over discv5 packets: handshakes, sessions, and who waits for what.

No sockets and no clock: datagrams come in with the time, and go out through `Surroundings`.
"""

from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from node.p2p.discv5.allowance import (
    CHALLENGE_COST,
    HANDSHAKE_COST,
    PACKET_COST,
    Allowance,
)
from node.p2p.discv5.bounded_cache import BoundedCache
from node.p2p.discv5.endpoint import Endpoint
from node.p2p.discv5.enr import NodeRecord, decode_record
from node.p2p.discv5.handshake import Challenge, Session, accept, initiate
from node.p2p.discv5.messages import (
    ANSWERS,
    FindNode,
    Message,
    Nodes,
    Ping,
    Request,
    Response,
    TalkRequest,
    decode_message,
    encode_message,
)
from node.p2p.discv5.own_record import OwnRecord
from node.p2p.discv5.packet import (
    ID_NONCE_BYTES,
    IV_BYTES,
    MAX_PACKET_BYTES,
    NONCE_BYTES,
    Handshake,
    Ordinary,
    Packet,
    WhoAreYou,
    authenticated_bytes,
    decode_packet,
    encode_packet,
)
from node.p2p.discv5.session_keys import seal, unseal
from node.p2p.faults import BadMessage

SESSIONS = 2_048
SESSION_LIFETIME_S = 12 * 3600.0
CHALLENGES = 1_024
CHALLENGE_LIFETIME_S = 2.0
MAX_CALLS_PER_CONTACT = 8
MAX_CALLS = 512
RANDOM_MESSAGE_BYTES = 20
"""What a first packet carries, before there are keys."""


class Contact(NamedTuple):
    """A node at an address; a session belongs to both, so a packet from elsewhere opens none."""

    node_id: bytes
    endpoint: Endpoint


class Surroundings(Protocol):
    """What the exchange asks of the service around it."""

    def send(self, datagram: bytes, endpoint: Endpoint) -> None:
        """Send a datagram, or lose it."""

    def record_of(self, node_id: bytes) -> NodeRecord | None:
        """Return the newest record of a node that is known."""

    def answer(self, contact: Contact, request: Request) -> tuple[Response, ...]:
        """Return the answers to a request."""

    def established(self, contact: Contact, record: NodeRecord) -> None:
        """Note that a node proved to own a record, from this address."""


class Call:
    """A request on its way; `on_done` gets the answers, none where the call failed.

    Whoever starts a call also finishes it, when it is answered or has waited long enough.
    """

    def __init__(
        self,
        contact: Contact,
        public_key: bytes,
        request: Request,
        on_done: Callable[[], None],
    ) -> None:
        self.contact = contact
        self.public_key = public_key
        self.request = request
        self.answers: list[Response] = []
        self.on_done = on_done
        self.nonce = b""
        self.is_handshake_sent = False


@dataclass(slots=True)
class Counters:
    """What happened so far, for logs and tests."""

    handshakes: int = 0
    refused: int = 0
    challenged: int = 0


class Exchange:
    """Speaks with any number of nodes; everything that it keeps has a bound."""

    def __init__(
        self, key: bytes, own: OwnRecord, draw: Callable[[int], bytes], around: Surroundings
    ) -> None:
        self._key = key
        self._own = own
        self._draw = draw
        self._around = around
        self._sessions: BoundedCache[Contact, tuple[Session, ...]] = BoundedCache(
            SESSIONS, SESSION_LIFETIME_S
        )
        self._challenges: BoundedCache[Contact, Challenge] = BoundedCache(
            CHALLENGES, CHALLENGE_LIFETIME_S
        )
        self._queues: dict[Contact, deque[Call]] = {}
        self._by_nonce: dict[bytes, Call] = {}
        self._awaited: Counter[Endpoint] = Counter()
        self._allowance = Allowance()
        self.counters = Counters()

    # Our requests

    def start(self, call: Call, now_s: float) -> bool:
        """Send a request, after those to the same contact; False where too many wait."""
        queue = self._queues.get(call.contact)
        if self._awaited.total() >= MAX_CALLS or (queue and len(queue) >= MAX_CALLS_PER_CONTACT):
            return False
        self._awaited[call.contact.endpoint] += 1
        if queue:
            queue.append(call)
        else:
            self._queues[call.contact] = deque([call])
            self._transmit(call, now_s)
        return True

    def finish(self, call: Call, now_s: float) -> None:
        """Forget a call that was started, and send the next one to its contact."""
        queue = self._queues[call.contact]
        was_first = queue[0] is call
        queue.remove(call)
        self._awaited[call.contact.endpoint] -= 1
        if not self._awaited[call.contact.endpoint]:
            del self._awaited[call.contact.endpoint]
        self._by_nonce.pop(call.nonce, None)
        if not queue:
            del self._queues[call.contact]
        elif was_first:
            self._transmit(queue[0], now_s)

    def _transmit(self, call: Call, now_s: float) -> None:
        """Send a request in its session; without one, random bytes that ask for a challenge."""
        sessions = self._sessions.get(call.contact, now_s)
        if sessions is None:
            call.nonce = self._draw(NONCE_BYTES)
            header = authenticated_bytes(
                self._draw(IV_BYTES), call.nonce, Ordinary(self._own.record.node_id)
            )
            packet = encode_packet(call.contact.node_id, header, self._draw(RANDOM_MESSAGE_BYTES))
        else:
            call.nonce, packet = self._sealed(call.contact, sessions[0], call.request)
        self._by_nonce[call.nonce] = call
        self._around.send(packet, call.contact.endpoint)

    def _sealed(self, contact: Contact, session: Session, message: Message) -> tuple[bytes, bytes]:
        """Return the nonce and the datagram of a message in a session."""
        nonce = session.next_nonce(self._draw)
        header = authenticated_bytes(
            self._draw(IV_BYTES), nonce, Ordinary(self._own.record.node_id)
        )
        body = seal(session.write_key, nonce, encode_message(message), header)
        packet = encode_packet(contact.node_id, header, body)
        if len(packet) > MAX_PACKET_BYTES:
            raise BadMessage(f"a packet of {len(packet)} bytes, at most {MAX_PACKET_BYTES}")
        return nonce, packet

    def receive(self, datagram: bytes, endpoint: Endpoint, now_s: float) -> None:
        """Take a datagram from anybody; what breaks a rule is dropped and counted."""
        is_awaited = endpoint in self._awaited
        if not self._allowance.take(endpoint, PACKET_COST, now_s, is_awaited=is_awaited):
            self.counters.refused += 1
            return
        try:
            packet = decode_packet(self._own.record.node_id, datagram)
            match packet.header:
                case Ordinary(source):
                    self._receive_ordinary(packet, Contact(source, endpoint), now_s)
                case WhoAreYou() as header:
                    self._receive_challenge(packet, header, endpoint, now_s)
                case Handshake() as header:
                    self._receive_handshake(packet, header, endpoint, now_s)
        except BadMessage:
            self.counters.refused += 1

    def _receive_ordinary(self, packet: Packet, contact: Contact, now_s: float) -> None:
        for session in self._sessions.get(contact, now_s) or ():
            plain = unseal(session.read_key, packet.nonce, packet.message, packet.authenticated)
            if plain is not None:
                self._deliver(contact, session, decode_message(plain))
                return
        self._challenge(packet.nonce, contact, now_s)

    def _keep(self, contact: Contact, session: Session, now_s: float) -> None:
        """Keep a new session and the one before it.

        Where both sides start a handshake at once there are two sessions, and each side may have
        seen the other one last.
        """
        older = (self._sessions.get(contact, now_s) or ())[:1]
        self._sessions.put(contact, (session, *older), now_s)

    def _challenge(self, nonce: bytes, contact: Contact, now_s: float) -> None:
        """Ask a sender who it is; while a challenge is open, the same one again."""
        if not self._allowance.take(contact.endpoint, CHALLENGE_COST, now_s):
            raise BadMessage("too many packets from one source")
        challenge = self._challenges.get(contact, now_s)
        if challenge is None:
            record = self._around.record_of(contact.node_id)
            header = WhoAreYou(self._draw(ID_NONCE_BYTES), 0 if record is None else record.seq)
            challenge = Challenge(authenticated_bytes(self._draw(IV_BYTES), nonce, header), record)
            self._challenges.put(contact, challenge, now_s)
            self.counters.challenged += 1
        self._around.send(encode_packet(contact.node_id, challenge.data), contact.endpoint)

    def _receive_challenge(
        self, packet: Packet, header: WhoAreYou, endpoint: Endpoint, now_s: float
    ) -> None:
        """Prove who we are to a node that could not read our request."""
        call = self._by_nonce.get(packet.nonce)
        if call is None or call.contact.endpoint != endpoint:
            raise BadMessage("a WHOAREYOU that answers nothing of ours")
        if call.is_handshake_sent:
            raise BadMessage("a second WHOAREYOU for one request")
        own = self._own.record
        record = own.encode() if header.record_seq < own.seq else b""
        session, proof = initiate(
            self._key, own.node_id, call.contact.node_id, call.public_key, packet.authenticated,
            record, self._draw,
        )  # fmt: skip
        nonce = session.next_nonce(self._draw)
        authenticated = authenticated_bytes(self._draw(IV_BYTES), nonce, proof)
        body = seal(session.write_key, nonce, encode_message(call.request), authenticated)
        self._keep(call.contact, session, now_s)
        del self._by_nonce[packet.nonce]
        call.nonce, call.is_handshake_sent = nonce, True
        self._by_nonce[nonce] = call
        self._around.send(encode_packet(call.contact.node_id, authenticated, body), endpoint)

    def _receive_handshake(
        self, packet: Packet, header: Handshake, endpoint: Endpoint, now_s: float
    ) -> None:
        """Check the answer to our challenge; only then is there a session."""
        contact = Contact(header.source, endpoint)
        challenge = self._challenges.get(contact, now_s)
        if challenge is None:
            raise BadMessage("a handshake that nobody asked for")
        if not self._allowance.take(endpoint, HANDSHAKE_COST, now_s):
            raise BadMessage("too many handshakes from one source")
        self._challenges.drop(contact)
        record = challenge.record
        if header.record:
            sent = decode_record(header.record)
            if record is None or sent.seq > record.seq:
                record = sent
        session = accept(self._key, self._own.record.node_id, header, record, challenge.data)
        plain = unseal(session.read_key, packet.nonce, packet.message, packet.authenticated)
        if plain is None or record is None:
            raise BadMessage("the first message of a session is not sealed with its key")
        self._keep(contact, session, now_s)
        self.counters.handshakes += 1
        self._around.established(contact, record)
        self._deliver(contact, session, decode_message(plain))

    def _deliver(self, contact: Contact, session: Session, message: Message) -> None:
        """Answer a request, or hand a response to the call that waits for it."""
        if isinstance(message, Ping | FindNode | TalkRequest):
            for response in self._around.answer(contact, message):
                self._around.send(self._sealed(contact, session, response)[1], contact.endpoint)
            return
        queue = self._queues.get(contact)
        call = queue[0] if queue else None
        if call is None or message.request_id != call.request.request_id:
            return  # late: the call was given up
        if type(message) is not ANSWERS[type(call.request)]:
            raise BadMessage("an answer of another kind than the request")
        if isinstance(message, Nodes) and len(call.answers) >= message.total:
            return
        call.answers.append(message)
        if not isinstance(message, Nodes) or len(call.answers) >= message.total:
            call.on_done()
