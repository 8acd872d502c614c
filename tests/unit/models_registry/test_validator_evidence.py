"""Two votes in one round: what slashes, and everything that does not."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import ClassVar

import pytest

from consensus.qbft.messages import (
    CommitPayload,
    Payload,
    PreparedClaim,
    PreparePayload,
    ProposalPayload,
    RoundChangePayload,
)
from consensus.qbft.signing import SigningDomain
from cvm.evm.keccak import keccak256
from cvm.evm.rlp_encoding import encode_bytes, encode_integer, encode_list
from models_registry.addresses import VALIDATOR_SET
from models_registry.registry import Listing, Seat
from tests.unit.models_registry.contract_host import CHAIN_ID, Reverted
from tests.unit.models_registry.validator_chain import (
    ABI,
    BLOCK_A,
    BLOCK_B,
    DOMAIN,
    GENESIS_HASH,
    PARAMETERS,
    REPORTER,
    SIGNERS,
    VALIDATORS,
    ValidatorChain,
    refused,
    signed,
)

BOND = PARAMETERS.bond
ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
GUILTY, OTHER = SIGNERS[0], SIGNERS[1]
SEAL_A, SEAL_B = b"\x01" * 65, b"\x02" * 65


def block_item(extra: bytes, body: bytes = b"\xc0\xc0\xc0") -> bytes:
    """Return a block's RLP whose header is of the usual length and holds `extra`."""
    return encode_list(encode_list(encode_bytes(b"\x11" * 500) + encode_bytes(extra)) + body)


VOTES: list[tuple[str, Payload, Payload]] = [
    ("prepares", PreparePayload(7, 1, BLOCK_A), PreparePayload(7, 1, BLOCK_B)),
    ("commits", CommitPayload(7, 1, BLOCK_A, SEAL_A), CommitPayload(7, 1, BLOCK_B, SEAL_B)),
    (
        "proposals",
        ProposalPayload(7, 1, block_item(b"a")),
        ProposalPayload(7, 1, block_item(b"b")),
    ),
    (
        "round changes",
        RoundChangePayload(7, 1, PreparedClaim(0, BLOCK_A)),
        RoundChangePayload(7, 1, PreparedClaim(0, BLOCK_B)),
    ),
    (
        "round changes, one of them unprepared",
        RoundChangePayload(7, 1, None),
        RoundChangePayload(7, 1, PreparedClaim(0, BLOCK_B)),
    ),
    (
        "prepares of the largest height and round",
        PreparePayload(2**64 - 1, 2**32 - 1, BLOCK_A),
        PreparePayload(2**64 - 1, 2**32 - 1, BLOCK_B),
    ),
    (
        "prepares of height and round 0",
        PreparePayload(0, 0, BLOCK_A),
        PreparePayload(0, 0, BLOCK_B),
    ),
]


@dataclass(frozen=True, slots=True)
class RawPayload:
    """Bytes that somebody signed as a payload of prepare."""

    CODE: ClassVar[int] = PreparePayload.CODE
    height: int
    round: int
    raw: bytes

    def encode(self) -> bytes:
        return self.raw


