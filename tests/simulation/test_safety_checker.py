"""The checker of safety reports each broken rule, and nothing where all is well."""

from dataclasses import replace

import pytest

from consensus.certificate import CommitCertificate, SealDomain, certify
from consensus.qbft.evidence import Evidence, evidence_of
from consensus.qbft.signing import SigningDomain
from tests.simulation.byzantine import Forger
from tests.simulation.cheap_signatures import CheapSignatures, cheap_address
from tests.simulation.fake_blocks import FakeBlock, build_on, genesis_block, make_block
from tests.simulation.members import Members
from tests.simulation.safety import Broken, SafetyChecker, Vote

ADDRESSES = [cheap_address(index) for index in range(4)]
SIGNATURES = CheapSignatures(ADDRESSES)
DOMAIN, SEALS = SigningDomain(1, bytes(32)), SealDomain(1, bytes(32))
GENESIS = genesis_block()


def checker(honest: tuple[int, ...] = (0, 1, 2)) -> SafetyChecker:
    return SafetyChecker(Members(ADDRESSES), honest, DOMAIN, SEALS, SIGNATURES.recover, GENESIS, 2)


def block(salt: bytes = b"", coinbase: bytes = ADDRESSES[0]) -> FakeBlock:
    return build_on(GENESIS, GENESIS.timestamp + 2, coinbase, bytes(32), salt)


def certificate(
    of: FakeBlock, signers: tuple[int, ...] = (0, 1, 2), sealed_round: int = 0
) -> CommitCertificate:
    digest = SEALS.digest(of.number, sealed_round, of.hash)
    seals = [(index, SIGNATURES.signer(ADDRESSES[index]).sign(digest)) for index in signers]
    return certify(of.number, 0, of.hash, seals)


def rules_broken(found: SafetyChecker) -> list[Broken]:
    return [violation.rule for violation in found.violations]


def test_one_block_for_all_is_no_violation() -> None:
    found = checker()
    for index in (0, 1, 2):
        found.finalised(index, block(), certificate(block(), (0, 1, 3)))
    assert rules_broken(found) == []


def test_two_blocks_at_one_height_are_a_fork() -> None:
    found = checker()
    found.finalised(0, block(b"a"), certificate(block(b"a")))
    found.finalised(1, block(b"b"), certificate(block(b"b")))
    assert rules_broken(found) == [Broken.FORK]


@pytest.mark.parametrize(
    ("signers", "sealed_round"),
    [
        pytest.param((0, 1), 0, id="too few seals"),
        pytest.param((0, 1, 2, 3), 0, id="more than a quorum"),
        pytest.param((0, 1, 2), 1, id="seals of another round"),
        pytest.param((), 0, id="no seals"),
    ],
)
def test_a_certificate_without_a_quorum_is_reported(
    signers: tuple[int, ...], sealed_round: int
) -> None:
    found = checker()
    found.finalised(0, block(), certificate(block(), signers, sealed_round))
    assert rules_broken(found) == [Broken.CERTIFICATE]


def test_a_certificate_of_another_block_is_reported() -> None:
    found = checker()
    found.finalised(0, block(b"a"), certificate(block(b"b")))
    assert rules_broken(found) == [Broken.CERTIFICATE]


@pytest.mark.parametrize(
    "bad",
    [
        pytest.param(block(coinbase=bytes(20)), id="coinbase is no validator"),
        pytest.param(
            build_on(GENESIS, GENESIS.timestamp + 1, ADDRESSES[0], bytes(32), b""), id="too early"
        ),
        pytest.param(
            make_block(
                1, GENESIS.hash, 1_000_002, ADDRESSES[0], bytes(32), bytes(32), b"wrong root"
            ),
            id="wrong state root",
        ),
    ],
)
def test_an_invalid_final_block_is_reported(bad: FakeBlock) -> None:
    found = checker()
    found.finalised(0, bad, certificate(bad))
    assert rules_broken(found) == [Broken.BLOCK]


def send(found: SafetyChecker, index: int, vote: Vote) -> None:
    found.saved(index, vote)
    found.sent(index, vote)


def test_a_vote_that_was_not_saved_is_reported() -> None:
    found = checker()
    found.sent(0, Vote("prepare", 1, 0, b"a"))
    assert rules_broken(found) == [Broken.UNSAVED]


@pytest.mark.parametrize("kind", ["proposal", "prepare", "commit", "round change"])
def test_two_digests_of_one_kind_height_and_round_are_reported(kind: str) -> None:
    found = checker()
    send(found, 0, Vote(kind, 1, 0, b"a"))
    send(found, 0, Vote(kind, 1, 0, b"b"))
    assert rules_broken(found) == [Broken.DOUBLE_SIGN]


def test_the_same_vote_again_and_votes_of_other_places_are_no_violation() -> None:
    found = checker()
    for vote in (
        Vote("prepare", 1, 0, b"a"),
        Vote("prepare", 1, 0, b"a"),
        Vote("prepare", 1, 1, b"b"),
        Vote("prepare", 2, 0, b"c"),
        Vote("commit", 1, 0, b"d"),
    ):
        send(found, 0, vote)
    assert rules_broken(found) == []


def commits(found: SafetyChecker, digest: bytes, round_number: int, *signers: int) -> None:
    for index in signers:
        send(found, index, Vote("commit", 1, round_number, digest))


def test_two_blocks_that_could_be_final_are_reported_before_they_are() -> None:
    found = checker()
    commits(found, b"a", 0, 0, 1)
    commits(found, b"b", 1, 1, 2)
    assert rules_broken(found) == [Broken.DECIDABLE]


def test_commits_that_can_make_no_quorum_are_no_violation() -> None:
    found = checker()
    commits(found, b"a", 0, 0)
    commits(found, b"b", 1, 0, 1, 2)
    commits(found, b"b", 2, 0, 1, 2)
    assert rules_broken(found) == []


def evidence(signer: int) -> Evidence:
    """Return proof that a validator prepared two blocks."""
    forger = Forger(SIGNATURES.signer(ADDRESSES[signer]), DOMAIN, SEALS)
    first, second = (forger.prepare(1, 0, digest * 32) for digest in (b"a", b"b"))
    return evidence_of(ADDRESSES[signer], first, second)


@pytest.mark.parametrize(
    ("accusation", "expected"),
    [
        pytest.param(evidence(0), [Broken.ACCUSED], id="honest"),
        pytest.param(evidence(3), [], id="byzantine"),
        pytest.param(
            replace(evidence(3), first=evidence(3).second), [Broken.UNPROVEN], id="one block"
        ),
        pytest.param(
            replace(evidence(3), signer=ADDRESSES[1]),
            [Broken.UNPROVEN, Broken.ACCUSED],
            id="signed by another",
        ),
    ],
)
def test_evidence_is_verified_and_never_against_an_honest_validator(
    accusation: Evidence, expected: list[Broken]
) -> None:
    found = checker()
    found.accused(accusation)
    assert rules_broken(found) == expected


def test_old_heights_are_forgotten() -> None:
    found, parent = checker((0,)), GENESIS
    for _height in range(100):
        following = build_on(parent, parent.timestamp + 2, ADDRESSES[0], bytes(32), b"")
        send(found, 0, Vote("commit", following.number, 0, following.hash))
        found.finalised(0, following, certificate(following))
        parent = following
    assert rules_broken(found) == []
    assert sorted(found._votes) == sorted(found._final) == list(range(92, 101))
