"""What a node knows of the height that is being agreed on."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from consensus.certificate import CommitCertificate, quorum
from consensus.qbft.events import HeightContext, OwnMessage, PreparedCertificate, ProposedHeader
from consensus.qbft.messages import Commit, Message, Prepare, SignedRoundChange
from consensus.qbft.validator_order import faulty_bound, proposer
from consensus.qbft.votes import Votes


@dataclass(frozen=True, slots=True)
class KnownBlock:
    """A block whose bytes are those that its digest names, and the certificate it names."""

    header: ProposedHeader
    block: bytes
    parent_certificate: CommitCertificate | None

    @property
    def digest(self) -> bytes:
        """Return the hash of its header."""
        return self.header.hash


@dataclass(frozen=True, slots=True)
class AcceptedProposal:
    """The first sound proposal of the round; no signature where a record gave it back."""

    known: KnownBlock
    signature: bytes | None


@dataclass(frozen=True, slots=True)
class HeldRoundChange:
    """The latest round change of a signer, and the certificate that proves its claim."""

    signed: SignedRoundChange
    proof: PreparedCertificate | None

    @property
    def round(self) -> int:
        """Return the round that it goes to."""
        return self.signed.payload.round


@dataclass(frozen=True, slots=True)
class EarlyMessage:
    """A message of the next height, of a signer who is a validator of this one."""

    signer: bytes
    message: Message
    parent_certificate: CommitCertificate | None
    sender: bytes


@dataclass(frozen=True, slots=True)
class State:
    """One height. Rounds only go up, and `own` is what this validator signed in this one.

    `verdicts` has None for a block that is being checked; `building` the round changes that
    justify the block that is being built.
    """

    context: HeightContext
    round: int = 0
    proposal: AcceptedProposal | None = None
    prepares: Votes[Prepare] = field(default_factory=Votes)
    commits: Votes[Commit] = field(default_factory=Votes)
    round_changes: Mapping[bytes, HeldRoundChange] = field(
        default_factory=lambda: MappingProxyType({})
    )
    prepared: PreparedCertificate | None = None
    own: Mapping[int, OwnMessage] = field(default_factory=lambda: MappingProxyType({}))
    blocks: Mapping[bytes, KnownBlock] = field(default_factory=lambda: MappingProxyType({}))
    verdicts: Mapping[bytes, bool | None] = field(default_factory=lambda: MappingProxyType({}))
    building: tuple[SignedRoundChange, ...] | None = None
    accused: frozenset[tuple[bytes, int]] = frozenset()
    is_decided: bool = False
    early: Mapping[tuple[bytes, int], EarlyMessage] = field(
        default_factory=lambda: MappingProxyType({})
    )
    late: frozenset[bytes] = frozenset()

    @property
    def height(self) -> int:
        """Return the height that is being agreed on."""
        return self.context.height

    @property
    def quorum(self) -> int:
        """Return how many validators decide."""
        return quorum(len(self.context.validators))

    @property
    def faulty_bound(self) -> int:
        """Return how many validators may be byzantine."""
        return faulty_bound(len(self.context.validators))

    def proposer(self, round_number: int) -> bytes:
        """Return who proposes in a round."""
        return proposer(self.context, round_number)
