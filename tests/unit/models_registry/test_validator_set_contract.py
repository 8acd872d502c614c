"""Joining, leaving and withdrawing: epochs, quota, and what each call refuses."""

import pytest

from models_registry.addresses import VALIDATOR_SET
from models_registry.registry import (
    Listing,
    Seat,
    read_bond,
    read_genesis_hash,
    read_seats,
    read_validators,
)
from tests.unit.models_registry.contract_host import ContractHost
from tests.unit.models_registry.validator_chain import (
    GENESIS_HASH,
    PARAMETERS,
    REPORTER,
    VALIDATORS,
    ValidatorChain,
    refused,
)

BOND = PARAMETERS.bond
NEW, NEWER = VALIDATORS[4:6]


def test_genesis_members_vote_from_epoch_0_on_and_their_bonds_are_there() -> None:
    chain = ValidatorChain()
    assert chain.listed() == chain.read() == VALIDATORS[:4]
    assert chain.balance(VALIDATOR_SET) == 4 * BOND
    assert read_bond(chain.storage) == BOND
    assert chain.listing(VALIDATORS[1]) == Listing(Seat(VALIDATORS[1], 0), BOND, is_jailed=False)
    assert chain.ask("memberOf", VALIDATORS[1]) == (BOND, 2, 0, 0, False)


@pytest.mark.parametrize(
    ("height", "epoch"),
    [
        pytest.param(1, 1, id="in the first block"),
        pytest.param(8, 1, id="in the last block but one"),
        pytest.param(9, 2, id="in the last block"),
        pytest.param(10, 2, id="in the first block of the next"),
    ],
)
def test_who_joins_votes_from_the_next_epoch_that_is_not_fixed_yet(height: int, epoch: int) -> None:
    chain = ValidatorChain()
    chain.height = height
    chain.join(NEW)
    assert chain.listing(NEW).seat == Seat(NEW, epoch)
    first = epoch * PARAMETERS.epoch_blocks
    assert chain.read(first - 1) == VALIDATORS[:4]
    assert chain.read(first) == VALIDATORS[:5]
    chain.height = first - 1
    assert chain.listed() == VALIDATORS[:4]
    assert chain.ask("isValidator", NEW) is False
    chain.height = first
    assert chain.listed() == VALIDATORS[:5]
    assert chain.ask("isValidator", NEW) is True


def test_a_set_of_four_changes_by_one_an_epoch_in_order_of_the_calls() -> None:
    chain = ValidatorChain()
    chain.join(NEW)
    chain.call(VALIDATORS[0], "leave")
    chain.join(NEWER)
    chain.call(VALIDATORS[1], "leave")
    first, second, third, fourth = VALIDATORS[:4]
    assert [chain.read(10 * epoch) for epoch in range(6)] == [
        (first, second, third, fourth),
        (first, second, third, fourth, NEW),
        (second, third, fourth, NEW),
        (second, third, fourth, NEW, NEWER),
        (third, fourth, NEW, NEWER),
        (third, fourth, NEW, NEWER),
    ]
    assert [chain.listed("validatorsOf", epoch) for epoch in range(6)] == [
        chain.read(10 * epoch) for epoch in range(6)
    ]


def test_a_set_of_seven_changes_by_two() -> None:
    chain = ValidatorChain(validators=7)
    for leaving in VALIDATORS[:3]:
        chain.call(leaving, "leave")
    epochs = [chain.listing(leaving).seat for leaving in VALIDATORS[:3]]
    assert epochs == [
        Seat(leaving, 0, until) for leaving, until in zip(VALIDATORS, (1, 1, 2), strict=False)
    ]


@pytest.mark.parametrize("value", [BOND - 1, BOND + 1, 0])
def test_another_bond_is_refused(value: int) -> None:
    chain = ValidatorChain()
    refused(lambda: chain.call(NEW, "join", value=value), "WrongBond", value, BOND)


def test_nobody_is_listed_twice() -> None:
    chain = ValidatorChain()
    refused(lambda: chain.join(VALIDATORS[0]), "AlreadyListed", VALIDATORS[0])
    chain.join(NEW)
    refused(lambda: chain.join(NEW), "AlreadyListed", NEW)


def test_leaving_is_for_members_and_once() -> None:
    chain = ValidatorChain()
    refused(lambda: chain.call(NEW, "leave"), "NotListed", NEW)
    chain.call(VALIDATORS[0], "leave")
    refused(lambda: chain.call(VALIDATORS[0], "leave"), "AlreadyLeaving", VALIDATORS[0], 1)


def test_who_has_not_begun_yet_votes_for_an_epoch_before_going() -> None:
    chain = ValidatorChain()
    chain.join(NEW)
    chain.call(NEW, "leave")
    assert chain.listing(NEW).seat == Seat(NEW, 1, 2)


