"""Absence from certificates: what is counted, what is not, and what it leads to."""

from functools import partial

import pytest

from models_registry.addresses import VALIDATOR_SET
from models_registry.genesis import ValidatorParameters
from models_registry.registry import Listing, Seat
from tests.unit.models_registry.contract_host import Reverted
from tests.unit.models_registry.validator_chain import (
    ABI,
    PARAMETERS,
    REPORTER,
    VALIDATORS,
    ValidatorChain,
    refused,
    timestamp_of,
)

BOND = PARAMETERS.bond
ABSENT = VALIDATORS[0]
LONG = ValidatorParameters(bond=BOND, epoch_blocks=100, unbonding_blocks=500)


def at_height(height: int, validators: int = 4) -> ValidatorChain:
    chain = ValidatorChain(validators, LONG)
    chain.height = height
    return chain


def test_absence_from_501_of_1000_certificates_costs_the_seat_but_not_the_bond() -> None:
    chain = at_height(2_000)
    chain.report_absence(ABSENT, range(1_000, 1_500))
    assert chain.ask("absencesOf", ABSENT, 1) == 500
    assert chain.listing(ABSENT).seat == Seat(ABSENT, 0)
    chain.report_absence(ABSENT, [1_999])
    assert chain.listing(ABSENT) == Listing(Seat(ABSENT, 0, 21), BOND, is_jailed=False)
    assert chain.balance(VALIDATOR_SET) == 4 * BOND
    chain.height = 2_600
    chain.call(ABSENT, "withdraw", ABSENT)
    chain.join(ABSENT)
    assert chain.listing(ABSENT).seat == Seat(ABSENT, 27)


def test_501_certificates_of_four_validators_fit_a_transaction() -> None:
    """EIP-7825: 2**24 gas; EIP-7623: at least 40 for a byte of calldata that is not zero."""
    chain = at_height(2_000)
    answer = chain.report_absence(ABSENT, range(1_000, 1_501))
    calldata = 501 * (32 * 4 + 288)
    assert answer.gas_used + 16 * calldata < 2**24
    assert 40 * calldata < 2**24


def test_a_height_counts_once_and_a_window_for_itself() -> None:
    chain = at_height(2_000)
    chain.report_absence(ABSENT, [1_000, 1_000, 1_001])
    chain.report_absence(ABSENT, [1_001, 1_002])
    assert chain.ask("absencesOf", ABSENT, 1) == 3
    chain.report_absence(ABSENT, [999])
    assert [chain.ask("absencesOf", ABSENT, window) for window in (0, 1, 2)] == [1, 3, 0]
    refused(lambda: chain.report_absence(ABSENT, [1_999, 2_000]), "NotOneWindow", 1, 2_000)


def test_a_validator_that_signed_is_not_absent() -> None:
    chain = at_height(2_000)
    refused(
        lambda: chain.report_absence(ABSENT, [1_000, 1_001], (0, 1, 2)), "NotAbsent", ABSENT, 1_000
    )
    for index, validator in enumerate(VALIDATORS[:4]):
        others = [each for each in range(4) if each != index]
        chain.report_absence(validator, [1_500], others)
        assert chain.ask("absencesOf", validator, 1) == 1
        if index:
            refused(
                partial(chain.report_absence, validator, [1_501], (0, 1, 2, 3)),
                "NotAbsent",
                validator,
                1_501,
            )


def test_a_bitmap_of_several_bytes_is_read_from_its_end() -> None:
    chain = at_height(2_000, validators=10)
    refused(
        lambda: chain.report_absence(VALIDATORS[8], [1_000], (1, 8)),
        "NotAbsent",
        VALIDATORS[8],
        1_000,
    )
    refused(
        lambda: chain.report_absence(VALIDATORS[1], [1_000], (1, 8)),
        "NotAbsent",
        VALIDATORS[1],
        1_000,
    )
    chain.report_absence(VALIDATORS[0], [1_000], (1, 8))
    chain.report_absence(VALIDATORS[9], [1_000], (1, 8))
    # A bitmap whose last signer stands before the validator is shorter than its byte.
    chain.report_absence(VALIDATORS[8], [1_001], (1, 7))
    assert chain.ask("absencesOf", VALIDATORS[8], 1) == 1


