"""A chain whose state is served in parts, and peers that serve it, or lie about it in one way."""

import asyncio
import json
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from node.chain import init_chain
from node.p2p.cvm_serving import CvmServing
from node.p2p.cvm_state_messages import Codes, GetCodes, GetStateChunk, StateChunk
from node.p2p.disconnect_reason import DisconnectReason
from node.p2p.faults import PeerGone, RequestTimedOut
from node.p2p.snapshot_download import SnapshotDownload
from node.storage.chain_database import ChainDatabase
from node.storage.snapshot_store import Pivot, SnapshotStore
from tests.chain_world import ChainWorld, final_block, genesis_document
from tests.unit.node.p2p.sync_world import InlineExecutor, source_of

Distort = Callable[[StateChunk], StateChunk]
STATE_TABLES = ("accounts", "storage", "codes")


def rich_genesis(accounts: int) -> bytes:
    """Return a genesis file with many accounts, of which every tenth holds ten slots."""
    document: dict[str, Any] = genesis_document()
    for number in range(accounts):
        address = "0x" + (0xAA00000000 + number).to_bytes(20, "big").hex()
        entry: dict[str, Any] = {"balance": hex(number + 1)}
        if number % 10 == 0:
            word = (number % 7 + 1).to_bytes(32, "big").hex()
            slots = {f"0x{slot:064x}": f"0x{word}" for slot in range(1, 11)}
            entry |= {"code": "0x60" + f"{number % 30:02x}", "storage": slots}
        document["alloc"][address] = entry
    return json.dumps(document).encode()


def pivot_of(world: ChainWorld) -> Pivot:
    """Return the head of a chain as a snapshot's pivot."""
    return Pivot(*final_block(world, world.chain.head.block_number))


@dataclass
class StateServer:
    """Serves a chain's state; `distort` changes its parts, `distort_codes` its codes."""

    node_id: bytes
    world: ChainWorld
    distort: Distort = lambda chunk: chunk
    distort_codes: Callable[[tuple[bytes, ...]], tuple[bytes, ...]] = lambda codes: codes
    is_silent: bool = False
    points: int = 0
    asked: list[tuple[bytes, bytes]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._serving = CvmServing(source_of(self.world))

    @property
    def is_open(self) -> bool:
        return self.points < 100

    def penalise(self, points: int, reason: str) -> None:
        self.points += points

    async def state_chunk(self, state_root: bytes, account: bytes, prefix: bytes) -> StateChunk:
        self.asked.append((account, prefix))
        await self._wait()
        answer = self._serving.answer(GetStateChunk(1, state_root, account, prefix))
        assert isinstance(answer, StateChunk)
        return self.distort(answer)

    async def codes(self, code_hashes: tuple[bytes, ...]) -> Codes:
        await self._wait()
        answer = self._serving.answer(GetCodes(1, code_hashes))
        assert isinstance(answer, Codes)
        return Codes(1, self.distort_codes(answer.codes))

    async def _wait(self) -> None:
        await asyncio.sleep(0)
        if not self.is_open:
            raise PeerGone(DisconnectReason.BREACH_OF_PROTOCOL)
        if self.is_silent:
            raise RequestTimedOut("GetStateChunk", 10)


def empty_store(folder: Path, genesis_json: bytes) -> tuple[ChainDatabase, SnapshotStore]:
    database = ChainDatabase(folder / "chain")
    init_chain(database, genesis_json)
    return database, SnapshotStore(database)


def download(
    store: SnapshotStore, peers: Sequence[StateServer], writing: Executor | None = None
) -> None:
    async def scenario() -> None:
        await SnapshotDownload(store, lambda: peers, writing or InlineExecutor()).run()

    asyncio.run(asyncio.wait_for(scenario(), 120))


def entries(database: ChainDatabase, table: str) -> Iterator[tuple[bytes, bytes]]:
    with database.reading() as transaction:
        for key, value in transaction.cursor(db=database.table(table)):
            yield bytes(key), bytes(value)


def flat_state(database: ChainDatabase) -> dict[str, dict[bytes, bytes]]:
    return {name: dict(entries(database, name)) for name in STATE_TABLES}
