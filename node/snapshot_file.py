"""The state of one block in a file: what `cvm snapshot export` writes and `import` reads.

A stream of RLP items, as an archive is: ["cvm-snapshot", 1, genesis hash], ["block", block,
certificate], ["model", ONNX bytes] for each model, then the state in the parts in which peers give
it to each other: ["part", key of the part, answer], ["code", code]. A part is proven by the root of
its trie before it is written, so a file is trusted in nothing but its block's hash.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import IO

from consensus.block import decode_block
from consensus.certificate import decode_certificate
from consensus.faults import BadCertificate, MalformedBlock
from cvm.evm.account_encoding import decode_account
from cvm.evm.header import BlockHeader
from cvm.evm.keccak import keccak256
from cvm.evm.state_reader import EMPTY_CODE_HASH, EMPTY_TRIE_ROOT
from cvm.evm.trie_subtree import WrongSubtree, longer_prefixes
from models_registry.registry import read_model_ids
from node.chain import Chain
from node.chain_archive import BadArchive, add_model, encode_item, read_items
from node.checkpoint import CheckpointRefused
from node.model_chunks import ModelChunks
from node.p2p.cvm_source import DatabaseSource
from node.p2p.cvm_state_messages import GetStateChunk, StateChunk
from node.p2p.faults import BadMessage
from node.p2p.snapshot_download import write_part
from node.p2p.state_serving import StateServing
from node.storage.chain_database import ChainDatabase
from node.storage.model_store import ModelStore
from node.storage.snapshot_store import (
    ACCOUNTS,
    CODE,
    STORAGE,
    Pivot,
    SnapshotStore,
    SnapshotTask,
    task_of,
)

MAGIC = b"cvm-snapshot"
VERSION = 1


class StateNotServed(BadArchive):
    """A part of the state is not here, or not known by address."""


@dataclass(frozen=True, slots=True)
class SnapshotSummary:
    """What a snapshot holds."""

    header: BlockHeader
    parts: int
    codes: int
    models: int


def export_snapshot(chain: Chain, store: ModelStore, path: Path) -> SnapshotSummary:
    """Write the state of the head; the file appears under its name only when it is complete.

    Raises `StateNotServed` at genesis, or where a part of the state is not here.
    """
    header, certificate = chain.head, chain.certificate_at(chain.head.block_number)
    block = chain.database.block_bytes(header.hash)
    if block is None or certificate is None:
        raise StateNotServed("the head is the genesis block: there is nothing to take over")
    partial = path.with_name(path.name + ".partial")
    with partial.open("wb") as file:
        file.write(encode_item(MAGIC, bytes((VERSION,)), chain.domain.genesis_hash))
        file.write(encode_item(b"block", block, certificate.encode()))
        models = write_models(chain, store, file)
        parts, codes = StateWriter(chain.database, store, header, file).write()
    partial.replace(path)
    return SnapshotSummary(header, parts, codes, models)


def write_models(chain: Chain, store: ModelStore, file: IO[bytes]) -> int:
    """Write every registered model that is here; return how many."""
    held = [one for one in read_model_ids(chain.storage_at(chain.head)) if store.has(one)]
    for model_id in held:
        file.write(encode_item(b"model", store.read(model_id)))
    return len(held)


class StateWriter:
    """Writes the parts of one state, accounts before what belongs to them."""

    def __init__(
        self, database: ChainDatabase, models: ModelStore, header: BlockHeader, file: IO[bytes]
    ) -> None:
        self._database = database
        self._serving = StateServing(DatabaseSource(database, ModelChunks(models)))
        self._root = header.state_root
        self._file = file
        self._codes: set[bytes] = set()

    def write(self) -> tuple[int, int]:
        """Write everything; return how many parts and codes that is."""
        waiting, count = [SnapshotTask(ACCOUNTS, self._root)], 0
        while waiting:
            task = waiting.pop()
            waiting.extend(self._write_part(task))
            count += 1
        return count, len(self._codes)

    def _write_part(self, task: SnapshotTask) -> list[SnapshotTask]:
        """Write one part, and return what it shows to come."""
        account = keccak256(task.address) if task.address else b""
        answer = self._serving.answer(GetStateChunk(0, self._root, account, task.prefix))
        if not answer.nodes and not answer.leaves:
            raise StateNotServed("a part of the head's state is not here or not known by address")
        self._file.write(encode_item(b"part", task.key, answer.encode()))
        if answer.leaves is None:
            prefixes = longer_prefixes(task.root, task.prefix, answer.nodes)
            return [SnapshotTask(task.kind, task.root, task.address, one) for one in prefixes]
        if task.kind == STORAGE:
            return []
        accounts = [(address, decode_account(value)) for address, value in answer.leaves]
        for _address, held in accounts:
            self._write_code(held.code_hash)
        return [
            SnapshotTask(STORAGE, held.storage_root, address)
            for address, held in accounts
            if held.storage_root != EMPTY_TRIE_ROOT
        ]

    def _write_code(self, code_hash: bytes) -> None:
        if code_hash == EMPTY_CODE_HASH or code_hash in self._codes:
            return
        code = self._database.code(code_hash)
        if code is None:
            raise StateNotServed(f"code 0x{code_hash.hex()} is not here")
        self._codes.add(code_hash)
        self._file.write(encode_item(b"code", code))


def import_snapshot(
    database: ChainDatabase, store: ModelStore, path: Path, trusted_hash: bytes
) -> SnapshotSummary:
    """Take the state of a file into a chain that is at genesis, each part proven by its root.

    Raises `BadArchive`, `CheckpointRefused` for another block than the trusted one, or a
    `LocalFault`. What is incomplete is not used, and may be imported again.
    """
    with path.open("rb") as file:
        items = read_items(file)
        validate_magic(next(items, None), database.hash_at(0) or b"")
        pivot = read_pivot(next(items, None))
        if pivot.block.hash != trusted_hash:
            raise CheckpointRefused(
                f"the file holds the state of block {pivot.block.number} "
                f"0x{pivot.block.hash.hex()}, which is not the trusted 0x{trusted_hash.hex()}"
            )
        reader = StateReader(database, store, pivot)
        for item in items:
            reader.take(item)
    return reader.finish()


def validate_magic(item: list[bytes] | None, genesis_hash: bytes) -> None:
    """Check the first item; raises `BadArchive`."""
    match item:
        case [bytes(magic), bytes(version), bytes(genesis)] if magic == MAGIC:
            if version != bytes((VERSION,)):
                raise BadArchive(f"snapshot version 0x{version.hex()}, this node reads {VERSION}")
            if genesis != genesis_hash:
                raise BadArchive(
                    f"a snapshot of genesis 0x{genesis.hex()}, this chain has "
                    f"0x{genesis_hash.hex()}"
                )
        case _:
            raise BadArchive("not a snapshot: write one with `cvm snapshot export`")


def read_pivot(item: list[bytes] | None) -> Pivot:
    """Read the block whose state follows; raises `BadArchive`."""
    match item:
        case [b"block", bytes(block), bytes(certificate)]:
            try:
                return Pivot(decode_block(block), decode_certificate(certificate))
            except (MalformedBlock, BadCertificate) as fault:
                raise BadArchive(f"the snapshot's block: {fault}") from fault
        case _:
            raise BadArchive("the snapshot's second item is not its block")


class StateReader:
    """Writes the items of a file into a database."""

    def __init__(self, database: ChainDatabase, models: ModelStore, pivot: Pivot) -> None:
        self._database = database
        self._models = models
        self._pivot = pivot
        self._store = SnapshotStore(database)
        self._store.begin(pivot)
        self._counts = {b"part": 0, b"code": 0, b"model": 0}

    def take(self, item: list[bytes] | None) -> None:
        """Prove and write one item; raises `BadArchive`."""
        match item:
            case [b"part", bytes(key), bytes(answer)]:
                self._take_part(key, answer)
            case [b"code", bytes(code)]:
                self._take_code(keccak256(code), code)
            case [b"model", bytes(data)]:
                add_model(self._models, data)
            case _:
                raise BadArchive("an item is neither a part of the state, a code nor a model")
        self._counts[item[0]] += 1

    def finish(self) -> SnapshotSummary:
        """Make the block the head; raises `BadArchive` where parts are missing."""
        missing = self._store.count()
        if missing:
            raise BadArchive(f"the file ends early: {missing} parts of the state are missing")
        header = self._store.finish()
        counts = self._counts
        return SnapshotSummary(header, counts[b"part"], counts[b"code"], counts[b"model"])

    def _take_part(self, key: bytes, answer: bytes) -> None:
        task = self._task(key)
        try:
            write_part(self._store, task, StateChunk.decode(answer))
        except (BadMessage, WrongSubtree) as fault:
            raise BadArchive(f"a part of the state is not what its root says: {fault}") from fault

    def _take_code(self, code_hash: bytes, code: bytes) -> None:
        """Write a code, unless genesis has it too."""
        if self._database.code(code_hash) is None:
            self._task(CODE + code_hash)
            self._store.put_codes({code_hash: code})

    def _task(self, key: bytes) -> SnapshotTask:
        value = self._database.get("snapshot", key)
        if value is None:
            raise BadArchive(f"a part that is not of this state, or came before: 0x{key.hex()}")
        return task_of(key, value, self._pivot.header.state_root)
