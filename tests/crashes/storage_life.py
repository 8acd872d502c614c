"""One life of a node's disk: blocks, states, votes, models, pruning, a snapshot; until a kill."""

import json
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

from consensus.block_execution import Proposal
from consensus.certificate import certify, seal
from consensus.qbft.events import OwnMessage
from consensus.qbft.evidence import SignedPayload, evidence_of
from consensus.qbft.messages import Prepare, PreparePayload
from consensus.qbft.signing import KeySigner, SigningDomain
from cvm.evm.transaction_decoding import decode_transaction
from cvm.inference.backends.table import backend_named
from models_registry.chunks import CHUNK_BYTES, chunk_proofs, model_id, split_chunks
from node.chain import Chain, init_chain
from node.evidence_pool import MAX_OF_SIGNER, EvidencePool
from node.inference_host import NodeInferenceHost
from node.p2p.snapshot_download import SnapshotGone
from node.storage import chain_database
from node.storage.chain_database import ChainDatabase
from node.storage.model_store import ModelStore
from node.storage.pruning import References
from node.storage.snapshot_store import Pivot, SnapshotStore
from node.vote_log import VoteLog
from tests.chain_world import USER, VALIDATOR, address_of, genesis_document, signed
from tests.crashes.children import Report
from tests.crashes.kill_points import KillPlan, KillPoints
from tests.crashes.storage_check import Told, check_disk, check_snapshot, recipient, require
from tests.unit.node.p2p.snapshot_world import StateServer, download

GENESIS = json.dumps(genesis_document()).encode()
SIGNER = KeySigner(VALIDATOR.to_bytes())
MOST_BLOCKS = 30
MODELS = 24
TRANSACTION, COMMIT, APPEND, VOTES, FILES, PRUNING, SNAPSHOT = (
    "in a transaction of the database",
    "in a commit of the database",
    "around an append",
    "in a save of the vote log",
    "around a file of a model",
    "in the pruning",
    "in the writing of a snapshot",
)
KINDS = {TRANSACTION: 120, COMMIT: 8, APPEND: 12, VOTES: 24, FILES: 24, PRUNING: 30, SNAPSHOT: 60}
"""Where a life ends, and at most at which passing."""


def plan_of(random: Random, *, prunes: bool) -> KillPlan:
    """Choose where a life ends."""
    kind = random.choice([kind for kind in KINDS if prunes or kind != PRUNING])
    delay_s = random.random() * 0.004 if kind == COMMIT else 0
    return KillPlan(kind, random.randint(1, KINDS[kind]), delay_s)


@dataclass(frozen=True, slots=True)
class Disk:
    """Everything that one node keeps, open."""

    folder: Path
    database: ChainDatabase
    store: ModelStore
    chain: Chain
    votes: VoteLog
    evidence: EvidencePool


def open_disk(folder: Path) -> Disk:
    """Open a node's folder, or begin it."""
    database = ChainDatabase(folder / "chain")
    init_chain(database, GENESIS)
    store = ModelStore(folder / "models")
    chain = Chain(database, NodeInferenceHost(store, backend_named("reference")))
    votes = VoteLog(folder / "votes", chain.domain.genesis_hash)
    return Disk(folder, database, store, chain, votes, EvidencePool(chain, folder / "evidence"))


def live(folder: Path, seed: int, life: int, told: Told, report: Report, *, prunes: bool) -> None:
    """Check what earlier lives left, go on from it, and be killed."""
    random = Random(f"{seed} {life} {prunes}")
    plan = plan_of(random, prunes=prunes)
    disk = open_disk(folder)
    check_disk(disk.database, disk.chain, disk.store, disk.votes, told)
    require(told.evidence <= {each.encode() for each in disk.evidence.all()}, "evidence")
    if disk.chain.head.block_number:
        report(f"found {disk.chain.head.block_number} {disk.chain.head.hash.hex()}")
    plant_points(KillPoints(plan, report))
    for _ in range(MOST_BLOCKS):
        append_block(disk, life, report)
        if plan.kind == FILES or random.random() < 0.2:
            keep_model(disk, random, report)
            keep_evidence(disk, report)
        if prunes and random.random() < (0.5 if plan.kind == PRUNING else 0.03):
            disk.database.prune(random.randint(2, 6))
        if random.random() < (0.5 if plan.kind == SNAPSHOT else 0.03):
            take_snapshot(disk, report)
    report("killed at-rest")
    os.kill(os.getpid(), signal.SIGKILL)


