"""Writes the genesis file of a new chain: system contracts, validators, funded accounts."""

from collections.abc import Mapping, Sequence
from typing import Any

from consensus.header_rules import INITIAL_BASE_FEE
from consensus.parameters import ChainParameters
from consensus.system_contracts import BEACON_ROOTS_CONTRACT_CODE, HISTORY_STORAGE_CONTRACT_CODE
from cvm.evm.system_calls import BEACON_ROOTS_ADDRESS, HISTORY_STORAGE_ADDRESS
from models_registry.genesis import (
    DEFAULT_VALIDATOR_SET,
    RegistryParameters,
    ValidatorParameters,
    genesis_accounts,
)

DEFAULT_REGISTRY = RegistryParameters()


def new_genesis(
    parameters: ChainParameters,
    validators: Sequence[bytes],
    balances: Mapping[bytes, int],
    timestamp: int,
    registry: RegistryParameters = DEFAULT_REGISTRY,
    validator_set: ValidatorParameters = DEFAULT_VALIDATOR_SET,
) -> dict[str, Any]:
    """Return a geth-format genesis object; balances in wei, time in seconds.

    The code of every system contract stands in it, so that the file alone decides the genesis
    hash. Raises `models_registry.genesis.BadGenesis`.
    """
    return {
        "config": {
            "chainId": parameters.chain_id,
            **dict.fromkeys(BLOCK_FORKS, 0),
            "terminalTotalDifficulty": 0,
            **dict.fromkeys(TIME_FORKS, 0),
            "cvm": {
                "period_s": parameters.period_s,
                "block_gas_limit": parameters.block_gas_limit,
                "block_inference_gas": parameters.block_inference_gas,
                "block_reward_gwei": parameters.block_reward_gwei,
            },
        },
        "timestamp": hex(timestamp),
        "extraData": "0x",
        "gasLimit": hex(parameters.block_gas_limit),
        "baseFeePerGas": hex(INITIAL_BASE_FEE),
        "difficulty": "0x0",
        "nonce": "0x0",
        "coinbase": "0x" + "00" * 20,
        "mixHash": "0x" + "00" * 32,
        "alloc": {
            **system_contracts(validators, registry, validator_set),
            **{f"0x{address.hex()}": {"balance": hex(wei)} for address, wei in balances.items()},
        },
    }


BLOCK_FORKS = (
    "homesteadBlock",
    "eip150Block",
    "eip155Block",
    "eip158Block",
    "byzantiumBlock",
    "constantinopleBlock",
    "petersburgBlock",
    "istanbulBlock",
    "berlinBlock",
    "londonBlock",
    "mergeNetsplitBlock",
)
TIME_FORKS = ("shanghaiTime", "cancunTime", "pragueTime")


def system_contracts(
    validators: Sequence[bytes], registry: RegistryParameters, validator_set: ValidatorParameters
) -> dict[str, dict[str, Any]]:
    """Return EIP-4788's and EIP-2935's contracts, the ModelRegistry and the ValidatorSet."""
    predeployed = {
        bytes(BEACON_ROOTS_ADDRESS): BEACON_ROOTS_CONTRACT_CODE,
        bytes(HISTORY_STORAGE_ADDRESS): HISTORY_STORAGE_CONTRACT_CODE,
    }
    accounts: dict[str, dict[str, Any]] = {
        f"0x{address.hex()}": {"balance": "0x0", "nonce": "0x1", "code": f"0x{code.hex()}"}
        for address, code in predeployed.items()
    }
    for address, account in genesis_accounts(validators, registry, validator_set).items():
        accounts[f"0x{address.hex()}"] = {
            "balance": hex(account.balance),
            "nonce": hex(account.nonce),
            "code": f"0x{account.code.hex()}",
            "storage": {
                f"0x{slot:064x}": f"0x{value:064x}" for slot, value in account.storage.items()
            },
        }
    return accounts
