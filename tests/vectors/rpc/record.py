"""Records our own `.io` files: `python -m tests.vectors.rpc.record`.

They hold requests about models and inferences on the recorded chain beside them
(`tests/vectors/chain/digits.cvm`), and the answers that a node on the definition gives. A test
plays them against the definition and the `cpu` backend, and `make rpc-compat` against a real node,
whose worker processes run the models. Recording again is legitimate only when an answer changes on
purpose; look at the difference.
"""

import asyncio
import json
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from cvm.evm.private_key import PrivateKey
from cvm.inference.backends.backend import Backend
from models_registry.chunks import chunk_proofs, model_id
from node.block_writer import BlockWriter
from node.chain_archive import import_chain
from node.own_facts import OwnFacts
from node.rpc.caller import LOCAL_NAMESPACES, Caller, rpc_node
from node.rpc.dispatcher import Limits, answer
from node.rpc.events import ChainEvents
from node.rpc.node_facts import NodeSelf
from node.transaction_pool import TransactionPool
from tests.chain_world import CHAIN_ID, STRANGER, USER, ChainWorld, address_of, live_chain
from tests.rpc_compat.io_file import REQUEST, RESPONSE
from tests.vectors.chain.record import ARCHIVE, GENESIS, image

FOLDER = Path(__file__).parent
MODEL = "0x72ac5e6a9f95781f16f76a7a924e0a237549572f663aefad0090d078245f8eab"
NOBODY = "0x" + 32 * "77"
BROUGHT = b"bytes that somebody brings, which are no model\n"


@dataclass(frozen=True, slots=True)
class Case:
    """One file: its name, what it shows, and its requests; `is_speconly` compares no values.

    The folder is the method of the first request; `then` are others with their methods.
    """

    name: str
    shows: str
    params: Sequence[object]
    then: tuple[tuple[str, Sequence[object]], ...] = ()
    is_speconly: bool = False

    def requests(self) -> list[dict[str, object]]:
        """Return the requests in order."""
        calls = ((self.name.partition("/")[0], self.params), *self.then)
        return [
            {"jsonrpc": "2.0", "id": place, "method": method, "params": params}
            for place, (method, params) in enumerate(calls, 1)
        ]


def hexed(data: bytes) -> str:
    """Return bytes as JSON-RPC writes them."""
    return "0x" + data.hex()


def user(key: PrivateKey) -> str:
    """Return the address of a TEST key."""
    return hexed(address_of(key))


