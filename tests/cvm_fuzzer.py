"""Damaged cvm/1 messages thrown at a node: `python -m tests.cvm_fuzzer --inputs 100000 --seed 0`.

An input is a message about a real chain with bytes flipped, cut, doubled or swapped for another
message's, or a tree of random RLP. It is decoded, and what survives goes through the handler of a
node with that chain. Any fault but `BadMessage` is a crash. Ends with the counts of what became of
the inputs, and with the growth of memory.
"""

import argparse
import json
import random
import resource
import sys
import tempfile
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import uvloop

from cvm.evm.keccak import keccak256
from cvm.evm.rlp_encoding import encode_bytes, encode_list
from models_registry.addresses import VALIDATOR_SET
from node.logs import configure_logs
from node.p2p.cvm_messages import (
    Attestation,
    Evidence,
    GetBlocks,
    GetCertificates,
    GetChunk,
    HaveModels,
    NewBlock,
    Qbft,
    Status,
    WantModels,
)
from node.p2p.cvm_peer import CvmPeer
from node.p2p.cvm_protocol import MESSAGES, CvmProtocol
from node.p2p.cvm_serving import CvmServing
from node.p2p.cvm_state_messages import GetCodes, GetProof, GetStateChunk
from node.p2p.faults import BadMessage
from node.p2p.wire_fields import WireMessage
from node.sample_models import sample_model_path
from tests.chain_world import CHAIN_ID, USER, ChainWorld, final_block, genesis_document, signed
from tests.p2p_pipe import channel_pipe
from tests.unit.node.p2p.sync_world import source_of
from tests.unit.node.p2p.test_cvm_protocol import Heard, NoForks

HEIGHT = 8
MAX_DEPTH = 6
FORGET_EVERY = 1000
"""What the fakes of a test note of inputs is forgotten so often."""
MAX_GROWTH_MIB = 50
SIGNATURE = b"\x33" * 65


def messages_of(world: ChainWorld) -> list[WireMessage]:
    """Return a valid message of each class, answers among them."""
    block, sealed = final_block(world, 3)
    parent = final_block(world, 2)[1]
    model = world.store.list_models()[0]
    root = block.header.state_root
    account = keccak256(VALIDATOR_SET)
    requests: list[WireMessage] = [
        GetBlocks(1, 1, 8),
        GetCertificates(2, 1, 8),
        GetChunk(3, model, 0),
        GetStateChunk(4, root, b"", b"\x01"),
        GetStateChunk(5, root, account, b""),
        GetCodes(6, (keccak256(b"code"),)),
        GetProof(7, block.hash, VALIDATOR_SET, (0, 1, 2)),
    ]
    serving = CvmServing(source_of(world))
    answers = [answer for request in requests if (answer := serving.answer(request)) is not None]
    return [
        Status(1, CHAIN_ID, world.chain.domain.genesis_hash, (b"\x01\x02\x03\x04", 0), 8, root, 0),
        Qbft(0x13, encode_list(encode_list(b"\x05\x80" + encode_bytes(root))), None),
        Qbft(0x12, encode_list(block.encode()), parent),
        NewBlock(block.encode(), sealed, parent),
        HaveModels((model, root)),
        WantModels((model, root)),
        Attestation(model, 0, b"record", SIGNATURE),
        Evidence(0x13, b"\xc1\x01", SIGNATURE, b"\xc1\x02", SIGNATURE),
        *requests,
        *answers,
    ]


def random_rlp(rng: random.Random, depth: int = 0) -> bytes:
    """Return a tree of lists and strings, sometimes deep or wide."""
    if depth < MAX_DEPTH and rng.random() < 0.6:
        count = rng.choice((0, 1, 2, 3)) if depth else rng.choice((1, 2, 3, 4, 5, 7, 200))
        return encode_list(b"".join(random_rlp(rng, depth + 1) for _ in range(count)))
    return encode_bytes(rng.randbytes(rng.choice((0, 1, 4, 20, 32, 65, 300))))