@pytest.mark.parametrize(
    ("first", "second"), [pytest.param(*votes, id=name) for name, *votes in VOTES]
)
def test_two_votes_in_one_round_cost_the_bond_and_the_seat(first: Payload, second: Payload) -> None:
    chain = ValidatorChain()
    answer = chain.report(first, second)
    assert chain.balance(REPORTER) == BOND // 2
    assert chain.balance(bytes(20)) == BOND // 2
    assert chain.balance(VALIDATOR_SET) == 3 * BOND
    assert chain.listing(GUILTY.address) == Listing(
        Seat(GUILTY.address, 0, 1), bond=0, is_jailed=True
    )
    slashed = [log for log in answer.logs if log[1][0] == ABI.event_topic("Slashed")]
    assert [ABI.event("Slashed", log[1], log[2])[2:] for log in slashed] == [
        (first.CODE, first.height, first.round, BOND // 2, BOND // 2)
    ]
    chain.to_epoch(1)
    assert chain.listed() == chain.read() == VALIDATORS[1:4]


@pytest.mark.parametrize(
    ("payload", "error", "values"),
    [
        pytest.param(PreparePayload(7, 1, BLOCK_A), "SameDigest", (BLOCK_A,), id="twice the same"),
        pytest.param(PreparePayload(7, 2, BLOCK_B), "NotOneRound", (7, 1, 7, 2), id="other round"),
        pytest.param(PreparePayload(8, 1, BLOCK_B), "NotOneRound", (7, 1, 8, 1), id="other height"),
    ],
)
def test_votes_that_an_honest_validator_signs_are_no_evidence(
    payload: Payload, error: str, values: tuple[object, ...]
) -> None:
    chain = ValidatorChain()
    refused(lambda: chain.report(PreparePayload(7, 1, BLOCK_A), payload), error, *values)
    assert chain.listing(GUILTY.address).bond == BOND


def test_two_commits_of_one_block_with_different_seals_are_no_evidence() -> None:
    """Seals need not be deterministic: a key in another process may draw its nonces."""
    chain = ValidatorChain()
    first, second = CommitPayload(7, 1, BLOCK_A, SEAL_A), CommitPayload(7, 1, BLOCK_A, SEAL_B)
    refused(lambda: chain.report(first, second), "SameDigest", BLOCK_A)


def test_two_proposals_of_one_header_with_different_bodies_are_no_evidence() -> None:
    chain = ValidatorChain()
    first = ProposalPayload(7, 1, block_item(b"a"))
    second = ProposalPayload(7, 1, block_item(b"a", b"\xc1\x80\xc0\xc0"))
    header = encode_list(encode_bytes(b"\x11" * 500) + encode_bytes(b"a"))
    refused(lambda: chain.report(first, second), "SameDigest", keccak256(header))


def test_a_prepare_and_a_commit_are_no_evidence() -> None:
    """A commit's code and signature belong together: read as a prepare it is too long."""
    chain = ValidatorChain()
    commit = CommitPayload(7, 1, BLOCK_B, SEAL_B)
    as_prepare = RawPayload(7, 1, commit.encode())
    first = PreparePayload(7, 1, BLOCK_A)
    signatures = signed(GUILTY, first), signed(GUILTY, commit)
    with pytest.raises(Reverted) as caught:
        chain.report(first, as_prepare, signatures=signatures)
    assert ABI.error_name(caught.value.data) == "BadVote"


def test_votes_of_two_validators_are_no_evidence() -> None:
    chain = ValidatorChain()
    first, second = PreparePayload(7, 1, BLOCK_A), PreparePayload(7, 1, BLOCK_B)
    both = signed(GUILTY, first), signed(OTHER, second)
    refused(
        lambda: chain.report(first, second, signatures=both),
        "NotOneSigner",
        GUILTY.address,
        OTHER.address,
    )


@pytest.mark.parametrize(
    "domain",
    [
        pytest.param(SigningDomain(CHAIN_ID + 1, GENESIS_HASH), id="another chain id"),
        pytest.param(SigningDomain(CHAIN_ID, b"\x9f" * 32), id="another genesis"),
    ],
)
def test_a_vote_on_another_chain_is_no_evidence(domain: SigningDomain) -> None:
    chain = ValidatorChain()
    first, second = PreparePayload(7, 1, BLOCK_A), PreparePayload(7, 1, BLOCK_B)
    abroad = signed(GUILTY, first, domain), signed(GUILTY, second, domain)
    with pytest.raises(Reverted) as caught:
        chain.report(first, second, signatures=abroad)
    # What is recovered are two addresses that nobody has.
    assert ABI.error_name(caught.value.data) == "NotOneSigner"
    mixed = signed(GUILTY, first), signed(GUILTY, second, domain)
    with pytest.raises(Reverted) as caught:
        chain.report(first, second, signatures=mixed)
    assert ABI.error_name(caught.value.data) == "NotOneSigner"


@pytest.mark.parametrize("code", [0x00, 0x11, 0x16, 0xFF])
def test_another_code_is_refused(code: int) -> None:
    chain = ValidatorChain()
    payload = PreparePayload(7, 1, BLOCK_A).encode()
    refused(
        lambda: chain.call(REPORTER, "report", code, payload, b"", payload, b""),
        "BadVoteCode",
        code,
    )


def high_s(signature: bytes) -> bytes:
    s = ORDER - int.from_bytes(signature[32:64], "big")
    return signature[:32] + s.to_bytes(32, "big") + bytes([1 - signature[64]])


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(high_s, id="the other s"),
        pytest.param(lambda good: good[:64] + bytes([good[64] + 27]), id="v of 27"),
        pytest.param(lambda good: good[:64], id="64 bytes"),
        pytest.param(lambda good: good + b"\0", id="66 bytes"),
        pytest.param(lambda _good: bytes(65), id="zeros"),
        pytest.param(lambda _good: b"", id="nothing"),
        pytest.param(lambda good: bytes(32) + good[32:], id="r of 0"),
        pytest.param(lambda good: b"\xff" * 32 + good[32:], id="r past the order"),
    ],
)
def test_another_form_of_a_signature_is_refused(damage: Callable[[bytes], bytes]) -> None:
    chain = ValidatorChain()
    first, second = PreparePayload(7, 1, BLOCK_A), PreparePayload(7, 1, BLOCK_B)
    damaged = damage(signed(GUILTY, first)), signed(GUILTY, second)
    digest = DOMAIN.digest(first.CODE, first.encode())
    refused(lambda: chain.report(first, second, signatures=damaged), "BadSignature", digest)


