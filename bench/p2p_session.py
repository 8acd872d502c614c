"""How fast one RLPx session carries messages, and what each part of it costs.

    python -m bench.p2p_session

Both ends run in this process, on one core. Times are of the processor, the best of five rounds.
Ends in one JSON line.
"""

import asyncio
import json
import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from time import process_time
from typing import ClassVar, Self

from coincurve import PrivateKey

from node.p2p.frames import HEADER_BYTES, FrameReader, FrameWriter
from node.p2p.p2p_config import P2pConfig
from node.p2p.peer_book import PeerBook
from node.p2p.protocol import Capability, Channel, Message, Rate
from node.p2p.server import P2pServer
from node.p2p.snappy import compress, decompress

ROUNDS = 5
SIZES = (100, 10_000, 1_000_000)
BYTES_PER_ROUND = 20_000_000
MOST_PER_ROUND = 5_000


@dataclass(frozen=True, slots=True)
class Blob:
    """Bytes that do not compress, like a part of a model."""

    CODE: ClassVar[int] = 0
    MAX_LENGTH: ClassVar[int] = 2**23
    data: bytes

    def encode(self) -> bytes:
        return self.data

    @classmethod
    def decode(cls, data: bytes) -> Self:
        return cls(data)


@dataclass
class Carrier:
    """A capability that hands its channel out and leaves the talking to the benchmark."""

    capability: Capability = field(default_factory=lambda: Capability("bench", 1, 1))
    messages: Mapping[int, type[Message]] = field(default_factory=lambda: {0: Blob})
    replies: frozenset[type[Message]] = frozenset()
    rates: Mapping[type[Message], Rate] = field(default_factory=lambda: {Blob: Rate(1e9, 10**9)})
    opened: asyncio.Event = field(default_factory=asyncio.Event)
    channels: list[Channel] = field(default_factory=list)

    async def run(self, channel: Channel) -> None:
        self.channels.append(channel)
        self.opened.set()
        await asyncio.Event().wait()


async def carry(sender: Channel, receiver: Channel, size: int) -> float:
    """Return the seconds that one message of this size takes."""
    count = min(MOST_PER_ROUND, max(5, BYTES_PER_ROUND // size))
    blob = Blob(random.Random(size).randbytes(size))

    async def send() -> None:
        for _ in range(count):
            await sender.send(blob)

    async def receive() -> None:
        for _ in range(count):
            await receiver.receive()

    started = process_time()
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(send())
        tasks.create_task(receive())
    return (process_time() - started) / count


async def measure_session() -> dict[str, float]:
    """Return megabytes and messages a second by the size of messages, and what opening costs."""
    left, right = Carrier(), Carrier()
    config = P2pConfig(host="127.0.0.1", port=0)
    servers = [
        P2pServer(PrivateKey(bytes([number] * 32)), [carrier], PeerBook(None), config)
        for number, carrier in ((1, left), (2, right))
    ]
    found: dict[str, float] = {}
    async with asyncio.TaskGroup() as tasks:
        running = [tasks.create_task(server.run()) for server in servers]
        for server in servers:
            await server.listening.wait()
        started = process_time()
        await servers[0].connect(servers[1].enode)
        await left.opened.wait()
        await right.opened.wait()
        found["opening, both ends, ms"] = 1e3 * (process_time() - started)
        for size in SIZES:
            best = min(
                [await carry(left.channels[0], right.channels[0], size) for _ in range(ROUNDS)]
            )
            found[f"{size:,} bytes, MB/s"] = size / best / 1e6
            found[f"{size:,} bytes, messages/s"] = 1 / best
        for task in running:
            task.cancel()
    return found


def best_us(part: Callable[[], object], count: int) -> float:
    """Return the microseconds of one call, the best of a few rounds."""
    rounds = []
    for _ in range(ROUNDS):
        started = process_time()
        for _ in range(count):
            part()
        rounds.append((process_time() - started) / count)
    return min(rounds) * 1e6


def open_next(reader: FrameReader, frames: Iterator[bytes], size: int) -> bytes:
    """Open the next frame."""
    frame = next(frames)
    reader.open_header(frame[:HEADER_BYTES])
    return reader.open_body(frame[HEADER_BYTES:], size)


def measure_parts() -> dict[str, float]:
    """Return what the steps of sending and receiving one frame cost."""
    found: dict[str, float] = {}
    for size in SIZES:
        content = random.Random(size).randbytes(size)
        count = max(5, 5_000_000 // (size + 1000))
        writer = FrameWriter(bytes(32), bytes(32), b"")
        frames = [writer.seal(content) for _ in range(ROUNDS * count)]
        reader = FrameReader(bytes(32), bytes(32), b"")
        parts: dict[str, Callable[[], object]] = {
            "seal": partial(writer.seal, content),
            "open": partial(open_next, reader, iter(frames), size),
            "compress": partial(compress, content),
            "decompress": partial(decompress, compress(content), size),
        }
        for name, part in parts.items():
            found[f"{size:,} bytes, {name}, us"] = best_us(part, count)
    return found


def main() -> None:
    """Print a line for each figure, then all of them as JSON."""
    figures = {**asyncio.run(measure_session()), **measure_parts()}
    for name, value in figures.items():
        print(f"{value:12,.1f}  {name}")
    print(json.dumps({name: round(value, 2) for name, value in figures.items()}))


if __name__ == "__main__":
    main()
