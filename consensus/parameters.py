"""The chain parameters of a genesis file: PROTOCOL's numbers with their defaults."""

from dataclasses import dataclass, fields
from typing import Any

from consensus.faults import InvalidGenesis
from cvm.evm.machine_limits import MAX_GAS_LIMIT

MIN_GAS_LIMIT = 5_000  # Yellow Paper (47)


@dataclass(frozen=True, slots=True)
class ChainParameters:
    """`config.cvm` of the genesis file; what is left out has PROTOCOL's default.

    `period_s` is in seconds, gas in gas, the reward in gwei. The delays of the registry and of the
    validator set lie in their own storage.
    """

    chain_id: int
    period_s: int = 2
    block_gas_limit: int = 1 << 25
    block_inference_gas: int = 1 << 24
    block_reward_gwei: int = 0


BOUNDS = {
    "chain_id": (1, 2**63 - 37),  # EIP-2294: signatures of other clients hold 2 * id + 36
    "period_s": (1, 2**31),  # EVM clients demand a later time in every block
    "block_gas_limit": (MIN_GAS_LIMIT, MAX_GAS_LIMIT),
    "block_inference_gas": (0, MAX_GAS_LIMIT),
    "block_reward_gwei": (0, 10**18),  # 10**9 ether
}


def parse_parameters(config: Any) -> ChainParameters:
    """Parse the `config` object of a genesis file; raises `InvalidGenesis`."""
    if not isinstance(config, dict) or "chainId" not in config:
        raise InvalidGenesis("genesis needs config.chainId")
    known = {field.name for field in fields(ChainParameters)} - {"chain_id"}
    given = config.get("cvm", {})
    if not isinstance(given, dict):
        raise InvalidGenesis(f"config.cvm must be an object, not {given!r}")
    unknown = sorted(set(given) - known)
    if unknown:
        raise InvalidGenesis(f"config.cvm has unknown fields: {', '.join(unknown)}")
    values = {"chain_id": config["chainId"], **given}
    for name, value in values.items():
        least, most = BOUNDS[name]
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            raise InvalidGenesis(
                f"config: {name} must be a whole number from {least} to {most}, "
                f"not {str(value)[:80]!r}"
            )
    return ChainParameters(**values)
