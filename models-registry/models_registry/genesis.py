"""The accounts that a genesis block holds for models and validators."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from models_registry.addresses import MODEL_REGISTRY, VALIDATOR_SET
from models_registry.artifact import load_artifact
from models_registry.registry import (
    ACTIVATION_DELAY_SLOT,
    BOND_SLOT,
    DEADLINE_SLOT,
    DEPOSIT_PER_BYTE_SLOT,
    EPOCH_BLOCKS_SLOT,
    FEE_PER_BYTE_SLOT,
    LISTINGS_SLOT,
    QUEUE_SLOT,
    RETIREMENT_DELAY_SLOT,
    ROYALTY_DELAY_SLOT,
    SEATS_SLOT,
    UNBONDING_BLOCKS_SLOT,
    VALIDATOR_SET_SLOT,
    Seat,
    array_element_slot,
    mapping_slot,
)

MAX_BLOCKS = 2**32
"""Bound on what is counted in blocks, so that no height computed from it leaves 64 bits."""

MAX_WEI_PER_BYTE = 2**64
"""Bound on both prices, so that no payment for a model leaves 128 bits."""

GWEI = 10**9
ETHER = 10**18

MAX_BOND = 2**96
"""Bound on the bond in wei, far below the 128 bits that it is kept in."""


@dataclass(frozen=True, slots=True)
class RegistryParameters:
    """What a chain chooses of its ModelRegistry: four times in blocks, two prices in wei per byte.

    From `activate` to ACTIVE, for PENDING to become activated, from `retire` to RETIRED, from
    `setRoyalty` to the new royalty; the deposit comes back in the end, the fee is burned.
    """

    activation_delay: int = 64
    deadline: int = 1_000
    retirement_delay: int = 64
    royalty_delay: int = 64
    deposit_per_byte: int = 10 * GWEI
    fee_per_byte: int = GWEI

    def with_delays(self, blocks: int) -> "RegistryParameters":
        """Return the same with all three delays of so many blocks."""
        return replace(self, activation_delay=blocks, retirement_delay=blocks, royalty_delay=blocks)

    def storage(self) -> dict[int, int]:
        """Return the slots that hold them; a 0 is never written."""
        slots = {
            ACTIVATION_DELAY_SLOT: self.activation_delay,
            DEADLINE_SLOT: self.deadline,
            RETIREMENT_DELAY_SLOT: self.retirement_delay,
            ROYALTY_DELAY_SLOT: self.royalty_delay,
            DEPOSIT_PER_BYTE_SLOT: self.deposit_per_byte,
            FEE_PER_BYTE_SLOT: self.fee_per_byte,
        }
        return {slot: value for slot, value in slots.items() if value}


@dataclass(frozen=True, slots=True)
class ValidatorParameters:
    """What a chain chooses of its ValidatorSet: wei of a bond, two times in blocks.

    The length of an epoch, and from the first height without a vote to the bond's return: 21 days
    of 2 s blocks.
    """

    bond: int = 32_000 * ETHER
    epoch_blocks: int = 100
    unbonding_blocks: int = 907_200

    def storage(self, validators: Sequence[bytes]) -> dict[int, int]:
        """Return the slots of a list whose members all vote from epoch 0 on."""
        count = len(validators)
        slots = {
            SEATS_SLOT: count,
            BOND_SLOT: self.bond,
            EPOCH_BLOCKS_SLOT: self.epoch_blocks,
            UNBONDING_BLOCKS_SLOT: self.unbonding_blocks,
            QUEUE_SLOT: count << 128 | count << 192,
        }
        for index, validator in enumerate(validators):
            slots[array_element_slot(SEATS_SLOT, index)] = Seat(validator, 0).encode()
            listing = mapping_slot(LISTINGS_SLOT, validator.rjust(32, b"\0"))
            slots[listing] = self.bond | (index + 1) << 128
        return slots


DEFAULT_VALIDATOR_SET = ValidatorParameters()


class BadGenesis(Exception):
    """The validators or the parameters of a genesis cannot start a chain."""


@dataclass(frozen=True, slots=True)
class GenesisAccount:
    """A system contract: code, storage, wei; its nonce is 1, as of any contract."""

    code: bytes
    storage: Mapping[int, int]
    balance: int = 0
    nonce: int = 1


def genesis_accounts(
    validators: Sequence[bytes],
    parameters: RegistryParameters,
    validator_set: ValidatorParameters = DEFAULT_VALIDATOR_SET,
) -> dict[bytes, GenesisAccount]:
    """Return the ModelRegistry and the ValidatorSet by address.

    `validators` are addresses in the order of turns; the set holds their bonds.
    Raises `BadGenesis`.
    """
    _validate_validators(validators)
    _validate_validator_set(validator_set)
    _validate_parameters(parameters)
    registry_storage = {
        VALIDATOR_SET_SLOT: int.from_bytes(VALIDATOR_SET, "big"),
        **parameters.storage(),
    }
    return {
        MODEL_REGISTRY: GenesisAccount(
            load_artifact("ModelRegistry").deployed_bytecode, registry_storage
        ),
        VALIDATOR_SET: GenesisAccount(
            load_artifact("ValidatorSet").deployed_bytecode,
            validator_set.storage(validators),
            balance=len(validators) * validator_set.bond,
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


def _validate_validator_set(parameters: ValidatorParameters) -> None:
    """Refuse what the set cannot count with.

    An epoch's list is fixed two blocks before it begins, so no epoch is shorter; and a bond of
    nothing could not be told from one that was taken.
    """
    if not 1 <= parameters.bond < MAX_BOND:
        raise BadGenesis(f"bond of {parameters.bond} wei; it must be 1 to {MAX_BOND - 1}")
    blocks = {
        "an epoch": (parameters.epoch_blocks, 2),
        "unbonding": (parameters.unbonding_blocks, 1),
    }
    for name, (value, least) in blocks.items():
        if not least <= value < MAX_BLOCKS:
            raise BadGenesis(f"{name} of {value} blocks; it must be {least} to {MAX_BLOCKS - 1}")


def _validate_parameters(parameters: RegistryParameters) -> None:
    """Refuse what the registry cannot count with.

    A retirement no later than an activation keeps all ACTIVE bytes within their limit: the room of
    a model is given away when it is retired, and taken a delay after that.
    """
    times = {
        "activation delay": parameters.activation_delay,
        "deadline": parameters.deadline,
        "retirement delay": parameters.retirement_delay,
        "royalty delay": parameters.royalty_delay,
    }
    for name, value in times.items():
        if not 1 <= value < MAX_BLOCKS:
            raise BadGenesis(f"model {name} of {value} blocks; it must be 1 to {MAX_BLOCKS - 1}")
    if parameters.retirement_delay > parameters.activation_delay:
        raise BadGenesis(
            f"model retirement delay of {parameters.retirement_delay} blocks; it must be at most "
            f"the activation delay of {parameters.activation_delay}"
        )
    prices = {"deposit": parameters.deposit_per_byte, "fee": parameters.fee_per_byte}
    for name, value in prices.items():
        if not 0 <= value < MAX_WEI_PER_BYTE:
            raise BadGenesis(
                f"model {name} of {value} wei a byte; it must be 0 to {MAX_WEI_PER_BYTE - 1}"
            )
