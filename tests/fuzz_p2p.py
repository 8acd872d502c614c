"""Throws damaged bytes at everything that a peer can reach over TCP.

    python -m tests.fuzz_p2p --inputs 100000 --seed 0

Handshake packets, damaged as they are or before they are encrypted; Hello, Disconnect and
compressed data; payloads of every message of cvm/1, eth/68 and eth/69; whole sessions with an
attacker who seals damaged content, or whose frames are damaged on their way. Everything follows
from the seed. An input that raises anything but `BadMessage` or `PeerGone`, or takes more than a
second of processor time, is a crash. A run ends with one line of totals; its exit status is 1
where there was a crash or the process grew by 50 MiB.
"""

import argparse
import logging
import random
import sys
import traceback
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from time import process_time

import structlog
import uvloop

from node.p2p import cvm_protocol, eth_handler
from node.p2p.cvm_messages import CVM_1
from node.p2p.ecies import OVERHEAD_BYTES, decrypt, encrypt, node_id_of
from node.p2p.faults import BadMessage, PeerGone
from node.p2p.handshake import SIZE_BYTES, Hand, make_ack, make_auth, read_ack, read_auth
from node.p2p.hello import DISCONNECT, PING, Hello, decode_disconnect
from node.p2p.multiplexing import Shared, join_code, share
from node.p2p.protocol import Capability, Message
from node.p2p.snappy import compress, decompress
from tests.p2p_attack import ATTACKER, VICTIM, Attack, Sink, attack
from tests.rlp_mutations import damaged_rlp
from tests.unit.node.p2p.test_cvm_messages import EXAMPLES
from tests.unit.node.p2p.test_eth_messages import MESSAGES
from tests.wire_mutations import flipped

MAX_SECONDS = 1.0
MAX_GROWTH_MIB = 50
MAX_PLAIN_BYTES = 2**20
WARM_UP = 20
"""The first twentieth of a run may still fill caches."""
WEIGHTS = {"auth": 5, "ack": 3, "hello": 8, "snappy": 8, "message": 60, "session": 16}
SHOWN_CRASHES = 5


@dataclass
class Outcome:
    """What a run did: inputs by kind, how they ended, what crashed, what the process grew by."""

    kinds: Counter[str] = field(default_factory=Counter)
    ends: Counter[str] = field(default_factory=Counter)
    crashes: list[str] = field(default_factory=list)
    growth_mib: float = 0.0

    def line(self) -> str:
        """Return the totals."""
        return (
            f"{self.kinds.total():,} inputs, {len(self.crashes)} crashes, "
            f"memory growth {self.growth_mib:.1f} MiB"
        )


def sinks() -> tuple[Sink, ...]:
    """Return a handler of each capability that takes every message of it."""
    found = [Sink(CVM_1, cvm_protocol.MESSAGES, cvm_protocol.REPLIES, cvm_protocol.RATES)]
    for version, length in eth_handler.LENGTHS.items():
        kinds = eth_handler.classes_of(version)
        capability = Capability("eth", version, length)
        messages = {kind.CODE: kind for kind in kinds}
        found.append(Sink(capability, messages, eth_handler.REPLIES, eth_handler.RATES))
    return tuple(found)