def damaged(rng: random.Random, data: bytes, other: bytes) -> bytes:
    """Return bytes with one to four damages, mostly one."""
    out = bytearray(data)
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        kind, place = rng.randrange(6), rng.randrange(len(out) + 1)
        if kind == 0 and place < len(out):
            out[place] ^= 1 << rng.randrange(8)
        elif kind == 1 and place < len(out):
            out[place] = rng.choice((0, 0x7F, 0x80, 0xB7, 0xB8, 0xBF, 0xC0, 0xF7, 0xF8, 0xFF))
        elif kind == 2:
            del out[place:]
        elif kind == 3:
            out[place:place] = out[: rng.randint(0, 64)]
        elif kind == 4:
            out[place : place + 32] = rng.randbytes(rng.randint(0, 64))
        else:
            out[place:] = other[place:]
    return bytes(out)


class Fuzzer:
    """Hands inputs to the handler of one node, whose answers go down a pipe."""

    def __init__(self, world: ChainWorld, seed: int, threads: ThreadPoolExecutor) -> None:
        self._rng = random.Random(seed)
        self._messages = messages_of(world)
        self._encoded = [message.encode() for message in self._messages]
        self._events = Heard(models=world.store.list_models())
        self._node = CvmProtocol(
            source_of(world),
            CHAIN_ID,
            world.chain.domain.genesis_hash,
            NoForks(),
            self._events,
            threads,
        )
        self.counts: Counter[str] = Counter()

    def next_input(self) -> tuple[int, bytes]:
        """Return the code and the payload of an input."""
        rng = self._rng
        if rng.random() < 0.2:
            return rng.choice(sorted(MESSAGES)), random_rlp(rng)
        place = rng.randrange(len(self._messages))
        data = self._encoded[place]
        if rng.random() < 0.95:
            data = damaged(rng, data, rng.choice(self._encoded))
        return self._messages[place].CODE, data

    async def run(self, inputs: int) -> None:
        """Send so many inputs; raises whatever the node raises that is no `BadMessage`."""
        async with channel_pipe(self._node, self._node) as pipe:
            peer = CvmPeer(pipe.left, self._node.status())
            for number in range(inputs):
                await self._send(peer)
                if number % FORGET_EVERY == 0:
                    self._events.messages.clear()
                    self._events.offered.clear()
                    pipe.right_peer.penalties.clear()
                    pipe.left_peer.penalties.clear()

    async def _send(self, peer: CvmPeer) -> None:
        """Decode an input as a session would, and hand what survives to the node's handler."""
        code, data = self.next_input()
        try:
            message = MESSAGES[code].decode(data)
            self.counts["decoded"] += 1
            if message.encode() != data:
                raise TwoEncodings(message, data)
            await self._node.take(peer, message)
        except BadMessage:
            self.counts["refused"] += 1


class TwoEncodings(Exception):
    """Bytes were taken that are not the encoding of the message that they gave."""

    def __init__(self, message: WireMessage, data: bytes) -> None:
        super().__init__(f"{type(message).__name__} was read from {data.hex()}")


def fuzzed_world(folder: Path) -> ChainWorld:
    """Make a chain of a few blocks and a model."""
    world = ChainWorld(folder, json.dumps(genesis_document()).encode())
    world.store.add_file(sample_model_path("digits_int8.onnx").read_bytes())
    for nonce in range(HEIGHT):
        world.propose([signed(USER, nonce, to=b"\xee" * 20, value=1, gas=21_000)])
    return world


def memory_mib() -> int:
    """Return the most memory that this process has had, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def fuzz(inputs: int, seed: int) -> tuple[Counter[str], int]:
    """Return what became of the inputs, and the growth of memory after the first tenth in MiB."""
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(1) as threads:
        world = fuzzed_world(Path(folder))
        fuzzer = Fuzzer(world, seed, threads)
        uvloop.run(fuzzer.run(inputs // 10))
        before = memory_mib()
        uvloop.run(fuzzer.run(inputs - inputs // 10))
        world.close()
    return fuzzer.counts, memory_mib() - before


def main() -> int:
    """Run from the command line; 1 where memory grew too far."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--inputs", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    configure_logs()
    counts, growth_mib = fuzz(arguments.inputs, arguments.seed)
    outcome = ", ".join(f"{count} {name}" for name, count in sorted(counts.items()))
    sys.stdout.write(
        f"{arguments.inputs} inputs of cvm/1, seed {arguments.seed}: {outcome}; 0 crashes; "
        f"memory grew {growth_mib} MiB (at most {MAX_GROWTH_MIB})\n"
    )
    return int(growth_mib > MAX_GROWTH_MIB)


if __name__ == "__main__":
    sys.exit(main())