def test_the_last_validator_cannot_leave() -> None:
    chain = ValidatorChain(validators=2)
    chain.call(VALIDATORS[0], "leave")
    refused(lambda: chain.call(VALIDATORS[1], "leave"), "LastValidator", VALIDATORS[1])
    chain.join(NEW)
    chain.call(VALIDATORS[1], "leave")
    assert [chain.read(10 * epoch) for epoch in range(1, 4)] == [
        (VALIDATORS[1],),
        (VALIDATORS[1], NEW),
        (NEW,),
    ]


def test_the_bond_comes_back_after_the_time_of_unbonding() -> None:
    chain = ValidatorChain()
    refused(lambda: chain.call(VALIDATORS[0], "withdraw", REPORTER), "NotLeaving", VALIDATORS[0])
    chain.call(VALIDATORS[0], "leave")
    chain.height = 39

    def withdraw() -> None:
        chain.call(VALIDATORS[0], "withdraw", REPORTER)

    refused(withdraw, "StillBonded", VALIDATORS[0], 40)
    chain.height = 40
    withdraw()
    assert chain.balance(REPORTER) == BOND
    assert chain.balance(VALIDATOR_SET) == 3 * BOND
    assert chain.listing(VALIDATORS[0]) == Listing(None, 0, is_jailed=False)
    refused(withdraw, "NotListed", VALIDATORS[0])


def test_a_free_place_is_taken_by_who_joins_next_and_the_others_keep_their_order() -> None:
    chain = ValidatorChain()
    chain.call(VALIDATORS[1], "leave")
    chain.height = 60
    chain.call(VALIDATORS[1], "withdraw", REPORTER)
    assert chain.read() == (VALIDATORS[0], *VALIDATORS[2:4])
    chain.join(NEW)
    chain.join(NEWER)
    chain.height = 100
    assert chain.read() == chain.listed() == (VALIDATORS[0], NEW, *VALIDATORS[2:4], NEWER)
    assert [seat.from_epoch for seat in read_seats(chain.storage)] == [0, 7, 0, 0, 8]


def test_a_last_place_that_is_given_free_shortens_the_list() -> None:
    chain = ValidatorChain()
    chain.call(VALIDATORS[3], "leave")
    chain.height = 60
    chain.call(VALIDATORS[3], "withdraw", REPORTER)
    assert chain.storage(VALIDATOR_SET, 0) == 3
    assert chain.read() == chain.listed() == VALIDATORS[:3]


def test_epochs_before_a_place_was_given_free_are_forgotten() -> None:
    chain = ValidatorChain()
    chain.call(VALIDATORS[1], "leave")
    chain.height = 60
    chain.call(VALIDATORS[1], "withdraw", REPORTER)
    refused(lambda: chain.listed("validatorsOf", 0), "ListGone", 0, 1)
    assert chain.listed("validatorsOf", 1) == (VALIDATORS[0], *VALIDATORS[2:4])


def test_views_of_one_validator() -> None:
    chain = ValidatorChain()
    assert chain.ask("validatorCount") == 4
    assert chain.ask("validatorAt", 2) == "0x" + VALIDATORS[2].hex()
    refused(lambda: chain.ask("validatorAt", 4), "NoValidatorAt", 4, 4)
    chain.height = 31
    assert chain.ask("currentEpoch") == 3


def test_the_genesis_hash_is_kept_by_anyone_and_by_joining() -> None:
    chain = ValidatorChain()
    assert read_genesis_hash(chain.storage) is None
    chain.call(REPORTER, "recordGenesisHash")
    assert read_genesis_hash(chain.storage) == GENESIS_HASH
    joined = ValidatorChain()
    joined.join(NEW)
    assert read_genesis_hash(joined.storage) == GENESIS_HASH


def test_the_genesis_hash_can_be_kept_for_8191_blocks_and_then_stays() -> None:
    chain = ValidatorChain()
    chain.height = 8_192
    refused(lambda: chain.call(REPORTER, "recordGenesisHash"), "GenesisHashGone", 8_192, 8_191)
    refused(chain.report_two_prepares, "GenesisHashUnknown")
    chain.join(NEW)
    assert read_genesis_hash(chain.storage) is None
    chain.height = 8_191
    chain.call(REPORTER, "recordGenesisHash")
    chain.height = 9_000
    chain.call(REPORTER, "recordGenesisHash")
    assert read_genesis_hash(chain.storage) == GENESIS_HASH


def test_a_state_without_the_contract_has_no_validators() -> None:
    assert read_validators(ContractHost().storage, 5) == ()
