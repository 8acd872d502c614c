"""The messages of `cvm/1` about blocks, votes and models; `cvm_state_messages` has the others.

Blocks, signed consensus messages and records travel as their own RLP and are read by the packages
that own them; certificates come decoded, but nobody has checked their seals. Every request opens
with a number that its reply repeats.
"""

from dataclasses import dataclass
from typing import ClassVar

from consensus.block import MAX_BLOCK_BYTES
from consensus.certificate import CommitCertificate
from models_registry.chunks import CHUNK_BYTES, MAX_MODEL_BYTES
from models_registry.record import MAX_RECORD_BYTES
from node.p2p.protocol import Capability
from node.p2p.wire_fields import (
    Bytes,
    Certificate,
    Fixed,
    Group,
    Number,
    RawList,
    Several,
    WireMessage,
)

CVM_1 = Capability("cvm", 1, 0x13)
VERSION = 1

MAX_BLOCKS = 128
"""Blocks in one answer; it holds fewer where they are large."""
MAX_ANSWER_BYTES = 10 << 20
"""Of the longest answer: one whole block, or several that fit into less."""
MAX_CERTIFICATES = 256
MAX_MODELS = 4096
"""Ids in one announcement."""
MAX_CHUNK_PROOF = 8
"""Hashes that lead from one of 256 chunks to the root."""
MAX_QBFT_BYTES = 10 << 20
"""A signed message with a block, and the round changes and prepares that justify it."""
MAX_EVIDENCE_PAYLOAD_BYTES = 4 << 20
"""A payload of evidence: two of them fit a message. A block's gas pays for 3.2 MiB of data (2^25 at
10 a zero byte, EIP-7623), so a proposal of any block that can be final is no longer.
"""
SIGNATURE_BYTES = 65
REQUEST_ID = ("request_id", Number())
HASH = Fixed(32)


@dataclass(frozen=True, slots=True)
class Status(WireMessage):
    """The first message of both sides: which chain, and how much of it is here.

    `fork_hash` and `fork_next` are the EIP-2124 fork id by height. Blocks from `earliest_height`
    to `height` can be asked for.
    """

    CODE: ClassVar[int] = 0x00
    MAX_LENGTH: ClassVar[int] = 256
    FIELDS: ClassVar = (
        ("version", Number()),
        ("chain_id", Number()),
        ("genesis_hash", HASH),
        ("fork_id", Group((("fork_hash", Fixed(4)), ("fork_next", Number())))),
        ("height", Number()),
        ("head_hash", HASH),
        ("earliest_height", Number()),
    )
    version: int
    chain_id: int
    genesis_hash: bytes
    fork_id: tuple[bytes, int]
    height: int
    head_hash: bytes
    earliest_height: int


@dataclass(frozen=True, slots=True)
class Qbft(WireMessage):
    """A consensus message as its signer encoded it; a Proposal brings its parent's certificate.

    `code` is 0x12 to 0x15; `message` is the RLP of the signed payload.
    """

    CODE: ClassVar[int] = 0x01
    MAX_LENGTH: ClassVar[int] = MAX_QBFT_BYTES
    FIELDS: ClassVar = (
        ("code", Number(1)),
        ("message", RawList(MAX_QBFT_BYTES)),
        ("parent_certificate", Certificate(is_optional=True)),
    )
    code: int
    message: bytes
    parent_certificate: CommitCertificate | None


@dataclass(frozen=True, slots=True)
class NewBlock(WireMessage):
    """A final block with its certificate, and the one that its header names (None at height 1)."""

    CODE: ClassVar[int] = 0x02
    MAX_LENGTH: ClassVar[int] = MAX_ANSWER_BYTES
    FIELDS: ClassVar = (
        ("block", RawList(MAX_BLOCK_BYTES)),
        ("certificate", Certificate()),
        ("parent_certificate", Certificate(is_optional=True)),
    )
    block: bytes
    certificate: CommitCertificate
    parent_certificate: CommitCertificate | None


@dataclass(frozen=True, slots=True)
class GetBlocks(WireMessage):
    """Ask for `count` blocks from height `start` upwards; answered by `Blocks`."""

    CODE: ClassVar[int] = 0x03
    MAX_LENGTH: ClassVar[int] = 64
    FIELDS: ClassVar = (REQUEST_ID, ("start", Number()), ("count", Number(most=MAX_BLOCKS)))
    request_id: int
    start: int
    count: int


