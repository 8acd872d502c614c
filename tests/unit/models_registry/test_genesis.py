"""The system contracts of a genesis block."""

import pytest

from models_registry.addresses import MODEL_REGISTRY, VALIDATOR_SET
from models_registry.artifact import load_artifact
from models_registry.genesis import (
    BadGenesis,
    RegistryParameters,
    ValidatorParameters,
    genesis_accounts,
)
from models_registry.registry import mapping_slot

FIRST = bytes.fromhex("01" * 20)
SECOND = bytes.fromhex("02" * 20)
# keccak256 of the word 0: where the elements of a dynamic array in slot 0 begin.
ARRAY = 0x290DECD9548B62A8D60345A988386FC84BA6BC95484008F6362F93160EF3E563


def test_both_contracts_stand_at_their_addresses_with_parameters_in_storage() -> None:
    accounts = genesis_accounts(
        [FIRST, SECOND], RegistryParameters(64, 1000, 63, 10, 11, 12), ValidatorParameters(5, 7, 30)
    )
    assert sorted(accounts) == [
        bytes.fromhex("0000000000000000000000000000000000000c10"),
        bytes.fromhex("0000000000000000000000000000000000000c11"),
    ]
    registry, validators = accounts[MODEL_REGISTRY], accounts[VALIDATOR_SET]
    assert registry.code == load_artifact("ModelRegistry").deployed_bytecode
    assert registry.storage == {0: 0xC11, 1: 64, 2: 1000, 3: 63, 4: 10, 5: 11, 6: 12}
    assert validators.code == load_artifact("ValidatorSet").deployed_bytecode
    assert validators.storage == {
        0: 2,
        1: 5,
        2: 7,
        3: 30,
        5: 2 << 128 | 2 << 192,
        mapping_slot(9, FIRST.rjust(32, b"\0")): 5 | 1 << 128,
        mapping_slot(9, SECOND.rjust(32, b"\0")): 5 | 2 << 128,
        ARRAY: int.from_bytes(FIRST, "big"),
        ARRAY + 1: int.from_bytes(SECOND, "big"),
    }
    assert (registry.nonce, validators.nonce) == (1, 1)
    assert (registry.balance, validators.balance) == (0, 10)


def test_an_operator_chooses_nothing_and_gets_these() -> None:
    assert RegistryParameters() == RegistryParameters(64, 1_000, 64, 64, 10**10, 10**9)
    assert ValidatorParameters() == ValidatorParameters(32_000 * 10**18, 100, 907_200)
    assert RegistryParameters().with_delays(1) == RegistryParameters(1, 1_000, 1, 1, 10**10, 10**9)


def test_a_price_of_nothing_is_not_written() -> None:
    free = RegistryParameters(deposit_per_byte=0, fee_per_byte=0)
    storage = genesis_accounts([FIRST], free)[MODEL_REGISTRY].storage
    assert sorted(storage) == [0, 1, 2, 3, 4]


@pytest.mark.parametrize(
    ("validators", "parameters", "reason"),
    [
        pytest.param([], {}, "no validators", id="none"),
        pytest.param([FIRST, FIRST], {}, "validators 0 and 1 are both", id="twice"),
        pytest.param([b"\x01"], {}, "validator 0 is 0x01, not a 20-byte", id="no address"),
        pytest.param([bytes(20)], {}, "not a 20-byte address", id="zero address"),
        pytest.param(
            [FIRST], {"activation_delay": 0}, "activation delay of 0 blocks", id="no delay"
        ),
        pytest.param(
            [FIRST], {"deadline": 2**32}, "deadline of 4294967296 blocks", id="late deadline"
        ),
        pytest.param(
            [FIRST], {"royalty_delay": 0}, "royalty delay of 0 blocks", id="royalty at once"
        ),
        pytest.param(
            [FIRST],
            {"activation_delay": 5, "retirement_delay": 6},
            "retirement delay of 6 blocks; it must be at most the activation delay of 5",
            id="retirement after activation",
        ),
        pytest.param(
            [FIRST],
            {"deposit_per_byte": 2**64},
            "deposit of 18446744073709551616 wei",
            id="deposit",
        ),
        pytest.param([FIRST], {"fee_per_byte": -1}, "fee of -1 wei a byte", id="fee"),
    ],
)
def test_what_cannot_start_a_chain_is_refused(
    validators: list[bytes], parameters: dict[str, int], reason: str
) -> None:
    with pytest.raises(BadGenesis, match=reason):
        genesis_accounts(validators, RegistryParameters(**parameters))


@pytest.mark.parametrize(
    ("parameters", "reason"),
    [
        pytest.param({"bond": 0}, "bond of 0 wei", id="no bond"),
        pytest.param({"bond": 2**96}, f"bond of {2**96} wei", id="bond"),
        pytest.param({"epoch_blocks": 1}, "an epoch of 1 blocks; it must be 2", id="short epoch"),
        pytest.param({"epoch_blocks": 2**32}, "an epoch of 4294967296", id="long epoch"),
        pytest.param({"unbonding_blocks": 0}, "unbonding of 0 blocks", id="no unbonding"),
    ],
)
def test_a_validator_set_that_cannot_count_is_refused(
    parameters: dict[str, int], reason: str
) -> None:
    with pytest.raises(BadGenesis, match=reason):
        genesis_accounts([FIRST], RegistryParameters(), ValidatorParameters(**parameters))
