"""The accounts that a genesis block holds for models and validators."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from models_registry.addresses import MODEL_REGISTRY, VALIDATOR_SET
from models_registry.artifact import load_artifact
from models_registry.registry import (
    ACTIVATION_DELAY_SLOT,
    DEADLINE_SLOT,
    VALIDATOR_SET_SLOT,
    VALIDATORS_SLOT,
    array_element_slot,
)

MAX_BLOCKS = 2**32
"""Bound on both parameters, so that no height computed from them leaves 64 bits."""


class BadGenesis(Exception):
    """The validators or the parameters of a genesis cannot start a chain."""


@dataclass(frozen=True, slots=True)
class GenesisAccount:
    """A system contract: runtime code and storage; its nonce is 1, as of any contract."""

    code: bytes
    storage: Mapping[int, int]
    nonce: int = 1


def genesis_accounts(
    validators: Sequence[bytes], activation_delay: int, deadline: int
) -> dict[bytes, GenesisAccount]:
    """Return the ModelRegistry and the ValidatorSet by address.

    `validators` are addresses in the order of turns; `activation_delay` and `deadline` are in
    blocks. Raises `BadGenesis`.
    """
    _validate_validators(validators)
    for name, value in (("activation delay", activation_delay), ("deadline", deadline)):
        if not 1 <= value < MAX_BLOCKS:
            raise BadGenesis(f"model {name} of {value} blocks; it must be 1 to {MAX_BLOCKS - 1}")
    registry_storage = {
        VALIDATOR_SET_SLOT: int.from_bytes(VALIDATOR_SET, "big"),
        ACTIVATION_DELAY_SLOT: activation_delay,
        DEADLINE_SLOT: deadline,
    }
    validator_storage = {VALIDATORS_SLOT: len(validators)} | {
        array_element_slot(VALIDATORS_SLOT, index): int.from_bytes(validator, "big")
        for index, validator in enumerate(validators)
    }
    return {
        MODEL_REGISTRY: GenesisAccount(
            load_artifact("ModelRegistry").deployed_bytecode, registry_storage
        ),
        VALIDATOR_SET: GenesisAccount(
            load_artifact("ValidatorSet").deployed_bytecode, validator_storage
        ),
    }


def _validate_validators(validators: Sequence[bytes]) -> None:
    """Refuse no validators, a duplicate, and what is no address."""
    if not validators:
        raise BadGenesis("no validators; a chain needs at least one")
    seen: dict[bytes, int] = {}
    for index, validator in enumerate(validators):
        if len(validator) != 20 or not any(validator):
            raise BadGenesis(f"validator {index} is 0x{validator.hex()}, not a 20-byte address")
        if validator in seen:
            raise BadGenesis(
                f"validators {seen[validator]} and {index} are both 0x{validator.hex()}"
            )
        seen[validator] = index
