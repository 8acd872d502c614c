"""Throws damaged discv5 packets at a node, at every depth that somebody outside can reach.

    python -m tests.discv5_fuzzer --packets 100000 --seed 0

Bytes of real datagrams; headers with their mask put back; messages sealed with a session's own
key; handshakes of strangers who hold their keys; records that are signed. A run ends with the
number of faults, which is also its exit status (0 or 1), and with how much the process grew.
"""

import argparse
import random
import resource
import sys
import traceback
from collections import Counter
from dataclasses import dataclass, field

from cvm.evm.rlp_encoding import encode_bytes, encode_integer, encode_list
from node.p2p.discv5.endpoint import Endpoint
from node.p2p.discv5.enr import BadRecord, NodeRecord, decode_record, parse_record, sign_record
from node.p2p.discv5.exchange import CHALLENGES, MAX_CALLS, SESSIONS, Call
from node.p2p.discv5.handshake import initiate
from node.p2p.discv5.messages import (
    FindNode,
    Message,
    Nodes,
    Ping,
    Pong,
    TalkRequest,
    TalkResponse,
    encode_message,
)
from node.p2p.discv5.packet import (
    IV_BYTES,
    NONCE_BYTES,
    PROTOCOL,
    Ordinary,
    WhoAreYou,
    authenticated_bytes,
    decode_packet,
    encode_packet,
)
from node.p2p.discv5.session_keys import seal
from node.p2p.faults import BadMessage
from tests.unit.node.p2p.discv5.discv5_world import Side, carry, key_of, record_at

WARM_UP = 20  # the first twentieth of a run may still fill caches
STRANGERS = 5_000
"""Keys of attackers; more than there are places for sessions."""

PLAIN_STEP_S = 0.02
KNOWN_RECORDS = 40
KINDS = ("datagram", "header", "message", "answer", "handshake", "record", "text")


@dataclass
class Outcome:
    """What a run did: how many packets of each kind, what raised, and how far packets came."""

    kinds: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    answered: int = 0
    refused: int = 0
    handshakes: int = 0
    records_read: int = 0
    grown_bytes: int = 0


def damaged(data: bytes, source: random.Random) -> bytes:
    """Return bytes with one to four changes, or as they are."""
    changed = bytearray(data)
    for _ in range(source.randint(0, 4)):
        place = source.randrange(len(changed) + 1)
        match source.randrange(6):
            case 0 if changed:
                changed[place % len(changed)] ^= 1 << source.randrange(8)
            case 1 if changed:
                changed[place % len(changed)] = source.choice((0, 1, 0x7F, 0x80, 0xB8, 0xC0, 0xFF))
            case 2:
                del changed[place:]
            case 3:
                changed[place:place] = source.randbytes(source.randint(1, 40))
            case 4:
                del changed[place : place + source.randint(1, 8)]
            case _:
                other = source.randrange(len(changed) + 1)
                changed[place:place] = changed[other : other + source.randint(1, 64)]
    return bytes(changed)