class Fuzzer:
    """Makes and throws one input after the other."""

    def __init__(self, seed: int) -> None:
        self._source = random.Random(seed)
        self._draw = self._source.randbytes
        self.sinks = sinks()
        spoken = tuple((sink.capability.name, sink.capability.version) for sink in self.sinks)
        self._hello = Hello("attacker", spoken, 30303, node_id_of(ATTACKER))
        self._shared = share(self.sinks, spoken)
        self.outcome = Outcome()

    async def run(self, inputs: int) -> Outcome:
        """Throw so many inputs, and look at what the process grew by."""
        await self._warm_up()
        before = memory_mib()
        for number in range(inputs):
            if number == inputs // WARM_UP:
                before = memory_mib()
            (kind,) = self._source.choices(list(WEIGHTS), list(WEIGHTS.values()))
            await self._throw(number, kind)
        self.outcome.growth_mib = max(0.0, memory_mib() - before)
        return self.outcome

    async def _warm_up(self) -> None:
        """Let everything that is compiled at its first use be compiled before times are taken."""
        contents = [
            join_code(shared.offset + message.CODE, compress(message.encode()))
            for shared in self._shared
            for message in examples_of(shared)
        ]
        for sink in sinks():
            names = ((sink.capability.name, sink.capability.version),)
            hello = Hello("guest", names, 0, node_id_of(ATTACKER)).encode()
            await attack(Attack(hello, ()), [sink], self._draw)
        await attack(Attack(self._hello.encode(), contents), self.sinks, self._draw)
        for example in (*EXAMPLES, *MESSAGES):
            type(example).decode(example.encode())

    async def _throw(self, number: int, kind: str) -> None:
        self.outcome.kinds[kind] += 1
        started = process_time()
        try:
            end = await self._session() if kind == "session" else self._decode(kind)
        except (BadMessage, PeerGone) as fault:
            end = type(fault).__name__
        except Exception:  # noqa: BLE001  (a crash is what is looked for)
            end = "crash"
            self.outcome.crashes.append(f"input {number}, {kind}\n{traceback.format_exc()}")
        seconds = process_time() - started
        if seconds > MAX_SECONDS:
            self.outcome.crashes.append(f"input {number}, {kind}, took {seconds:.1f} s")
        self.outcome.ends[f"{kind}: {end}"] += 1

    def _decode(self, kind: str) -> str:
        """Read something damaged; return that it could be read."""
        source = self._source
        match kind:
            case "auth":
                auth = make_auth(Hand.draw(ATTACKER, self._draw), node_id_of(VICTIM), self._draw)
                read_auth(VICTIM, self._damaged_packet(auth))
            case "ack":
                ack = make_ack(Hand.draw(ATTACKER, self._draw), node_id_of(VICTIM), self._draw)
                read_ack(VICTIM, node_id_of(ATTACKER), self._damaged_packet(ack))
            case "hello" if source.random() < 0.5:
                decode_disconnect(damaged_rlp(b"\xc1\x04", source))
            case "hello":
                Hello.decode(damaged_rlp(self._hello.encode(), source))
            case "snappy":
                plain = source.choice((b"", b"abc" * 1000, source.randbytes(500)))
                decompress(flipped(compress(plain), source), MAX_PLAIN_BYTES)
            case _:
                message = source.choice((*EXAMPLES, *MESSAGES))
                type(message).decode(damaged_rlp(message.encode(), source))
        return "taken"

    def _damaged_packet(self, packet: bytes) -> bytes:
        """Damage a handshake packet on its way, or what is sealed in it."""
        if self._source.random() < 0.3:
            return flipped(packet, self._source)
        body = decrypt(VICTIM, packet[SIZE_BYTES:], packet[:SIZE_BYTES])
        body = damaged_rlp(body, self._source)
        size = (len(body) + OVERHEAD_BYTES & 0xFFFF).to_bytes(SIZE_BYTES, "big")
        return size + encrypt(node_id_of(VICTIM), body, size, self._draw)

    async def _session(self) -> str:
        """Run a session in which one of a few messages, or a frame, is damaged."""
        source = self._source
        hello = self._hello.encode()
        if source.random() < 0.1:
            hello = damaged_rlp(hello, source)
        contents = [self._content() for _ in range(source.randint(1, 6))]
        place = source.randrange(len(contents))
        spoil = bytes
        if source.random() < 0.2:
            plan = Attack(hello, contents, lambda sent: flipped(sent, source))
        else:
            contents[place] = self._damaged_content(contents[place])
            plan = Attack(hello, contents, spoil)
        end = await attack(plan, self.sinks, self._draw)
        return end.reason.name.lower()

    def _content(self) -> bytes:
        """Return the content of a frame that holds some message."""
        source = self._source
        if source.random() < 0.1:
            return join_code(source.choice((PING, DISCONNECT)), compress(b"\xc0"))
        shared = source.choice(self._shared)
        message = source.choice(examples_of(shared))
        return join_code(shared.offset + message.CODE, compress(message.encode()))

    def _damaged_content(self, content: bytes) -> bytes:
        source = self._source
        shared = source.choice(self._shared)
        message = source.choice(examples_of(shared))
        match source.randrange(4):
            case 0:
                return flipped(content, source)
            case 1:
                return join_code(source.randrange(300), content[1:])
            case 2:
                return source.randbytes(source.choice((0, 1, 40)))
        payload = damaged_rlp(message.encode(), source)
        return join_code(shared.offset + message.CODE, compress(payload))


def examples_of(shared: Shared) -> Sequence[Message]:
    """Return the examples that a capability has messages of."""
    kinds = set(shared.handler.messages.values())
    return [each for each in (*EXAMPLES, *MESSAGES) if type(each) in kinds]


def memory_mib() -> float:
    """Return what the process holds in memory."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096 / 2**20


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0] if __doc__ else None)
    parser.add_argument("--inputs", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    outcome = uvloop.run(Fuzzer(given.seed).run(given.inputs))
    for end, count in sorted(outcome.ends.items()):
        sys.stdout.write(f"{count:9,} {end}\n")
    for crash in outcome.crashes[:SHOWN_CRASHES]:
        sys.stdout.write(f"{crash}\n")
    sys.stdout.write(f"{outcome.line()}\n")
    sys.exit(bool(outcome.crashes) or outcome.growth_mib >= MAX_GROWTH_MIB)


if __name__ == "__main__":
    main()
