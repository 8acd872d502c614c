"""The four messages of QBFT, and the bytes of each: those of EEA's QBFT specification and Besu.

    Prepare      [[height, round, digest], signature]
    Commit       [[height, round, digest, commit seal], signature]
    RoundChange  [[[height, round, [prepared round, digest] | []], signature], block | [], prepares]
    Proposal     [[[height, round, block], signature], [signed round changes, prepares]]

A signature covers the payload, which is the innermost list. A block stands as the raw RLP item
that it is. A digest is the hash of a block's header. Reading bytes: `message_decoding`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Protocol, TypeAlias

from cvm.evm.rlp_encoding import EMPTY_LIST, encode_bytes, encode_integer, encode_list

PROPOSAL, PREPARE, COMMIT, ROUND_CHANGE = 0x12, 0x13, 0x14, 0x15
"""Codes of the messages; part of what is signed."""

ROUND_BYTES = 4
"""A round is less than 2**32."""


class Payload(Protocol):
    """What a validator signs: of which height and round, and what it says there."""

    CODE: ClassVar[int]

    @property
    def height(self) -> int:
        """Return the height of the block that is agreed on."""
        ...

    @property
    def round(self) -> int:
        """Return the round, from 0."""
        ...

    def encode(self) -> bytes:
        """Return the RLP that is signed."""
        ...


class Encoded(Protocol):
    """Something with an RLP form."""

    def encode(self) -> bytes:
        """Return the RLP."""
        ...


@dataclass(frozen=True, slots=True)
class PreparePayload:
    """The block of this digest is right, and proposed in this round."""

    CODE: ClassVar[int] = PREPARE
    height: int
    round: int
    digest: bytes

    def encode(self) -> bytes:
        """Return the RLP that is signed."""
        return encode_list(_place(self) + encode_bytes(self.digest))


@dataclass(frozen=True, slots=True)
class CommitPayload:
    """A quorum has prepared the block of this digest; `seal` is this validator's commit seal."""

    CODE: ClassVar[int] = COMMIT
    height: int
    round: int
    digest: bytes
    seal: bytes

    def encode(self) -> bytes:
        """Return the RLP that is signed."""
        return encode_list(_place(self) + encode_bytes(self.digest) + encode_bytes(self.seal))


@dataclass(frozen=True, slots=True)
class PreparedClaim:
    """The last round in which a validator was prepared, and for which block."""

    round: int
    digest: bytes

    def encode(self) -> bytes:
        """Return the RLP."""
        return encode_list(encode_integer(self.round) + encode_bytes(self.digest))


@dataclass(frozen=True, slots=True)
class RoundChangePayload:
    """The validator goes to this round; `prepared` is None where it never was prepared."""

    CODE: ClassVar[int] = ROUND_CHANGE
    height: int
    round: int
    prepared: PreparedClaim | None

    def encode(self) -> bytes:
        """Return the RLP that is signed."""
        claim = EMPTY_LIST if self.prepared is None else self.prepared.encode()
        return encode_list(_place(self) + claim)


@dataclass(frozen=True, slots=True)
class ProposalPayload:
    """The block, an RLP item, that the proposer of this round proposes."""

    CODE: ClassVar[int] = PROPOSAL
    height: int
    round: int
    block: bytes

    def encode(self) -> bytes:
        """Return the RLP that is signed."""
        return encode_list(_place(self) + self.block)


@dataclass(frozen=True, slots=True)
class Prepare:
    """A signed `PreparePayload`."""

    payload: PreparePayload
    signature: bytes

    def encode(self) -> bytes:
        """Return the RLP."""
        return _signed(self.payload, self.signature)


@dataclass(frozen=True, slots=True)
class Commit:
    """A signed `CommitPayload`."""

    payload: CommitPayload
    signature: bytes

    def encode(self) -> bytes:
        """Return the RLP."""
        return _signed(self.payload, self.signature)


@dataclass(frozen=True, slots=True)
class SignedRoundChange:
    """A signed `RoundChangePayload` without its proof, as a proposal lists it."""

    payload: RoundChangePayload
    signature: bytes

    def encode(self) -> bytes:
        """Return the RLP."""
        return _signed(self.payload, self.signature)


@dataclass(frozen=True, slots=True)
class RoundChange:
    """A signed round change with the prepared block and the quorum of prepares that prove it."""

    signed: SignedRoundChange
    block: bytes | None
    prepares: tuple[Prepare, ...]

    @property
    def payload(self) -> RoundChangePayload:
        """Return what is signed."""
        return self.signed.payload

    @property
    def signature(self) -> bytes:
        """Return the signature of the payload."""
        return self.signed.signature

    def encode(self) -> bytes:
        """Return the RLP."""
        block = EMPTY_LIST if self.block is None else self.block
        return encode_list(self.signed.encode() + block + _listed(self.prepares))


@dataclass(frozen=True, slots=True)
class Proposal:
    """A signed `ProposalPayload`; after round 0 with what justifies it.

    `round_changes` are a quorum's to this round, `prepares` those that prove the highest prepared
    round among them.
    """

    payload: ProposalPayload
    signature: bytes
    round_changes: tuple[SignedRoundChange, ...]
    prepares: tuple[Prepare, ...]

    def encode(self) -> bytes:
        """Return the RLP."""
        justification = encode_list(_listed(self.round_changes) + _listed(self.prepares))
        return encode_list(_signed(self.payload, self.signature) + justification)


Message: TypeAlias = Proposal | Prepare | Commit | RoundChange


def _place(payload: Payload) -> bytes:
    return encode_integer(payload.height) + encode_integer(payload.round)


def _signed(payload: Payload, signature: bytes) -> bytes:
    return encode_list(payload.encode() + encode_bytes(signature))


def _listed(items: Sequence[Encoded]) -> bytes:
    return encode_list(b"".join(item.encode() for item in items))
