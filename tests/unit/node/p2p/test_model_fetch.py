"""Bytes of models from several peers: no unproven byte is written, and a kill loses no chunk."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from models_registry.chunks import CHUNK_BYTES, chunk_proofs, model_id, split_chunks
from node.p2p import chunk_plan
from node.p2p.cvm_messages import Chunk
from node.p2p.disconnect_reason import DisconnectReason
from node.p2p.faults import PeerGone, RequestTimedOut
from node.p2p.model_fetch import ModelFetch
from node.storage.model_store import ModelStore

DATA = bytes(range(256)) * 6000  # 6 chunks
MODEL = model_id(DATA)
CHUNKS, PROOFS = split_chunks(DATA), chunk_proofs(DATA)
OTHER_DATA = b"another model" * 30_000
OTHER = model_id(OTHER_DATA)
DATA_OF = {MODEL: DATA, OTHER: OTHER_DATA}


@dataclass
class FakePeer:
    """Serves models of `DATA_OF`; `distort` changes its answers."""

    node_id: bytes
    models: set[bytes] = field(default_factory=lambda: {MODEL})
    distort: Callable[[Chunk], Chunk] = lambda chunk: chunk
    is_silent: bool = False
    is_stuck: bool = False
    asked: list[int] = field(default_factory=list)
    points: int = 0

    @property
    def is_open(self) -> bool:
        return self.points < 100

    def penalise(self, points: int, reason: str) -> None:
        self.points += points

    async def chunk(self, wanted: bytes, index: int) -> Chunk:
        self.asked.append(index)
        await asyncio.sleep(0)
        if not self.is_open:
            raise PeerGone(DisconnectReason.BREACH_OF_PROTOCOL)
        if self.is_silent:
            raise RequestTimedOut("GetChunk", 10)
        if self.is_stuck:
            answer: asyncio.Future[Chunk] = asyncio.get_running_loop().create_future()
            return await answer
        data = DATA_OF[wanted]
        chunk, proof = split_chunks(data)[index], chunk_proofs(data)[index]
        return self.distort(Chunk(1, len(data), index, chunk, proof))


@dataclass
class Registry:
    """What the registry lists."""

    models: dict[bytes, int]
    others: dict[bytes, int] = field(default_factory=dict)

    def wanted(self) -> Mapping[bytes, int]:
        return self.models

    def size_of(self, wanted: bytes) -> int | None:
        return (self.models | self.others).get(wanted)


class Run:
    """A fetch over fake peers, with what it told and what arrived."""

    def __init__(self, folder: Path, registry: Registry, *peers: FakePeer) -> None:
        self.store = ModelStore(folder)
        self.told: list[tuple[bytes, ...]] = []
        self.arrivals: list[bytes] = []
        self.arrival = asyncio.Event()
        self.fetch = ModelFetch(
            self.store, registry, lambda: peers, self.told.append, self._arrived
        )

    def _arrived(self, model: bytes) -> None:
        self.arrivals.append(model)
        self.arrival.set()

    async def until(self, *events: asyncio.Event) -> None:
        """Fetch until events are set."""
        running = asyncio.create_task(self.fetch.run())
        waits = [asyncio.create_task(event.wait()) for event in events]
        done, _waiting = await asyncio.wait(
            [running, *waits], timeout=30, return_when=asyncio.FIRST_COMPLETED
        )
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        assert done & set(waits), "nothing arrived"


LISTED = Registry({MODEL: len(DATA)})


def fetched(folder: Path, *peers: FakePeer, registry: Registry = LISTED) -> Run:
    async def scenario() -> Run:
        run = Run(folder, registry, *peers)
        await run.until(run.arrival)
        return run

    return asyncio.run(scenario())


def test_a_model_comes_from_several_peers_at_once(tmp_path: Path) -> None:
    peers = [FakePeer(bytes([name])) for name in range(3)]
    run = fetched(tmp_path, *peers)
    assert run.store.read(MODEL) == DATA
    assert run.arrivals == [MODEL]
    assert run.told == [(MODEL,)], "once, not for each chunk"
    assert all(peer.asked and not peer.points for peer in peers)
    assert sorted(index for peer in peers for index in peer.asked) == [0, 1, 2, 3, 4, 5]


def test_nothing_is_fetched_that_is_here(tmp_path: Path) -> None:
    ModelStore(tmp_path).add_file(DATA)
    peer = FakePeer(b"a", {MODEL, OTHER})
    registry = Registry({MODEL: len(DATA), OTHER: len(OTHER_DATA)})
    assert fetched(tmp_path, peer, registry=registry).arrivals == [OTHER]
    assert max(peer.asked) < len(split_chunks(OTHER_DATA))


def changed(**fields: object) -> Callable[[Chunk], Chunk]:
    def distort(chunk: Chunk) -> Chunk:
        values = {name: getattr(chunk, name) for name, _field in Chunk.FIELDS}
        return Chunk(**(values | fields))

    return distort


def flip(chunk: Chunk) -> Chunk:
    data = bytes([chunk.chunk[0] ^ 1]) + chunk.chunk[1:]
    return changed(chunk=data)(chunk)


LIES = [
    pytest.param(flip, id="one bit"),
    pytest.param(changed(proof=()), id="no proof"),
    pytest.param(changed(chunk=b""), id="no bytes"),
    pytest.param(changed(chunk=CHUNKS[0], proof=PROOFS[1]), id="the proof of another chunk"),
    pytest.param(lambda chunk: changed(chunk=chunk.chunk + b"x")(chunk), id="a byte too many"),
]


@pytest.mark.parametrize("lie", LIES)
def test_a_liar_is_banned_before_a_byte_is_written(
    tmp_path: Path, lie: Callable[[Chunk], Chunk]
) -> None:
    liar, honest = FakePeer(b"a", distort=lie), FakePeer(b"b")
    run = fetched(tmp_path, liar, honest)
    assert run.store.read(MODEL) == DATA
    assert liar.points >= 100
    assert honest.points == 0


@pytest.mark.parametrize("lie", LIES)
def test_what_a_liar_alone_sends_is_not_written(
    tmp_path: Path, lie: Callable[[Chunk], Chunk], monkeypatch: pytest.MonkeyPatch
) -> None:
    liar = FakePeer(b"a", distort=lie)
    told_again = asyncio.Event()

    async def scenario() -> Run:
        run = Run(tmp_path, LISTED, liar)
        monkeypatch.setattr("node.p2p.model_fetch.TELL_AGAIN_S", 0.01)
        run.fetch._tell = lambda models: told_again.set() if liar.points >= 100 else None
        await run.until(told_again)
        return run

    run = asyncio.run(scenario())
    missing = run.store.missing_chunks(MODEL, len(DATA))
    written = [index for index in range(len(CHUNKS)) if index not in missing]
    for index in written:
        path = tmp_path / "partial" / MODEL.hex() / f"{index:03d}.chunk"
        assert path.read_bytes() == CHUNKS[index]
    assert missing


def test_a_peer_that_does_not_have_what_it_said_is_asked_no_more(tmp_path: Path) -> None:
    absent = FakePeer(b"a", distort=changed(size_bytes=0))
    run = fetched(tmp_path, absent, FakePeer(b"b"))
    assert run.arrivals == [MODEL]
    assert MODEL not in absent.models
    assert 0 < absent.points < 100


def test_a_silent_peer_does_not_hold_a_model_up(tmp_path: Path) -> None:
    silent = FakePeer(b"a", is_silent=True)
    assert fetched(tmp_path, silent, FakePeer(b"b")).arrivals == [MODEL]
    assert silent.points > 0


def test_what_a_stuck_peer_holds_is_asked_of_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chunk_plan, "SLOW_AFTER_S", 0.02)
    stuck = FakePeer(b"a", is_stuck=True)
    assert fetched(tmp_path, stuck, FakePeer(b"b")).arrivals == [MODEL]
    assert stuck.asked


@pytest.mark.parametrize("kept", range(1, len(CHUNKS)))
def test_after_a_kill_only_the_missing_chunks_are_asked_for(tmp_path: Path, kept: int) -> None:
    before = ModelStore(tmp_path)
    for index in range(kept):
        before.put_chunk(MODEL, len(DATA), index, CHUNKS[index], PROOFS[index])
    peer = FakePeer(b"a")
    assert fetched(tmp_path, peer).store.read(MODEL) == DATA
    assert sorted(peer.asked) == list(range(kept, len(CHUNKS)))


def test_a_chunk_that_was_damaged_on_disk_is_fetched_again(tmp_path: Path) -> None:
    before = ModelStore(tmp_path)
    before.put_chunk(MODEL, len(DATA), 0, CHUNKS[0], PROOFS[0])
    path = tmp_path / "partial" / MODEL.hex() / "000.chunk"
    path.write_bytes(bytes(CHUNK_BYTES))
    run = fetched(tmp_path, FakePeer(b"a"))
    assert run.store.read(MODEL) == DATA


def test_what_a_block_needs_is_obtained_though_nobody_lists_it(tmp_path: Path) -> None:
    async def scenario() -> None:
        registry = Registry({}, {MODEL: len(DATA)})
        run = Run(tmp_path, registry, FakePeer(b"a"))
        got = asyncio.Event()

        async def need() -> None:
            await run.fetch.obtain(MODEL)
            got.set()

        needing = asyncio.create_task(need())
        await run.until(got)
        await needing
        assert run.store.has(MODEL)
        assert run.fetch.missing == ()

    asyncio.run(scenario())


def test_models_here_are_offered(tmp_path: Path) -> None:
    store = ModelStore(tmp_path)
    store.add_file(DATA)
    fetch = ModelFetch(store, LISTED, lambda: (), lambda _models: None, lambda _model: None)
    assert fetch.held((OTHER, MODEL)) == (MODEL,)


def test_what_a_peer_lacks_costs_one_look_at_the_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A peer may name 4,096 models five times a second."""
    store = ModelStore(tmp_path)
    store.add_file(DATA)
    looked: list[Path] = []

    def exists(path: Path) -> bool:
        looked.append(path)
        return False

    fetch = ModelFetch(store, LISTED, lambda: (), lambda _models: None, lambda _model: None)
    monkeypatch.setattr(Path, "exists", exists)
    unknown = tuple(number.to_bytes(32, "big") for number in range(4095))
    assert fetch.held((*unknown, MODEL)) == (MODEL,)
    assert looked == []


def test_peers_are_told_when_more_is_missing_and_not_when_less_is(tmp_path: Path) -> None:
    async def scenario() -> list[tuple[bytes, ...]]:
        registry = Registry({MODEL: len(DATA), OTHER: len(OTHER_DATA)})
        run = Run(tmp_path, registry, FakePeer(b"a", {MODEL, OTHER}))
        await run.until(run.arrival)
        run.arrival.clear()
        await run.until(run.arrival)
        assert sorted(run.arrivals) == sorted((MODEL, OTHER))
        return run.told

    assert asyncio.run(scenario()) == [(MODEL, OTHER)]
