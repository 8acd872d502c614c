"""The system contracts of a genesis block."""

import pytest

from models_registry.addresses import MODEL_REGISTRY, VALIDATOR_SET
from models_registry.artifact import load_artifact
from models_registry.genesis import BadGenesis, genesis_accounts

FIRST = bytes.fromhex("01" * 20)
SECOND = bytes.fromhex("02" * 20)
# keccak256 of the word 0: where the elements of a dynamic array in slot 0 begin.
ARRAY = 0x290DECD9548B62A8D60345A988386FC84BA6BC95484008F6362F93160EF3E563


def test_both_contracts_stand_at_their_addresses_with_parameters_in_storage() -> None:
    accounts = genesis_accounts([FIRST, SECOND], activation_delay=64, deadline=1000)
    assert sorted(accounts) == [
        bytes.fromhex("0000000000000000000000000000000000000c10"),
        bytes.fromhex("0000000000000000000000000000000000000c11"),
    ]
    registry, validators = accounts[MODEL_REGISTRY], accounts[VALIDATOR_SET]
    assert registry.code == load_artifact("ModelRegistry").deployed_bytecode
    assert registry.storage == {0: 0xC11, 1: 64, 2: 1000}
    assert validators.code == load_artifact("ValidatorSet").deployed_bytecode
    assert validators.storage == {
        0: 2,
        ARRAY: int.from_bytes(FIRST, "big"),
        ARRAY + 1: int.from_bytes(SECOND, "big"),
    }
    assert (registry.nonce, validators.nonce) == (1, 1)


@pytest.mark.parametrize(
    ("validators", "delay", "deadline", "reason"),
    [
        pytest.param([], 1, 1, "no validators", id="none"),
        pytest.param([FIRST, FIRST], 1, 1, "validators 0 and 1 are both", id="twice"),
        pytest.param([b"\x01"], 1, 1, "validator 0 is 0x01, not a 20-byte", id="no address"),
        pytest.param([bytes(20)], 1, 1, "not a 20-byte address", id="zero address"),
        pytest.param([FIRST], 0, 1, "activation delay of 0 blocks", id="no delay"),
        pytest.param([FIRST], 1, 2**32, "deadline of 4294967296 blocks", id="late deadline"),
    ],
)
def test_what_cannot_start_a_chain_is_refused(
    validators: list[bytes], delay: int, deadline: int, reason: str
) -> None:
    with pytest.raises(BadGenesis, match=reason):
        genesis_accounts(validators, delay, deadline)