GOOD = PreparePayload(7, 1, BLOCK_A).encode()
DIGEST_ITEM = encode_bytes(BLOCK_A)


@pytest.mark.parametrize(
    ("raw", "error"),
    [
        pytest.param(b"", "BadRlp", id="nothing"),
        pytest.param(GOOD + b"\0", "BadVote", id="a byte after it"),
        pytest.param(GOOD[:-1], "BadRlp", id="a byte less"),
        pytest.param(b"\xf8\x23" + GOOD[1:], "BadRlp", id="a long length of a short list"),
        pytest.param(b"\xf9\x00\x23" + GOOD[1:], "BadRlp", id="a length with a zero before it"),
        pytest.param(b"\xff" + b"\xff" * 8 + GOOD[1:], "BadRlp", id="a length of 2**64 - 1"),
        pytest.param(
            encode_list(b"\x81\x07\x01" + DIGEST_ITEM), "BadRlp", id="a small number as a string"
        ),
        pytest.param(
            encode_list(b"\x82\x00\x07\x01" + DIGEST_ITEM), "BadRlp", id="a number with a zero"
        ),
        pytest.param(encode_list(b"\x00\x01" + DIGEST_ITEM), "BadRlp", id="0 as a byte"),
        pytest.param(
            encode_list(encode_integer(2**64) + b"\x01" + DIGEST_ITEM), "BadRlp", id="65 bits"
        ),
        pytest.param(encode_list(b"\xc0\x01" + DIGEST_ITEM), "BadRlp", id="a list as the height"),
        pytest.param(
            encode_list(b"\x07\x01" + encode_bytes(b"\xaa" * 31)), "BadRlp", id="31 bytes of digest"
        ),
        pytest.param(
            encode_list(b"\x07\x01" + encode_list(b"\xaa" * 32)), "BadRlp", id="a list as digest"
        ),
        pytest.param(encode_list(b"\x07\x01"), "BadRlp", id="no digest"),
        pytest.param(encode_list(b"\x07\x01" + DIGEST_ITEM * 2), "BadVote", id="two digests"),
        pytest.param(encode_bytes(GOOD), "BadVote", id="a string"),
        pytest.param(b"\xc1\xb8", "BadRlp", id="a length that is not there"),
    ],
)
def test_rlp_in_another_form_is_refused_whoever_signed_it(raw: bytes, error: str) -> None:
    chain = ValidatorChain()
    odd, good = RawPayload(7, 1, raw), PreparePayload(7, 1, BLOCK_B)
    for first, second in ((odd, good), (good, odd)):
        with pytest.raises(Reverted) as caught:
            chain.report(first, second)
        assert ABI.error_name(caught.value.data) == error
    assert chain.listing(GUILTY.address).bond == BOND


@pytest.mark.parametrize(
    "block",
    [
        pytest.param(b"\x80", id="a string as block"),
        pytest.param(b"\xc0", id="no header"),
        pytest.param(encode_list(encode_bytes(b"header")), id="a string as header"),
        pytest.param(b"\xc2\xf8\x00", id="a header longer than the block"),
    ],
)
def test_a_proposal_without_a_header_is_refused(block: bytes) -> None:
    chain = ValidatorChain()
    odd, good = ProposalPayload(7, 1, block), ProposalPayload(7, 1, block_item(b"a"))
    with pytest.raises(Reverted) as caught:
        chain.report(odd, good)
    assert ABI.error_name(caught.value.data) in {"BadVote", "BadRlp"}


def test_a_proposal_of_150_kb_is_still_evidence_within_a_transactions_gas() -> None:
    """EIP-7825 leaves 2**24 gas, of which EIP-7623 takes 40 for a byte that is not zero."""
    chain = ValidatorChain()
    body = encode_list(b"\x77" * 150_000) + b"\xc0\xc0"
    first, second = (ProposalPayload(7, 1, block_item(mark, body)) for mark in (b"a", b"b"))
    used = chain.report(first, second).gas_used
    assert used < 1_000_000
    assert used + 40 * 2 * len(first.encode()) < 2**24


