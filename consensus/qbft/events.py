"""What happens to consensus, and what it wants done: the two sides of `step.step`.

The driver hands events in one at a time, with its clock in milliseconds since 1970, and carries
out the actions in order. `Persist` comes before the `Send` that it guards: everything persisted so
far is on disk before the next `Send` or `Decide` is carried out.
"""

from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias

from consensus.certificate import CommitCertificate
from consensus.qbft.evidence import Evidence
from consensus.qbft.messages import Message, Prepare


@dataclass(frozen=True, slots=True)
class HeightContext:
    """What is known of a height when it begins.

    `last_proposer` is the coinbase of the parent, `due_ms` the parent's time plus a period: no
    block of this height is younger.
    """

    height: int
    validators: tuple[bytes, ...]
    last_proposer: bytes
    due_ms: int


@dataclass(frozen=True, slots=True)
class ProposedHeader:
    """What consensus reads in a block. `parent_certificate_hash` is zero at height 1."""

    number: int
    hash: bytes
    timestamp_s: int
    coinbase: bytes
    parent_certificate_hash: bytes


@dataclass(frozen=True, slots=True)
class OwnMessage:
    """A message that this validator signed, with the certificate that its block names."""

    message: Message
    parent_certificate: CommitCertificate | None


@dataclass(frozen=True, slots=True)
class PreparedCertificate:
    """A quorum's prepares for a block in one round: what a round change must claim."""

    height: int
    round: int
    digest: bytes
    block: bytes
    prepares: tuple[Prepare, ...]
    parent_certificate: CommitCertificate | None


Record: TypeAlias = OwnMessage | PreparedCertificate
"""What must be on disk before anything later is sent; `records` gives the bytes."""


class TimerKind(Enum):
    """What a timer is for."""

    BUILD = "build"
    """The height is due and this validator proposes."""
    HEADER_TIME = "header time"
    """The proposed block's time is no longer too far ahead."""
    RESEND = "resend"
    """The own messages of the round go out again."""
    ROUND = "round"
    """The round took too long."""


@dataclass(frozen=True, slots=True)
class Timer:
    """Names a timer; one of a height or round that is over may fire and does nothing."""

    kind: TimerKind
    height: int
    round: int


@dataclass(frozen=True, slots=True)
class Started:
    """A height begins; `records` are all that were persisted for it, in order.

    Without one of them this validator may sign a second, different message in its round.
    """

    now_ms: int
    context: HeightContext
    records: tuple[Record, ...] = ()


@dataclass(frozen=True, slots=True)
class Received:
    """A message came from the peer `sender`, whatever the driver calls it.

    `parent_certificate` came with it: that of the parent of its block.
    """

    now_ms: int
    message: Message
    parent_certificate: CommitCertificate | None
    sender: bytes


@dataclass(frozen=True, slots=True)
class TimerFired:
    """A timer's time has come."""

    now_ms: int
    timer: Timer


@dataclass(frozen=True, slots=True)
class BlockBuilt:
    """The driver built the block that `BuildBlock` asked for; it is valid here."""

    now_ms: int
    height: int
    round: int
    block: bytes
    parent_certificate: CommitCertificate | None


@dataclass(frozen=True, slots=True)
class BlockChecked:
    """The driver's verdict on a block; `valid` is None where it cannot judge now.

    After None it is asked again when the block is proposed again.
    """

    now_ms: int
    height: int
    digest: bytes
    valid: bool | None


Event: TypeAlias = Started | Received | TimerFired | BlockBuilt | BlockChecked


@dataclass(frozen=True, slots=True)
class Persist:
    """Write a record; it is on disk before a later `Send` or `Decide` is carried out."""

    record: Record


@dataclass(frozen=True, slots=True)
class Send:
    """Send an own message to every validator."""

    message: Message
    parent_certificate: CommitCertificate | None


@dataclass(frozen=True, slots=True)
class Relay:
    """A message of `sender` is new and sound: peers that may lack it may have it."""

    message: Message
    parent_certificate: CommitCertificate | None
    sender: bytes


@dataclass(frozen=True, slots=True)
class BuildBlock:
    """Build a block of this height whose coinbase is this validator; answer `BlockBuilt`."""

    height: int
    round: int


@dataclass(frozen=True, slots=True)
class CheckBlock:
    """Check this block whole, inference and the parent's certificate included.

    Answer `BlockChecked`. The block's bytes are those that the header of `digest` names.
    """

    height: int
    round: int
    digest: bytes
    block: bytes
    parent_certificate: CommitCertificate | None


@dataclass(frozen=True, slots=True)
class SetTimer:
    """Fire this timer at a time, or at once where that is past."""

    timer: Timer
    at_ms: int


@dataclass(frozen=True, slots=True)
class Decide:
    """The block is final; `certificate` holds exactly a quorum of seals.

    A quorum decided it, so it is final also where this node found it invalid.
    """

    height: int
    block: bytes
    certificate: CommitCertificate
    parent_certificate: CommitCertificate | None


@dataclass(frozen=True, slots=True)
class Report:
    """A validator signed two things in one round."""

    evidence: Evidence


@dataclass(frozen=True, slots=True)
class Behind:
    """`sender` speaks of a height after ours: all blocks below `height` may be had from it."""

    height: int
    sender: bytes


@dataclass(frozen=True, slots=True)
class Ahead:
    """`sender` speaks of a height that is final here: send it the block of `height`."""

    height: int
    sender: bytes


@dataclass(frozen=True, slots=True)
class Refused:
    """A message changed nothing. `is_fault` tells whether an honest peer never sends such a one.

    Duplicates and late messages are no fault.
    """

    sender: bytes
    reason: str
    is_fault: bool


Action: TypeAlias = (
    Persist
    | Send
    | Relay
    | BuildBlock
    | CheckBlock
    | SetTimer
    | Decide
    | Report
    | Behind
    | Ahead
    | Refused
)
