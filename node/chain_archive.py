"""A chain in one file: what `cvm export` writes and `cvm import` reads.

A stream of RLP items: ["cvm-archive", 1, genesis hash], then any number of
["model", ONNX bytes] and ["block", block, certificate] in height order. A model comes before
the first block, so that every INFER can be run again.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from consensus.block import decode_block
from consensus.certificate import decode_certificate
from cvm.evm.rlp_encoding import encode_bytes, encode_list
from cvm.evm.strict_rlp import BadRlp, read_header
from models_registry.chunks import BadModelSize
from models_registry.registry import read_model_ids
from node.chain import Chain
from node.storage.model_store import ModelStore
from node.storage.state_faults import NoHistory

MAGIC = b"cvm-archive"
VERSION = 1
MAX_ITEM_BYTES = 80 << 20
"""Above the largest model (64 MiB) and the largest block (10 MiB)."""
MAX_FIELDS = 3
"""A block's item has the most: its kind, the block, its certificate."""

Progress = Callable[[int, int], None]
"""Told blocks done and blocks in all (0 where the total is not known)."""


class BadArchive(Exception):
    """The file is not an archive of this chain."""


@dataclass(frozen=True, slots=True)
class ImportSummary:
    """What an import did."""

    blocks: int
    known_blocks: int
    models: int
    inferences: int


def export_chain(chain: Chain, store: ModelStore, path: Path, progress: Progress) -> int:
    """Write the whole chain and every model that it registered; return the number of blocks.

    The file appears under its name only when it is complete. Raises `NoHistory` where the first
    blocks are not here.
    """
    start = chain.database.start_height()
    if start:
        raise NoHistory(start)
    head = chain.head.block_number
    partial = path.with_name(path.name + ".partial")
    with partial.open("wb") as file:
        file.write(encode_item(MAGIC, bytes((VERSION,)), chain.domain.genesis_hash))
        for model_id in read_model_ids(chain.storage_at(chain.head)):
            if store.has(model_id):
                file.write(encode_item(b"model", store.read(model_id)))
        for number in range(1, head + 1):
            block_hash = chain.database.hash_at(number) or b""
            block = chain.database.block_bytes(block_hash) or b""
            certificate = chain.database.certificate(block_hash)
            sealed = b"" if certificate is None else certificate.encode()
            file.write(encode_item(b"block", block, sealed))
            progress(number, head)
    partial.replace(path)
    return head


def encode_item(*fields: bytes) -> bytes:
    """Return one RLP list of strings."""
    return encode_list(b"".join(map(encode_bytes, fields)))


def import_chain(chain: Chain, store: ModelStore, path: Path, progress: Progress) -> ImportSummary:
    """Import every block of an archive, each checked and executed, inference included.

    Raises `BadArchive`, an `InvalidBlock` or a `LocalFault`; the blocks before it stay.
    """
    blocks = known = models = inferences = 0
    with path.open("rb") as file:
        items = read_items(file)
        validate_opening(next(items, None), chain.domain.genesis_hash)
        for item in items:
            match item:
                case [b"model", bytes(data)]:
                    add_model(store, data)
                    models += 1
                case [b"block", bytes(block), bytes(certificate)]:
                    decoded = decode_block(block)
                    checked = chain.import_block(decoded, decode_certificate(certificate))
                    known += checked is None
                    blocks += checked is not None
                    inferences += 0 if checked is None else len(checked.inferences)
                    progress(decoded.number, 0)
                case _:
                    raise BadArchive("an item is neither a model nor a block with a certificate")
    return ImportSummary(blocks, known, models, inferences)


def add_model(store: ModelStore, data: bytes) -> None:
    """Keep a model of an archive; raises `BadArchive` for a size that no model may have."""
    try:
        store.add_file(data)
    except BadModelSize as error:
        raise BadArchive(str(error)) from error


def validate_opening(item: object, genesis_hash: bytes) -> None:
    """Check the first item: an archive of our version, and of this very chain."""
    match item:
        case [bytes(magic), bytes(version), bytes(archived)] if magic == MAGIC:
            if version != bytes([VERSION]):
                raise BadArchive(f"archive version 0x{version.hex()}, this node reads {VERSION}")
            if archived != genesis_hash:
                raise BadArchive(
                    f"archive of genesis 0x{archived.hex()}, this chain has "
                    f"0x{genesis_hash.hex()}: import it into its own --datadir"
                )
        case _:
            raise BadArchive("not a chain archive: write one with `cvm export`")


def read_items(file: IO[bytes]) -> Iterator[list[bytes] | None]:
    """Yield the strings of the RLP lists of a stream; raises `BadArchive`."""
    return map(decode_item, read_lists(file))


def read_lists(file: IO[bytes]) -> Iterator[bytes]:
    """Yield the RLP lists of a stream as they are, one at a time; raises `BadArchive`."""
    while prefix := file.read(1):
        if prefix[0] < 0xC0:
            raise BadArchive(f"byte 0x{prefix.hex()} does not open an RLP list")
        header = prefix
        length = prefix[0] - 0xC0
        if length > 55:
            digits = file.read(length - 55)
            header += digits
            length = int.from_bytes(digits, "big")
        if length > MAX_ITEM_BYTES:
            raise BadArchive(f"an item of {length} bytes, at most {MAX_ITEM_BYTES}")
        body = file.read(length)
        if len(body) < length:
            raise BadArchive(f"the file ends {length - len(body)} bytes early")
        yield header + body


def decode_item(data: bytes) -> list[bytes] | None:
    """Return the strings of an item, or None for one with lists or too many strings in it.

    A general decoder would unfold an item of 80 MiB of empty lists into 5 GB. Raises
    `BadArchive`.
    """
    fields: list[bytes] = []
    try:
        _is_list, position, end = read_header(data, 0, len(data))
        while position < end:
            is_list, start, position = read_header(data, position, end)
            if is_list or len(fields) == MAX_FIELDS:
                return None
            fields.append(data[start:position])
    except BadRlp as error:
        raise BadArchive(f"not RLP: {error}") from error
    return fields
