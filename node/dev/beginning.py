"""How the chain of `cvm dev` begins: its genesis, a state from a file, and the sample models."""

import json
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from shutil import rmtree

from consensus.genesis import GenesisAccount, parse_alloc
from consensus.new_genesis import DEFAULT_REGISTRY, new_genesis, system_contracts
from consensus.parameters import ChainParameters
from models_registry.addresses import VALIDATOR_SET
from models_registry.genesis import ETHER, ValidatorParameters
from node.chain import init_chain
from node.clock import now_s
from node.config import NodeConfig
from node.dev.dev_chain import AccountChange, DevChain
from node.dev.dev_database import DevDatabase
from node.dev.faults import AlreadyBegun, BadForkFile
from node.dev.fork_file import Accounts, is_json, load_accounts, take_snapshot_file
from node.dev.sample_loading import OWNER_WEI, SampleLoading
from node.dev_keys import (
    DEV_ACCOUNT_COUNT,
    DEV_BALANCE_WEI,
    dev_accounts,
    dev_model_owner,
    dev_validator,
)
from node.service import open_node
from node.storage.model_store import ModelStore

DEV_CHAIN_ID = 31_337
DEV_PERIOD_S = 1
DEV_VALIDATOR_WEI = ETHER
"""For the one transaction that a validator sends by itself (`node.genesis_record`)."""

DEV_REGISTRY = DEFAULT_REGISTRY.with_delays(1)
DEV_VALIDATOR_SET = ValidatorParameters(bond=100 * ETHER, unbonding_blocks=100)
LOADING_S = 10
"""Genesis lies so far back where models are loaded: each of their blocks takes a second."""


@dataclass(frozen=True, slots=True)
class Beginning:
    """What a new development chain has: funded accounts, a state of a file, sample models."""

    accounts: int = DEV_ACCOUNT_COUNT
    balance_wei: int = DEV_BALANCE_WEI
    fork: Path | None = None
    has_models: bool = False


def begin_chain(config: NodeConfig, wanted: Beginning) -> None:
    """Write the chain of a folder, unless there is one; raises `AlreadyBegun` or `BadForkFile`."""
    fork = wanted.fork
    from_snapshot = fork is not None and not is_json(fork)
    accounts = load_accounts(fork) if fork is not None and not from_snapshot else {}
    with closing(DevDatabase(config.chain_folder)) as database:
        if database.genesis_json() is not None:
            if fork is not None:
                raise AlreadyBegun(config.datadir)
            return
        document = dev_genesis(now_s() - LOADING_S * wanted.has_models, wanted, accounts)
        init_chain(database, json.dumps(document).encode())
        if fork is not None and from_snapshot:
            take_file(database, config, fork)
    if from_snapshot or wanted.has_models:
        prepare(config, wanted, takes_over=from_snapshot)


def take_file(database: DevDatabase, config: NodeConfig, path: Path) -> None:
    """Take the state of a snapshot; a chain that got only a part of it is no chain."""
    try:
        take_snapshot_file(database, ModelStore(config.models_folder), path)
    except BadForkFile:
        rmtree(config.chain_folder)
        raise


def prepare(config: NodeConfig, wanted: Beginning, *, takes_over: bool) -> None:
    """Make the chain what its first caller is to find."""
    with open_node(config) as node:
        chain = node.chain
        if not isinstance(chain, DevChain):
            return
        if takes_over:
            take_over(chain, wanted)
        if wanted.has_models:
            SampleLoading(chain, node.store, dev_validator(), dev_model_owner()).run()
        chain.begin_here()


def take_over(chain: DevChain, wanted: Beginning) -> None:
    """Make the development validator the only one of a chain, and fund the TEST accounts."""
    contracts = system_contracts([dev_validator().address], DEV_REGISTRY, DEV_VALIDATOR_SET)
    changes = {address: AccountChange(balance=wei) for address, wei in dev_balances(wanted).items()}
    for address, account in parse_alloc(contracts):
        if address == VALIDATOR_SET:
            changes[address] = fresh(account)
    chain.alter(changes)


def fresh(account: GenesisAccount) -> AccountChange:
    """Return what makes any account one of a genesis file."""
    return AccountChange(
        account.balance, account.nonce, account.code, dict(account.storage), is_fresh=True
    )


def dev_balances(wanted: Beginning) -> dict[bytes, int]:
    """Return what the TEST accounts have, in wei."""
    balances = {key.address: wanted.balance_wei for key in dev_accounts(wanted.accounts)}
    balances[dev_validator().address] = DEV_VALIDATOR_WEI
    if wanted.has_models:
        balances[dev_model_owner().address] = OWNER_WEI
    return balances


def dev_genesis(
    timestamp: int, wanted: Beginning = Beginning(), accounts: Accounts | None = None
) -> dict[str, object]:
    """Return the genesis object of a development chain, with accounts that a file brings."""
    document = new_genesis(
        ChainParameters(chain_id=DEV_CHAIN_ID, period_s=DEV_PERIOD_S),
        [dev_validator().address],
        dev_balances(wanted),
        timestamp,
        DEV_REGISTRY,
        DEV_VALIDATOR_SET,
    )
    brought = {address_text(address): fields for address, fields in (accounts or {}).items()}
    return {**document, "alloc": {**brought, **document["alloc"]}}


def address_text(text: str) -> str:
    """Return an address in the one form in which genesis files of ours have it."""
    return "0x" + text.lower().removeprefix("0x")