@dataclass(frozen=True, slots=True)
class Blocks(WireMessage):
    """Consecutive blocks, each with its certificate; fewer than asked for, or none, may come.

    `parent_certificate` is the one that the first block's header names.
    """

    CODE: ClassVar[int] = 0x04
    MAX_LENGTH: ClassVar[int] = MAX_ANSWER_BYTES
    FIELDS: ClassVar = (
        REQUEST_ID,
        (
            "blocks",
            Several(
                Group((("block", RawList(MAX_BLOCK_BYTES)), ("certificate", Certificate()))),
                MAX_BLOCKS,
                smallest_bytes=500,
            ),
        ),
        ("parent_certificate", Certificate(is_optional=True)),
    )
    request_id: int
    blocks: tuple[tuple[bytes, CommitCertificate], ...]
    parent_certificate: CommitCertificate | None


@dataclass(frozen=True, slots=True)
class GetCertificates(WireMessage):
    """Ask for the certificates of `count` heights from `start`; answered by `Certificates`."""

    CODE: ClassVar[int] = 0x05
    MAX_LENGTH: ClassVar[int] = 64
    FIELDS: ClassVar = (REQUEST_ID, ("start", Number()), ("count", Number(most=MAX_CERTIFICATES)))
    request_id: int
    start: int
    count: int


@dataclass(frozen=True, slots=True)
class Certificates(WireMessage):
    """The certificates of consecutive heights; fewer than asked for, or none, may come."""

    CODE: ClassVar[int] = 0x06
    MAX_LENGTH: ClassVar[int] = MAX_ANSWER_BYTES
    FIELDS: ClassVar = (
        REQUEST_ID,
        ("certificates", Several(Certificate(), MAX_CERTIFICATES, 40)),
    )
    request_id: int
    certificates: tuple[CommitCertificate, ...]


@dataclass(frozen=True, slots=True)
class HaveModels(WireMessage):
    """Models of which the sender serves every chunk."""

    CODE: ClassVar[int] = 0x07
    MAX_LENGTH: ClassVar[int] = 33 * MAX_MODELS + 16
    FIELDS: ClassVar = (("model_ids", Several(HASH, MAX_MODELS, 33)),)
    model_ids: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class WantModels(WireMessage):
    """Models that the sender lacks: whoever has or gets one of them says so by `HaveModels`."""

    CODE: ClassVar[int] = 0x08
    MAX_LENGTH: ClassVar[int] = 33 * MAX_MODELS + 16
    FIELDS: ClassVar = (("model_ids", Several(HASH, MAX_MODELS, 33)),)
    model_ids: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class GetChunk(WireMessage):
    """Ask for one chunk of a model; answered by `Chunk`."""

    CODE: ClassVar[int] = 0x09
    MAX_LENGTH: ClassVar[int] = 64
    FIELDS: ClassVar = (REQUEST_ID, ("model_id", HASH), ("index", Number(2)))
    request_id: int
    model_id: bytes
    index: int


@dataclass(frozen=True, slots=True)
class Chunk(WireMessage):
    """A chunk with the model's size and its audit path; size 0: the model is not here."""

    CODE: ClassVar[int] = 0x0A
    MAX_LENGTH: ClassVar[int] = CHUNK_BYTES + 512
    FIELDS: ClassVar = (
        REQUEST_ID,
        ("size_bytes", Number(most=MAX_MODEL_BYTES)),
        ("index", Number(2)),
        ("chunk", Bytes(CHUNK_BYTES)),
        ("proof", Several(HASH, MAX_CHUNK_PROOF, 33)),
    )
    request_id: int
    size_bytes: int
    index: int
    chunk: bytes
    proof: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Attestation(WireMessage):
    """A validator's signature under a model's record (EIP-712, PROTOCOL section 3)."""

    CODE: ClassVar[int] = 0x0B
    MAX_LENGTH: ClassVar[int] = 1024
    FIELDS: ClassVar = (
        ("model_id", HASH),
        ("nonce", Number()),
        ("record", Bytes(MAX_RECORD_BYTES)),
        ("signature", Fixed(SIGNATURE_BYTES)),
    )
    model_id: bytes
    nonce: int
    record: bytes
    signature: bytes


@dataclass(frozen=True, slots=True)
class Evidence(WireMessage):
    """Two messages that one validator may not both have signed (PROTOCOL section 4).

    The payload of a proposal holds its whole block.
    """

    CODE: ClassVar[int] = 0x0C
    MAX_LENGTH: ClassVar[int] = 2 * MAX_EVIDENCE_PAYLOAD_BYTES + 256
    FIELDS: ClassVar = (
        ("code", Number(1)),
        ("payload_a", Bytes(MAX_EVIDENCE_PAYLOAD_BYTES)),
        ("signature_a", Fixed(SIGNATURE_BYTES)),
        ("payload_b", Bytes(MAX_EVIDENCE_PAYLOAD_BYTES)),
        ("signature_b", Fixed(SIGNATURE_BYTES)),
    )
    code: int
    payload_a: bytes
    signature_a: bytes
    payload_b: bytes
    signature_b: bytes
