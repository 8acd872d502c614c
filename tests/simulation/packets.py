"""What travels in the simulated network."""

from dataclasses import dataclass

from consensus.certificate import CommitCertificate
from consensus.qbft.messages import Message


@dataclass(frozen=True, slots=True)
class QbftPacket:
    """A QBFT message, and the parent's certificate beside a proposal."""

    message: Message
    parent_certificate: CommitCertificate | None


@dataclass(frozen=True, slots=True)
class BytesPacket:
    """A QBFT message as bytes, which may be none."""

    code: int
    data: bytes
    parent_certificate: CommitCertificate | None


@dataclass(frozen=True, slots=True)
class FinalBlock:
    """A block, its certificate and its parent's, which the header names."""

    rlp: bytes
    certificate: CommitCertificate
    parent_certificate: CommitCertificate | None


@dataclass(frozen=True, slots=True)
class GetBlocks:
    """Ask for the final blocks from a height on."""

    start: int


@dataclass(frozen=True, slots=True)
class Blocks:
    """Some final blocks in order; as many as one packet holds where there are more."""

    blocks: tuple[FinalBlock, ...]


Packet = QbftPacket | BytesPacket | FinalBlock | GetBlocks | Blocks
