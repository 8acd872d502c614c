"""Watches every honest validator of a simulation and reports what must never happen.

It trusts nothing of the code under test: quorums, certificates and locks are computed here anew.
Two values of one height are already reported when both could be final, which is when the honest
commits that were signed lack no more than the byzantine ones to a quorum: the network that would
have shown it may not come up in a run.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum

from consensus.certificate import CommitCertificate, SealDomain
from consensus.qbft.evidence import Evidence, decode_evidence
from consensus.qbft.faults import BadMessage
from consensus.qbft.signing import Recover, SigningDomain
from tests.simulation.fake_blocks import FakeBlock, follows
from tests.simulation.members import Members

HEIGHTS_WATCHED = 8
"""Votes are forgotten so many heights below the lowest that all honest validators have."""

CERTIFICATES_REMEMBERED = 1 << 16

COMMIT = "commit"


class Broken(StrEnum):
    """The rules that are watched."""

    FORK = "two blocks are final at one height"
    DECIDABLE = "two blocks of one height could be final"
    DOUBLE_SIGN = "an honest validator signed two digests"
    UNSAVED = "an honest validator sent what it had not saved"
    CERTIFICATE = "a block is final with a certificate that is not valid"
    BLOCK = "an invalid block is final"
    ACCUSED = "an honest validator was accused"
    UNPROVEN = "evidence does not prove what it says"


@dataclass(frozen=True, slots=True)
class Violation:
    """One broken rule."""

    rule: Broken
    height: int
    detail: str


@dataclass(frozen=True, slots=True)
class Vote:
    """What a message binds its signer to."""

    kind: str
    height: int
    round: int
    digest: bytes


@dataclass(slots=True)
class HeightVotes:
    """What honest validators signed for one height."""

    signed: dict[tuple[int, str, int], bytes] = field(default_factory=dict)
    commits: dict[tuple[int, bytes], set[int]] = field(default_factory=dict)
    decidable: set[bytes] = field(default_factory=set)


def quorum_of(count: int) -> int:
    """Return ceil(2n / 3), written apart from the code under test."""
    return (2 * count + 2) // 3


class SafetyChecker:
    """Collects violations; a run passes where there are none."""

    def __init__(
        self,
        members: Members,
        honest: Iterable[int],
        domain: SigningDomain,
        seals: SealDomain,
        recover: Recover,
        genesis: FakeBlock,
        period_s: int,
    ) -> None:
        self.violations: list[Violation] = []
        self.accusations = 0
        self._members = members
        self._honest = sorted(honest)
        self._honest_addresses = {members.addresses[index] for index in self._honest}
        self._domain = domain
        self._seals = seals
        self._recover = recover
        self._period_s = period_s
        self._final: dict[int, FakeBlock] = {0: genesis}
        self._tips = dict.fromkeys(self._honest, 0)
        self._saved: dict[int, set[tuple[int, Vote]]] = {}
        self._votes: dict[int, HeightVotes] = {}
        self._checked: set[bytes] = set()
        self._oldest = 0

    def saved(self, index: int, vote: Vote) -> None:
        """Note a vote that an honest validator has on disk."""
        self._saved.setdefault(vote.height, set()).add((index, vote))

    def sent(self, index: int, vote: Vote) -> None:
        """Judge a vote that an honest validator lets out."""
        if (index, vote) not in self._saved.get(vote.height, ()):
            self._report(Broken.UNSAVED, vote.height, f"{index} sent {vote}")
        votes = self._votes.setdefault(vote.height, HeightVotes())
        before = votes.signed.setdefault((index, vote.kind, vote.round), vote.digest)
        if before != vote.digest:
            detail = f"{index} {vote.kind} round {vote.round}: {before.hex()}, {vote.digest.hex()}"
            self._report(Broken.DOUBLE_SIGN, vote.height, detail)
        if vote.kind == COMMIT:
            self._commit(index, vote, votes)

    def _commit(self, index: int, vote: Vote, votes: HeightVotes) -> None:
        signers = votes.commits.setdefault((vote.round, vote.digest), set())
        signers.add(index)
        validators = self._members.at(vote.height)
        byzantine = sum(address not in self._honest_addresses for address in validators)
        needed = quorum_of(len(validators))
        if vote.digest in votes.decidable or len(signers) + byzantine < needed:
            return
        votes.decidable.add(vote.digest)
        if len(votes.decidable) > 1:
            detail = f"round {vote.round}: {sorted(digest.hex() for digest in votes.decidable)}"
            self._report(Broken.DECIDABLE, vote.height, detail)

    def accused(self, evidence: Evidence) -> None:
        """Judge evidence that an honest validator reports: what the contract would say of it."""
        try:
            proven = decode_evidence(evidence.encode(), self._domain, self._recover)
        except BadMessage as error:
            self._report(Broken.UNPROVEN, evidence.height, str(error))
            return
        if proven != evidence:
            self._report(Broken.UNPROVEN, evidence.height, f"{proven} is not {evidence}")
        if evidence.signer in self._honest_addresses:
            self._report(Broken.ACCUSED, evidence.height, evidence.signer.hex())
        self.accusations += 1

    def finalised(self, index: int, block: FakeBlock, certificate: CommitCertificate) -> None:
        """Judge a block that an honest validator takes for final."""
        height = block.number
        known = self._final.setdefault(height, block)
        if known.hash != block.hash:
            self._report(Broken.FORK, height, f"{index}: {known.hash.hex()}, {block.hash.hex()}")
        parent = self._final.get(height - 1)
        if parent is None or not follows(block, parent, self._period_s):
            self._report(Broken.BLOCK, height, f"{index}: {block}")
        if block.coinbase not in self._members.at(height):
            self._report(Broken.BLOCK, height, f"{index}: coinbase {block.coinbase.hex()}")
        if not self._is_certified(block, certificate):
            self._report(Broken.CERTIFICATE, height, f"{index}: {certificate}")
        self._tips[index] = height
        self._forget_below(min(self._tips.values()) - HEIGHTS_WATCHED)

    def _is_certified(self, block: FakeBlock, certificate: CommitCertificate) -> bool:
        if certificate.hash in self._checked:
            return certificate.header_hash == block.hash
        validators = self._members.at(block.number)
        named = [who for at, who in enumerate(validators) if certificate.signers >> at & 1]
        digest = self._seals.digest(block.number, certificate.round, block.hash)
        valid = (
            (certificate.height, certificate.header_hash) == (block.number, block.hash)
            and certificate.signers < 1 << len(validators)
            and [self._recover(digest, seal) for seal in certificate.seals] == named
            and len(named) == quorum_of(len(validators))
        )
        if valid:
            self._checked.add(certificate.hash)
        return valid

    def _forget_below(self, height: int) -> None:
        """Forget what nobody can speak of again."""
        while self._oldest < height:
            self._votes.pop(self._oldest, None)
            self._saved.pop(self._oldest, None)
            self._final.pop(self._oldest, None)
            self._oldest += 1
        if len(self._checked) > CERTIFICATES_REMEMBERED:
            self._checked.clear()

    def _report(self, rule: Broken, height: int, detail: str) -> None:
        self.violations.append(Violation(rule, height, detail))