class Fuzzer:
    """A node under attack, an attacker with a session, and any number of strangers."""

    def __init__(self, seed: int) -> None:
        self.source = random.Random(seed)
        self.now_s = 0.0
        self.outcome = Outcome()
        self.victim = Side(2, Endpoint("10.0.0.2", 30302))
        for number in range(100, 100 + KNOWN_RECORDS):
            self.victim.table.add(record_at(number, f"10.0.1.{number}"), 0)
        self.attacker = Side(1, Endpoint("10.0.0.1", 30301))
        self.datagrams: list[bytes] = []
        self._open_session()

    def _open_session(self) -> None:
        """Shake hands, and keep the datagrams that did it as material."""
        call = self.attacker.call(self.victim, Ping(b"\x01", 1))
        self.attacker.exchange.start(call, self.now_s)
        self.datagrams = [self.attacker.sent[0][0]]
        self.victim.exchange.receive(*self.attacker.sent.popleft()[:1], self.attacker.endpoint, 0)
        self.attacker.exchange.receive(self.victim.sent.popleft()[0], self.victim.endpoint, 0)
        self.datagrams.append(self.attacker.sent[0][0])
        carry(self.attacker, self.victim, self.now_s)
        self.attacker.exchange.finish(call, self.now_s)

    def step(self) -> None:
        """Throw one packet; note what it did."""
        kind = self.source.choice(KINDS)
        self.outcome.kinds[kind] += 1
        self.now_s += PLAIN_STEP_S * self.source.randint(0, 2)
        try:
            getattr(self, f"_{kind}")()
        except BaseException:  # noqa: BLE001 - whatever it is, it is what this run looks for
            self.outcome.faults.append(f"{kind}: {traceback.format_exc(limit=-3)}")
        self.outcome.answered += len(self.victim.sent)
        self.victim.sent.clear()
        self.victim.met.clear()
        self.victim.requests.clear()

    def _throw(self, datagram: bytes, endpoint: Endpoint | None = None) -> None:
        self.victim.exchange.receive(datagram, endpoint or self.attacker.endpoint, self.now_s)

    def _datagram(self) -> None:
        """Damage the bytes of a real datagram."""
        self._throw(damaged(self.source.choice(self.datagrams), self.source))

    def _header(self) -> None:
        """Damage a plain header and mask it again."""
        source = self.source
        header = bytearray(PROTOCOL + bytes((source.randrange(4),)) + source.randbytes(NONCE_BYTES))
        authdata = source.randbytes(source.choice((0, 24, 32, 131, source.randrange(300))))
        size = len(authdata) if source.random() < 0.8 else source.randrange(2**16)
        plain = bytes(header) + size.to_bytes(2, "big") + authdata
        if source.random() < 0.3:
            plain = damaged(plain, source)
        body = source.randbytes(source.randrange(80))
        iv = source.randbytes(IV_BYTES)
        self._throw(encode_packet(self.victim.own.record.node_id, iv + plain, body))

    def _some_message(self) -> Message:
        source = self.source
        request_id = source.randbytes(source.randint(0, 9))
        number = source.choice((0, 1, 255, 2**16, 2**64 - 1))
        records = tuple(
            damaged(self._signed_record().encode(), source) if source.random() < 0.5
            else record_at(source.randrange(100, 140)).encode()
            for _ in range(source.randrange(5))
        )  # fmt: skip
        distances = tuple(source.randrange(300) for _ in range(source.randrange(40)))
        choices: tuple[Message, ...] = (
            Ping(request_id, number),
            Pong(request_id, number, Endpoint("10.0.0.3", source.randrange(2**16))),
            FindNode(request_id, distances),
            Nodes(request_id, source.randrange(20), records),
            TalkRequest(request_id, source.randbytes(5), source.randbytes(source.randrange(50))),
            TalkResponse(request_id, source.randbytes(source.randrange(50))),
        )
        return source.choice(choices)

    def _message(self) -> None:
        """Damage a message, and seal it with the key of a session."""
        plain = encode_message(self._some_message())
        if self.source.random() < 0.7:
            plain = damaged(plain, self.source)
        sessions = self.attacker.exchange._sessions.get(self.victim.contact, self.now_s)
        if sessions is None:
            self._open_session()
            return
        own_id = self.attacker.own.record.node_id
        nonce = sessions[0].next_nonce(self.source.randbytes)
        header = authenticated_bytes(self.source.randbytes(IV_BYTES), nonce, Ordinary(own_id))
        body = seal(sessions[0].write_key, nonce, plain, header)
        self._throw(encode_packet(self.victim.own.record.node_id, header, body))

    def _answer(self) -> None:
        """Answer a request of the victim, or challenge it, with damage."""
        request = self.source.choice((Ping(b"\x07", 1), FindNode(b"\x07", (256, 255))))
        call = self.victim.call(self.attacker, request)
        if not self.victim.exchange.start(call, self.now_s):
            return
        try:
            self._answer_to(call)
        finally:
            self.victim.exchange.finish(call, self.now_s)

    def _answer_to(self, call: Call) -> None:
        source = self.source
        if source.random() < 0.5:
            header = WhoAreYou(source.randbytes(16), source.choice((0, 1, 2**64 - 1)))
            plain = authenticated_bytes(source.randbytes(IV_BYTES), call.nonce, header)
            if source.random() < 0.5:
                plain = plain[:IV_BYTES] + damaged(plain[IV_BYTES:], source)
            self._throw(encode_packet(self.victim.own.record.node_id, plain))
            return
        self._message()
        for record in (part for answer in call.answers if isinstance(answer, Nodes)
                       for part in answer.records):  # fmt: skip
            self._read(record)

    def _handshake(self) -> None:
        """Complete the handshake of a stranger, with damage somewhere in it."""
        source = self.source
        number = source.randrange(1_000, 1_000 + STRANGERS)
        endpoint = Endpoint(f"10.2.{source.randrange(250)}.{source.randrange(250)}", 30303)
        record = record_at(number, endpoint.ip)
        victim = self.victim.own.record
        nonce = source.randbytes(NONCE_BYTES)
        first = authenticated_bytes(source.randbytes(IV_BYTES), nonce, Ordinary(record.node_id))
        self.victim.sent.clear()
        self._throw(encode_packet(victim.node_id, first, source.randbytes(20)), endpoint)
        if not self.victim.sent:
            return  # too many packets from one source
        challenge = decode_packet(record.node_id, self.victim.sent[0][0]).authenticated
        sent = damaged(record.encode(), source) if source.random() < 0.4 else record.encode()
        session, header = initiate(
            key_of(number), record.node_id, victim.node_id, victim.public_key, challenge, sent,
            source.randbytes,
        )  # fmt: skip
        nonce = session.next_nonce(source.randbytes)
        plain = authenticated_bytes(source.randbytes(IV_BYTES), nonce, header)
        if source.random() < 0.3:
            plain = plain[:IV_BYTES] + damaged(plain[IV_BYTES:], source)
        message = damaged(encode_message(self._some_message()), source)
        packet = encode_packet(
            victim.node_id, plain, seal(session.write_key, nonce, message, plain)
        )
        self._throw(packet, endpoint)

    def _signed_record(self) -> NodeRecord:
        """Return a record whose signature is right and whose values are anything."""
        source = self.source
        keys = (b"ip", b"ip6", b"udp", b"tcp", b"udp6", b"eth", b"cvm", source.randbytes(3))
        values = (
            encode_bytes(source.randbytes(source.choice((0, 1, 2, 3, 4, 16, 20)))),
            encode_list(encode_integer(source.randrange(2**32))),
            encode_integer(source.randrange(2**16)),
        )
        chosen = source.sample(keys, source.randrange(5))
        entries = {key: source.choice(values) for key in chosen}
        return sign_record(key_of(source.randrange(1, 500)), source.randrange(2**64), entries)

    def _record(self) -> None:
        """Read a record: signed with odd values, or damaged."""
        data = self._signed_record().encode()
        self._read(data if self.source.random() < 0.4 else damaged(data, self.source))

    def _read(self, data: bytes) -> None:
        try:
            record = decode_record(data)
        except BadRecord:
            return
        self.outcome.records_read += 1
        record.udp(), record.tcp()
        self.victim.table.add(record, self.now_s)
        if record.encode() != data:
            self.outcome.faults.append(f"record {data.hex()} has two forms")

    def _text(self) -> None:
        """Read the text form of a record, damaged."""
        text = damaged(self._signed_record().text().encode(), self.source).decode("latin-1")
        try:
            parse_record(text)
        except BadMessage:
            return

    def is_bounded(self) -> bool:
        """Tell whether everything that the victim keeps is within its bounds."""
        exchange = self.victim.exchange
        return (
            len(exchange._sessions) <= SESSIONS
            and len(exchange._challenges) <= CHALLENGES
            and len(exchange._by_nonce) <= MAX_CALLS
            and len(exchange._queues) <= MAX_CALLS
        )


def fuzz(packets: int, seed: int) -> Outcome:
    """Throw so many packets at one node."""
    fuzzer = Fuzzer(seed)
    before = 0
    for number in range(packets):
        if number == packets // WARM_UP:
            before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        fuzzer.step()
    outcome = fuzzer.outcome
    counters = fuzzer.victim.exchange.counters
    outcome.refused, outcome.handshakes = counters.refused, counters.handshakes
    outcome.grown_bytes = 1024 * (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
    if not fuzzer.is_bounded():
        outcome.faults.append("something that the node keeps outgrew its bound")
    return outcome


def main() -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--packets", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    outcome = fuzz(options.packets, options.seed)
    for fault in outcome.faults[:10]:
        sys.stdout.write(f"{fault}\n")
    kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(outcome.kinds.items()))
    sys.stdout.write(
        f"{kinds}\n{outcome.refused} refused, {outcome.answered} datagrams answered, "
        f"{outcome.handshakes} handshakes, {outcome.records_read} records read, "
        f"{outcome.grown_bytes / 2**20:.1f} MiB grown\n"
        f"{options.packets} packets, {len(outcome.faults)} faults\n"
    )
    return 1 if outcome.faults else 0


if __name__ == "__main__":
    sys.exit(main())