def test_nobody_is_slashed_twice() -> None:
    chain = ValidatorChain()
    chain.report_two_prepares()
    refused(chain.report_two_prepares, "NothingBonded", GUILTY.address)
    assert chain.balance(REPORTER) == BOND // 2


def test_who_was_never_a_member_has_nothing_to_lose() -> None:
    chain = ValidatorChain()
    stranger = SIGNERS[7]
    refused(lambda: chain.report_two_prepares(stranger), "NothingBonded", stranger.address)


def test_who_waits_to_begin_answers_with_the_bond() -> None:
    chain = ValidatorChain()
    chain.join(VALIDATORS[4])
    chain.report_two_prepares(SIGNERS[4])
    assert chain.listing(VALIDATORS[4]) == Listing(Seat(VALIDATORS[4], 1, 2), 0, is_jailed=True)


def test_who_has_left_answers_until_the_bond_is_withdrawn() -> None:
    chain = ValidatorChain()
    for validator in VALIDATORS[:2]:
        chain.call(validator, "leave")
    chain.height = 49
    chain.report_two_prepares(GUILTY)
    assert chain.balance(REPORTER) == BOND // 2
    refused(
        lambda: chain.call(GUILTY.address, "withdraw", REPORTER), "NothingBonded", GUILTY.address
    )
    chain.height = 50
    chain.call(OTHER.address, "withdraw", OTHER.address)
    refused(lambda: chain.report_two_prepares(OTHER), "NothingBonded", OTHER.address)
    chain.join(OTHER.address)
    chain.report_two_prepares(OTHER)
    assert chain.listing(OTHER.address).is_jailed


def test_who_is_jailed_never_joins_again() -> None:
    chain = ValidatorChain()
    chain.report_two_prepares()
    refused(lambda: chain.join(GUILTY.address), "Jailed", GUILTY.address)
    chain.to_epoch(1)
    chain.call(REPORTER, "vacate", GUILTY.address)
    assert chain.listing(GUILTY.address) == Listing(None, 0, is_jailed=True)
    chain.to_epoch(1_000)
    refused(lambda: chain.join(GUILTY.address), "Jailed", GUILTY.address)


def test_only_the_place_of_who_has_gone_and_lost_the_bond_is_given_free() -> None:
    chain = ValidatorChain()

    def vacate(who: bytes) -> None:
        chain.call(REPORTER, "vacate", who)

    refused(lambda: vacate(REPORTER), "NotListed", REPORTER)
    refused(lambda: vacate(OTHER.address), "NotLeaving", OTHER.address)
    chain.report_two_prepares()
    chain.height = 9
    refused(lambda: vacate(GUILTY.address), "StillBonded", GUILTY.address, 10)
    chain.call(OTHER.address, "leave")
    chain.to_epoch(50)
    refused(lambda: vacate(OTHER.address), "NotLeaving", OTHER.address)


def test_the_last_validator_is_slashed_and_goes_when_another_comes() -> None:
    chain = ValidatorChain(validators=1)
    chain.report_two_prepares()
    assert chain.listing(GUILTY.address) == Listing(Seat(GUILTY.address, 0), 0, is_jailed=True)
    chain.join(VALIDATORS[4])
    assert [chain.read(10 * epoch) for epoch in range(3)] == [
        (GUILTY.address,),
        (GUILTY.address, VALIDATORS[4]),
        (VALIDATORS[4],),
    ]
    chain.join(VALIDATORS[5])
    assert chain.read(100) == (VALIDATORS[4], VALIDATORS[5])


def test_a_bond_of_an_odd_number_of_wei_is_paid_and_burned_to_the_wei() -> None:
    chain = ValidatorChain(parameters=replace(PARAMETERS, bond=7))
    chain.report_two_prepares()
    balances = [chain.balance(who) for who in (REPORTER, bytes(20), VALIDATOR_SET)]
    assert balances == [3, 4, 21]


def test_a_reporter_that_cannot_be_paid_undoes_its_own_report() -> None:
    chain = ValidatorChain()
    refusing = b"\xfe" * 20
    chain.place(refusing, bytes.fromhex("5f5ffd"))
    first, second = PreparePayload(7, 0, BLOCK_A), PreparePayload(7, 0, BLOCK_B)
    refused(
        lambda: chain.report(first, second, sender=refusing), "PaymentFailed", refusing, BOND // 2
    )
    assert chain.listing(GUILTY.address).bond == BOND
