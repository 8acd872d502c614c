"""Brings a model from a node to a file: chunk by chunk, each proven before it is written."""

import os
from dataclasses import dataclass
from pathlib import Path

from models_registry.chunks import (
    CHUNK_BYTES,
    MAX_MODEL_BYTES,
    BadChunk,
    chunk_count,
    model_id,
    validate_chunk,
)
from models_registry.cli.files import CannotRead, load_file
from models_registry.cli.http_client import ClientFault, RpcRefused
from models_registry.cli.node_client import GivenChunk, NodeClient
from models_registry.cli.sending import ChainSaysNo, Progress

NOT_AVAILABLE_CODE = -32010


class FalseChunk(ClientFault):
    """A node gave bytes that are not of the model; none of them were written."""

    def __init__(self, url: str, fault: BadChunk) -> None:
        super().__init__(f"{url} gave bytes that are not of the model ({fault}): ask another node")


class NotHere(ChainSaysNo):
    """The node does not hold the model."""

    def __init__(self, url: str, identity: bytes) -> None:
        super().__init__(
            f"{url} does not hold model 0x{identity.hex()}: ask a node that does (--rpc), "
            "or push the file there"
        )


@dataclass(frozen=True, slots=True)
class Pulled:
    """A model that lies in a file: how many chunks came now, of how many."""

    path: Path
    size_bytes: int
    chunks: int
    fetched: int


def pull_model(node: NodeClient, identity: bytes, target: Path, progress: Progress) -> Pulled:
    """Bring a model into a file, whole or not at all; what came before an interruption stays.

    Raises `CannotRead`, `NotHere` or `ClientFault`.
    """
    if target.exists():
        data = load_file(target, MAX_MODEL_BYTES)
        _check_target(target, data, identity)
        return Pulled(target, len(data), chunk_count(len(data)), 0)
    part = target.with_name(f"{target.name}.{identity.hex()[:8]}.part")
    first = _proven(node, identity, 0)
    try:
        pulled = _fill(node, identity, first, part, progress)
        _finish(part, target, identity)
    except OSError as error:
        raise CannotRead(f"{part}: {error.strerror}") from error
    return Pulled(target, first.size_bytes, chunk_count(first.size_bytes), pulled)


def pulled_bytes(node: NodeClient, identity: bytes, progress: Progress) -> bytes:
    """Return a model's bytes from this machine's cache, into which they are brought first.

    Raises as `pull_model` does.
    """
    folder = cache_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CannotRead(f"{folder}: {error.strerror}") from error
    path = folder / f"{identity.hex()}.onnx"
    pull_model(node, identity, path, progress)
    return load_file(path)


def cache_folder() -> Path:
    """Return where models lie that commands brought here."""
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "cvm" / "models"


def _check_target(target: Path, data: bytes, identity: bytes) -> None:
    if not data or model_id(data) != identity:
        raise CannotRead(f"{target}: holds something else; name another file with -o")


def _fill(
    node: NodeClient, identity: bytes, first: GivenChunk, part: Path, progress: Progress
) -> int:
    """Write the chunks that a part of a file lacks; return how many."""
    count = chunk_count(first.size_bytes)
    with part.open("ab") as file:
        held = min(file.tell() // CHUNK_BYTES, count)
        file.truncate(held * CHUNK_BYTES)
        if held:
            progress.note(f"{held} of {count} chunks are here already")
        for index in range(held, count):
            progress.chunks(index, count)
            chunk = first if index == 0 else _proven(node, identity, index)
            file.write(chunk.chunk)
            file.flush()
        progress.chunks(count, count)
    return count - held


def _proven(node: NodeClient, identity: bytes, index: int) -> GivenChunk:
    try:
        given = node.chunk(identity, index)
    except RpcRefused as refused:
        if refused.code == NOT_AVAILABLE_CODE:
            raise NotHere(node.url, identity) from refused
        raise
    try:
        validate_chunk(identity, given.size_bytes, index, given.chunk, given.proof)
    except BadChunk as fault:
        raise FalseChunk(node.url, fault) from fault
    return given


def _finish(part: Path, target: Path, identity: bytes) -> None:
    """Name a whole file as wanted; one that was changed meanwhile is dropped."""
    if model_id(part.read_bytes()) != identity:
        part.unlink()
        raise CannotRead(f"{part}: was changed by somebody else; run the command again")
    part.replace(target)
