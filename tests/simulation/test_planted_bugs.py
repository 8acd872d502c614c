"""Bugs planted in the step function are found by the simulation: what it passes means something."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest

from consensus.qbft import beginning, justification, proposals, round_changes, voting
from consensus.qbft.events import PreparedCertificate, Send
from consensus.qbft.messages import Message
from consensus.qbft.state import State
from consensus.qbft.turn import Turn
from consensus.qbft.votes import Votes
from tests.simulation.network import LinkRules
from tests.simulation.safety import Broken
from tests.simulation.scenarios import LINKS
from tests.simulation.settings import Crashes, Settings
from tests.simulation.world import World

NO_CRASHES = Crashes()
Patch = pytest.MonkeyPatch
SEEDS = 8


def rough(lost: int) -> LinkRules:
    """Return links on which rounds often end without a decision; `lost` in per mille."""
    return LinkRules(5, 500, lost=lost, late=200, late_ms=3_000)


def against(behaviour: str, links: LinkRules) -> Settings:
    """Return one byzantine validator of four."""
    return Settings(byzantine=(1,), behaviours=(behaviour,), heights=200, links=links)


def honest(links: LinkRules, crashes: Crashes = NO_CRASHES) -> Settings:
    """Return four honest validators."""
    return Settings(heights=200, links=links, crashes=crashes)


OFTEN = Crashes(1_000, most_down_ms=3_000)
"""Validators crash so often that some forget what others still wait for."""


def small_quorum(patch: Patch) -> None:
    """Let half of the validators decide."""
    patch.setattr(State, "quorum", property(lambda state: len(state.context.validators) // 2))


def forgets_certificate(patch: Patch) -> None:
    """Drop the prepared certificate at a restart."""
    restore = beginning.restore

    def without(turn: Turn, signer: Any, records: Sequence[Any]) -> None:
        restore(turn, signer, [r for r in records if not isinstance(r, PreparedCertificate)])

    patch.setattr(beginning, "restore", without)


def forgets_votes(patch: Patch) -> None:
    """Drop all records at a restart."""
    patch.setattr(beginning, "restore", lambda turn, signer, records: None)


def never_claims(patch: Patch) -> None:
    """Never say in a round change that a block was prepared."""
    announce = round_changes.announce_round

    def bare(turn: Turn, signer: Any) -> None:
        turn.state = replace(turn.state, prepared=None)
        announce(turn, signer)

    patch.setattr(round_changes, "announce_round", bare)


def unjustified(patch: Patch) -> None:
    """Let any block be proposed in a later round."""
    patch.setattr(proposals, "validate_quorum_there", lambda turn, message: None)
    patch.setattr(proposals, "validate_justification", lambda turn, message, known: None)


def ignores_claims(patch: Patch) -> None:
    """Ignore what round changes claim, when proposing and when checking."""
    for module in (proposals, justification):
        patch.setattr(module, "highest_claim", lambda signed: None)


def unsigned_justification(patch: Patch) -> None:
    """Take a quorum of round changes without asking who signed them."""
    patch.setattr(justification, "validate_round_changes", lambda turn, number, listed: None)


def unproven_claims(patch: Patch) -> None:
    """Take the claim of a round change without its prepares."""
    patch.setattr(justification, "validate_prepares", lambda turn, claim, prepares: None)


def saves_nothing(patch: Patch) -> None:
    """Send messages without saving them."""

    def cast(turn: Turn, message: Message, parent_certificate: Any) -> None:
        turn.act(Send(message, parent_certificate))

    patch.setattr(Turn, "cast", cast)


def any_round(patch: Patch) -> None:
    """Count votes of different rounds together."""

    def matching(votes: Votes[Any], _round: int, digest: bytes) -> list[tuple[bytes, Any]]:
        return [
            (signer, vote)
            for signer, held in votes.by_signer.items()
            for vote in held[:1]
            if vote.payload.digest == digest
        ]

    patch.setattr(Votes, "matching", matching)


def any_block(patch: Patch) -> None:
    """Count votes whatever block they are for."""

    def matching(votes: Votes[Any], round_number: int, _digest: bytes) -> list[tuple[bytes, Any]]:
        return [
            (signer, vote)
            for signer, held in votes.by_signer.items()
            for vote in held
            if vote.payload.round == round_number
        ]

    patch.setattr(Votes, "matching", matching)


def unchecked(patch: Patch) -> None:
    """Prepare a block before it was checked."""
    consider = voting.consider_proposal

    def at_once(turn: Turn) -> None:
        if turn.state.proposal is not None:
            turn.remember_verdict(turn.state.proposal.known.digest, valid=True)
        consider(turn)

    patch.setattr(proposals, "consider_proposal", at_once)


def changed_vote(patch: Patch) -> None:
    """Take and prepare another proposal of the same round too."""
    patch.setattr(proposals, "refuse_known_proposals", lambda turn, message: None)
    patch.setattr(proposals, "refuse_second_proposals", lambda turn, message, known, who: None)
    accept = proposals.accept_proposal

    def again(turn: Turn, message: Any, known: Any) -> None:
        turn.state = replace(turn.state, own={})
        accept(turn, message, known)

    patch.setattr(proposals, "accept_proposal", again)


LOCKS = {Broken.DECIDABLE}
PLANTED = [
    pytest.param(small_quorum, honest(LINKS[1]), {Broken.CERTIFICATE}, id="quorum too small"),
    pytest.param(forgets_certificate, honest(rough(600), OFTEN), LOCKS, id="lock not restored"),
    pytest.param(
        forgets_votes, honest(rough(200), OFTEN), {Broken.DOUBLE_SIGN}, id="votes not restored"
    ),
    pytest.param(never_claims, honest(rough(600)), LOCKS, id="lock not claimed"),
    pytest.param(ignores_claims, honest(rough(600)), LOCKS, id="claims ignored"),
    pytest.param(unjustified, against("forge", rough(200)), LOCKS, id="justification ignored"),
    pytest.param(
        unsigned_justification, against("forge", rough(200)), LOCKS, id="signers not counted"
    ),
    pytest.param(unproven_claims, against("forge", rough(600)), LOCKS, id="claims not proven"),
    pytest.param(saves_nothing, honest(LINKS[1]), {Broken.UNSAVED}, id="votes not saved"),
    pytest.param(any_round, honest(rough(450)), {Broken.CERTIFICATE}, id="rounds mixed"),
    pytest.param(
        any_block, against("equivocate", LINKS[1]), {Broken.CERTIFICATE}, id="blocks mixed"
    ),
    pytest.param(unchecked, against("bad-blocks", LINKS[1]), {Broken.BLOCK}, id="not checked"),
    pytest.param(
        changed_vote, against("equivocate", LINKS[2]), {Broken.DOUBLE_SIGN}, id="vote changed"
    ),
]


def first_broken(settings: Settings) -> Broken | None:
    """Run seeds until one reports; return what it reports first."""
    for seed in range(SEEDS):
        world = World(settings, seed)
        world.most_violations = 1
        violations = world.run().violations
        if violations:
            return violations[0].rule
    return None


@pytest.mark.parametrize(("plant", "settings", "expected"), PLANTED)
def test_a_planted_bug_is_reported(
    plant: Callable[[Patch], None],
    settings: Settings,
    expected: set[Broken],
    monkeypatch: Patch,
) -> None:
    plant(monkeypatch)
    assert first_broken(settings) in expected


@pytest.mark.parametrize(
    "settings", [param.values[1] for param in PLANTED], ids=[str(param.id) for param in PLANTED]
)
def test_without_the_bug_nothing_is_reported(settings: Settings) -> None:
    assert World(replace(settings, heights=30), 0).run().violations == ()