def plant_points(points: KillPoints) -> None:
    """Make what writes to the disk pass the places of its kinds."""
    database: Any = ChainDatabase
    writing = database.writing

    @contextmanager
    def counted(self: ChainDatabase) -> Iterator[Any]:
        with writing(self) as transaction:
            points.passed(TRANSACTION, "begun")
            yield transaction
            points.passed(TRANSACTION, "before commit")
            points.passed(COMMIT, "commit")
        points.passed(TRANSACTION, "committed")

    database.writing = counted
    points.wrap(database, "_put", TRANSACTION, TRANSACTION)
    points.wrap(chain_database, "write_flat", TRANSACTION, TRANSACTION)
    points.wrap(Chain, "append", APPEND, APPEND)
    for name in ("_note_signed", "_append", "_forget_before", "save"):
        points.wrap(VoteLog, name, VOTES, VOTES)
    points.wrap(os, "fsync", FILES, FILES)
    points.wrap(Path, "replace", FILES, FILES)
    points.wrap(Path, "open", FILES, FILES)
    points.wrap(Path, "unlink", FILES, FILES)
    points.wrap(References, "count_block", PRUNING, PRUNING)
    points.wrap(References, "sweep", PRUNING, PRUNING)
    points.wrap(chain_database, "mark_and_sweep", PRUNING, PRUNING)
    points.wrap(database, "prune", PRUNING, PRUNING)
    for name in ("begin", "split", "_write", "_add", "_done", "put_codes", "finish"):
        points.wrap(SnapshotStore, name, SNAPSHOT, SNAPSHOT)


def append_block(disk: Disk, life: int, report: Report) -> None:
    """Vote for a block with one transfer, make it final, and tell so."""
    chain = disk.chain
    number = chain.head.block_number + 1
    raw = signed(USER, number - 1, to=recipient(number), value=1, gas=21_000)
    proposal = Proposal(address_of(VALIDATOR), 0)
    checked, _left_out = chain.build(proposal, [decode_transaction(raw)])
    block = checked.block
    payload = PreparePayload(number, life, block.hash)
    disk.votes.save(number, [OwnMessage(Prepare(payload, SIGNER.sign(block.hash)), None)])
    report(f"vote {number} {life} {block.hash.hex()}")
    sealed = seal(chain.domain, VALIDATOR, number, 0, block.hash)
    chain.append(checked, certify(number, 0, block.hash, [(0, sealed)]))
    report(f"final {number} {block.hash.hex()}")


def keep_model(disk: Disk, random: Random, report: Report) -> None:
    """Take a model, whole or in chunks; when all are here, drop them and begin again."""
    missing = [index for index in range(MODELS) if not disk.store.has(id_of_model(index))]
    if not missing:
        report("models-dropped")
        for path in (disk.folder / "models").glob("*.onnx"):
            os.remove(path)
        return
    data = model(missing[0])
    if random.random() < 0.3:
        disk.store.add_file(data)
    else:
        chunks, proofs = split_chunks(data), chunk_proofs(data)
        for index, chunk in enumerate(chunks):
            disk.store.put_chunk(model_id(data), len(data), index, chunk, proofs[index])
    report(f"model {model_id(data).hex()}")


def keep_evidence(disk: Disk, report: Report) -> None:
    """Keep the proof of a double vote; with as many as one validator may have, begin again."""
    folder, chain = disk.folder / "evidence", disk.chain
    pool = EvidencePool(chain, folder)
    if len(pool.all()) >= MAX_OF_SIGNER:
        report("evidence-dropped")
        for path in folder.iterdir():
            os.remove(path)
        return
    domain = SigningDomain(chain.domain.chain_id, chain.domain.genesis_hash)
    said = []
    for fill in (1, 2):
        payload = PreparePayload(chain.head.block_number, len(pool.all()), bytes([fill]) * 32)
        signature = SIGNER.sign(domain.digest(payload.CODE, payload.encode()))
        said.append(SignedPayload(payload, signature))
    evidence = evidence_of(SIGNER.address, *said)
    pool.add(evidence)
    report(f"evidence {evidence.encode().hex()}")


@cache
def id_of_model(index: int) -> bytes:
    """Return the id of a model of this test."""
    return model_id(model(index))


def model(index: int) -> bytes:
    """Return the bytes of a file of two chunks."""
    return Random(index).randbytes(CHUNK_BYTES + 1_000 + index)


def take_snapshot(disk: Disk, report: Report) -> None:
    """Fetch the state of the head into another folder, or go on with that, and check it."""
    folder = disk.folder / "follower"
    database = ChainDatabase(folder / "chain")
    init_chain(database, GENESIS)
    store, chain, server = (
        SnapshotStore(database),
        disk.chain,
        StateServer(b"peer", any_world(disk)),
    )
    head = database.header(database.head_hash() or b"")
    if head is None or head.block_number == 0:
        if store.pivot is None:
            store.begin(pivot_of(chain))
        try:
            download(store, [server])
        except SnapshotGone:
            store.begin(pivot_of(chain))
            download(store, [server])
        store.finish()
        check_snapshot(database, chain)
        report("snapshot")
    else:
        check_snapshot(database, chain)
    database.close()
    for path in (folder / "chain").iterdir():
        os.remove(path)


def pivot_of(chain: Chain) -> Pivot:
    """Return the head with its certificate."""
    head = chain.head
    block, certificate = chain.database.block(head.hash), chain.certificate_at(head.block_number)
    if block is None or certificate is None:
        raise LookupError("the head is not whole")
    return Pivot(block, certificate)


def any_world(disk: Disk) -> Any:  # a server of states asks of a world its database and store
    """Return a disk where a world is expected."""
    return disk
