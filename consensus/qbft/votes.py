"""The prepares or commits that arrived: at most one of a signer and round, a few rounds each."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Generic, TypeVar

from consensus.qbft.messages import Commit, Prepare

ROUNDS_KEPT = 4
"""Rounds of which a signer's votes are kept, the latest ones: nobody else's can push them out."""

Vote = TypeVar("Vote", Prepare, Commit)


@dataclass(frozen=True, slots=True)
class Votes(Generic[Vote]):
    """Votes by signer, latest round first, each signer's checked."""

    by_signer: Mapping[bytes, tuple[Vote, ...]] = field(
        default_factory=lambda: MappingProxyType({})
    )
    signers: Mapping[Vote, bytes] = field(default_factory=lambda: MappingProxyType({}))
    """Who made a vote that is held. Not by its signature: two keys can be made for one."""

    def holds(self, vote: Vote) -> bool:
        """Tell whether this very vote is held."""
        return self.signer_of(vote) is not None

    def signer_of(self, vote: Vote) -> bytes | None:
        """Return who signed this very vote where it is held."""
        return self.signers.get(vote)

    def in_round(self, signer: bytes, round_number: int) -> Vote | None:
        """Return the vote of a signer in a round."""
        held = self.by_signer.get(signer, ())
        return next((vote for vote in held if vote.payload.round == round_number), None)

    def has_room(self, signer: bytes, round_number: int) -> bool:
        """Tell whether a signer's vote of this round would be kept."""
        held = self.by_signer.get(signer, ())
        return len(held) < ROUNDS_KEPT or held[-1].payload.round < round_number

    def added(self, signer: bytes, vote: Vote) -> "Votes[Vote]":
        """Return these votes and one of a round in which the signer has none."""
        held = list(self.by_signer.get(signer, ()))
        held.append(vote)
        held.sort(key=round_of, reverse=True)
        signers = {**self.signers, vote: signer}
        for dropped in held[ROUNDS_KEPT:]:
            del signers[dropped]
        return Votes({**self.by_signer, signer: tuple(held[:ROUNDS_KEPT])}, signers)

    def matching(self, round_number: int, digest: bytes) -> list[tuple[bytes, Vote]]:
        """Return the votes for a block in a round, each with its signer."""
        return [
            (signer, vote)
            for signer, held in self.by_signer.items()
            for vote in held
            if vote.payload.round == round_number and vote.payload.digest == digest
        ]

    def rounds_of(self, digest: bytes) -> list[int]:
        """Return the rounds in which anybody voted for a block, in ascending order."""
        rounds = {
            vote.payload.round
            for held in self.by_signer.values()
            for vote in held
            if vote.payload.digest == digest
        }
        return sorted(rounds)


def round_of(vote: Prepare | Commit) -> int:
    """Return the round of a vote."""
    return vote.payload.round