def cases(world: ChainWorld) -> list[Case]:
    """Return every case; transactions are named by their places in the recorded blocks."""

    def tx(number: int, index: int = 0) -> str:
        block = world.database.block(world.database.hash_at(number) or b"")
        assert block is not None
        return hexed(block.transactions[index].hash)

    one, two = hexed(image(0)), hexed(image(1) + image(2))
    brought = hexed(model_id(BROUGHT))
    stranger = user(STRANGER)
    size, data = hex(len(BROUGHT)), hexed(BROUGHT)
    proof = [hexed(each) for each in chunk_proofs(BROUGHT)[0]]
    everything = {"fromBlock": "0x1"}
    return [
        Case("cvm_listModels/all", "Lists the one model that is registered.", []),
        Case("cvm_getModel/active", "Shows a model that is ACTIVE.", [MODEL]),
        Case("cvm_getModel/unknown", "A model that nobody registered is null.", [NOBODY]),
        Case("cvm_getModel/short-id", "An id has 32 bytes.", ["0x72ac"]),
        Case("cvm_modelStatus/active", "The bytes of the model lie here.", [MODEL]),
        Case("cvm_modelStatus/unknown", "Nothing is known of this id.", [NOBODY, "0x80001"]),
        Case("cvm_modelStatus/other-size", "The registry knows another size.", [MODEL, "0x1"]),
        Case("cvm_modelInterface/digits", "What the model takes and gives.", [MODEL]),
        Case("cvm_missingChunks/unknown", "All three chunks are missing.", [NOBODY, "0x80001"]),
        Case(
            "cvm_putChunk/damaged",
            "A chunk that is not the model's is refused, and nothing is kept.",
            [brought, size, "0x0", hexed(BROUGHT[:-1] + b"?"), proof],
        ),
        Case(
            "cvm_putChunk/whole",
            "Brings a file of one chunk, which is here then.",
            [brought, size, "0x0", data, proof],
            (("cvm_modelStatus", [brought, size]), ("cvm_getChunk", [brought, "0x0"])),
        ),
        Case("cvm_getChunk/unknown", "The bytes of this id are not here.", [NOBODY, "0x0"]),
        Case("cvm_estimateInference/one", "What a call with one item is charged.", [MODEL, "0x1"]),
        Case("cvm_estimateInference/batch", "The load is paid once for 16.", [MODEL, "0x10"]),
        Case("cvm_estimateInference/none", "A batch has an item at least.", [MODEL, "0x0"]),
        Case("cvm_estimateInference/unknown", "There is no such model.", [NOBODY, "0x1"]),
        Case("cvm_infer/one", "Runs the model on a digit.", [MODEL, one]),
        Case("cvm_infer/batch", "Runs it on two, one after the other.", [MODEL, two, "latest"]),
        Case("cvm_infer/too-early", "It was not there in block 1.", [MODEL, one, "0x1"]),
        Case("cvm_infer/no-item", "Half a digit is no batch.", [MODEL, hexed(image(0)[:392])]),
        Case("cvm_infer/unknown", "There is no such model.", [NOBODY, one]),
        Case("cvm_traceInference/one", "A contract classified a digit.", [tx(6)]),
        Case(
            "cvm_traceInference/nodes",
            "Every node of the graph, with the hash of what it made.",
            [tx(6), {"nodes": True}],
        ),
        Case("cvm_traceInference/batch", "Four digits in one call.", [tx(9, 1), {"index": "0x0"}]),
        Case("cvm_traceInference/refused", "A byte was missing: nothing ran.", [tx(9, 3)]),
        Case("cvm_traceInference/none", "A transfer of wei infers nothing.", [tx(9, 5)]),
        Case("cvm_traceInference/unknown", "No such transaction.", [NOBODY]),
        Case("cvm_traceInference/option", "An option is misspelt.", [tx(6), {"node": True}]),
        Case("cvm_getInferences/all", "Every inference since genesis.", [everything]),
        Case("cvm_getInferences/model", "Those of a model.", [{**everything, "modelId": MODEL}]),
        Case("cvm_getInferences/owner", "Who was paid.", [{**everything, "owner": user(USER)}]),
        Case(
            "cvm_getInferences/nobody", "A stranger sent none.", [everything | {"from": stranger}]
        ),
        Case("cvm_getInferences/head", "None in the newest block.", [{}]),
        Case("cvm_getInferences/beyond", "There is no such block.", [{"toBlock": "0xff"}]),
        Case("cvm_getCommitCertificate/genesis", "Nobody sealed block 0.", ["0x0"]),
        Case("cvm_getCommitCertificate/first", "What made block 1 final.", ["0x1"]),
        Case("cvm_getCommitCertificate/head", "The newest block unless told otherwise.", []),
        Case("cvm_getCommitCertificate/beyond", "There is no such block.", ["0xff"]),
        Case("cvm_listCertificates/two", "Two heights, for contracts.", ["0x1", "0x2"]),
        Case("cvm_verifyInference/agrees", "The definition gives the same bits.", [tx(6)]),
        Case("cvm_verifyInference/batch", "For a batch too.", [tx(9, 1), "0x0"]),
        Case("cvm_verifyInference/refused", "What did not run is not compared.", [tx(9, 3)]),
        Case("cvm_verifyInference/index", "There is one inference only.", [tx(6), "0x1"]),
        Case("cvm_verifyInference/unknown", "No such transaction.", [NOBODY]),
        Case("cvm_backends/all", "Which of them runs is this node's choice.", [], is_speconly=True),
    ]


def imported(folder: Path, backend: Backend | None = None) -> ChainWorld:
    """Return a node's chain with the recorded blocks and their model."""
    world = ChainWorld(folder, GENESIS.read_bytes(), backend)
    import_chain(world.chain, world.store, ARCHIVE, lambda _done, _all: None)
    return world


@contextmanager
def caller_of(world: ChainWorld) -> Iterator[Caller]:
    """Serve a chain to who may ask everything of it."""
    view = live_chain(world, TransactionPool(CHAIN_ID))
    writer = asyncio.run(writer_of(world))
    facts = NodeSelf(OwnFacts(world.chain, writer, None))
    with closing(view), closing(writer):
        yield Caller(rpc_node(view, lambda: 0.0, ChainEvents(), facts), LOCAL_NAMESPACES)


async def writer_of(world: ChainWorld) -> BlockWriter:
    """Return what would write blocks, of which there are no more."""
    return BlockWriter(world.chain)


def exchange(caller: Caller, request: Any) -> Any:
    """Return the answer to a request."""
    text = asyncio.run(answer(caller, json.dumps(request).encode(), Limits()))
    assert text is not None
    return json.loads(text)


def main() -> None:
    """Write every file."""
    with (
        TemporaryDirectory() as folder,
        closing(imported(Path(folder))) as world,
        caller_of(world) as caller,
    ):
        for case in cases(world):
            lines = [f"// {case.shows}", *(["// speconly: true"] if case.is_speconly else [])]
            for request in case.requests():
                lines.append(f"{REQUEST}{compact(request)}")
                lines.append(f"{RESPONSE}{compact(exchange(caller, request))}")
            file = FOLDER / f"{case.name}.io"
            file.parent.mkdir(exist_ok=True)
            file.write_text("\n".join(lines) + "\n")


def compact(value: object) -> str:
    """Return JSON on one line."""
    return json.dumps(value, separators=(",", ":"))


if __name__ == "__main__":
    main()