def test_the_index_is_that_of_the_epoch() -> None:
    """Validator 2 stands at index 2 until validator 0 is out, then at index 1."""
    chain = ValidatorChain(parameters=LONG)
    chain.height = 1_000
    chain.call(ABSENT, "leave")
    assert chain.listing(ABSENT).seat == Seat(ABSENT, 0, 11)
    chain.height = 1_200
    moved = VALIDATORS[2]
    refused(lambda: chain.report_absence(moved, [1_099], (1, 2)), "NotAbsent", moved, 1_099)
    refused(lambda: chain.report_absence(moved, [1_100], (0, 1)), "NotAbsent", moved, 1_100)
    chain.report_absence(moved, [1_099], (0, 1, 3))
    chain.report_absence(moved, [1_100], (0, 2))
    assert chain.ask("absencesOf", moved, 1) == 2


def test_only_who_was_a_member_can_be_absent() -> None:
    chain = at_height(1_000)
    new = VALIDATORS[4]
    refused(lambda: chain.report_absence(new, [1_000]), "NotListed", new)
    chain.join(new)
    refused(lambda: chain.report_absence(new, [1_099]), "NotMemberAt", new, 1_099)
    chain.height = 1_200
    chain.report_absence(new, [1_100])
    assert chain.ask("absencesOf", new, 1) == 1


def test_who_is_leaving_is_let_go() -> None:
    chain = at_height(1_200)
    chain.call(ABSENT, "leave")
    refused(lambda: chain.report_absence(ABSENT, [1_000]), "AlreadyLeaving", ABSENT, 13)


def test_epochs_whose_list_is_forgotten_count_for_nobody() -> None:
    chain = ValidatorChain(parameters=LONG)
    chain.height = 1_000
    chain.call(ABSENT, "leave")
    chain.height = 1_600
    chain.call(ABSENT, "withdraw", ABSENT)
    who = VALIDATORS[1]
    refused(lambda: chain.report_absence(who, [1_099]), "ListGone", 10, 11)
    chain.report_absence(who, [1_100])
    assert chain.ask("absencesOf", who, 1) == 1


def test_absences_of_an_earlier_membership_are_not_those_of_the_next() -> None:
    chain = ValidatorChain(parameters=ValidatorParameters(BOND, 10, 1))
    chain.height = 1_000
    chain.report_absence(ABSENT, [900])
    chain.call(ABSENT, "leave")
    chain.height = 1_020
    chain.call(ABSENT, "withdraw", ABSENT)
    assert chain.ask("absencesOf", ABSENT, 0) == 0
    chain.join(ABSENT)
    assert chain.ask("absencesOf", ABSENT, 0) == 0


@pytest.mark.parametrize(
    ("times", "certificates"), [pytest.param(0, 0, id="none"), pytest.param(1, 2, id="a time less")]
)
def test_every_certificate_comes_with_its_time(times: int, certificates: int) -> None:
    chain = at_height(2_000)
    proofs = [chain.certify(1_000, (1, 2, 3))] * certificates
    stamps = [timestamp_of(1_000)] * times
    refused(
        lambda: chain.call(REPORTER, "reportAbsence", ABSENT, stamps, proofs),
        "NoCertificates",
        times,
        certificates,
    )


def test_a_certificate_that_no_header_named_proves_nothing() -> None:
    chain = at_height(2_000)
    proof = chain.certify(1_000, (1, 2, 3))
    forged = proof[:-1] + bytes([proof[-1] ^ 1])
    time = timestamp_of(1_000)
    calls = {
        "another seal": ([time], [forged]),
        "another time": ([time + 1], [proof]),
        "time 0": ([0], [proof]),
    }
    for stamps, proofs in calls.values():
        refused(
            partial(chain.call, REPORTER, "reportAbsence", ABSENT, stamps, proofs),
            "UnprovenCertificate",
            stamps[0],
        )


def test_a_root_that_the_ring_has_overwritten_proves_nothing() -> None:
    """EIP-4788 keeps 8,191 entries by time; the later one stands where the earlier did."""
    chain = at_height(20_000)
    old = chain.certify(1_000, (1, 2, 3))
    chain.certify(1_000 + 8_191, (1, 2, 3))
    time = timestamp_of(1_000)
    refused(
        lambda: chain.call(REPORTER, "reportAbsence", ABSENT, [time], [old]),
        "UnprovenCertificate",
        time,
    )


@pytest.mark.parametrize(
    "garbage", [b"", b"\x80", b"\xc0", b"\xff" * 40], ids=lambda raw: raw[:2].hex()
)
def test_what_is_no_certificate_is_refused(garbage: bytes) -> None:
    chain = at_height(2_000)
    with pytest.raises(Reverted) as caught:
        chain.call(REPORTER, "reportAbsence", ABSENT, [1], [garbage])
    assert ABI.error_name(caught.value.data) in {"BadRlp", "UnprovenCertificate"}
