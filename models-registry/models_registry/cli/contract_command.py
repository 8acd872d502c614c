"""A command that calls a system contract: its options, its sender, and how it tells the outcome."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import typer

from cvm.evm.private_key import PrivateKey
from models_registry.addresses import MODEL_REGISTRY
from models_registry.cli.amounts import ether_text
from models_registry.cli.chain_client import ChainClient
from models_registry.cli.http_client import RpcClient
from models_registry.cli.keys import NAME_ONE_KEY, BadKey
from models_registry.cli.options import (
    DEFAULT_RPC,
    DEFAULT_TIMEOUT_S,
    AsJson,
    Group,
    Rpc,
    Timeout,
    key_options,
    with_options,
)
from models_registry.cli.sending import Sender
from models_registry.cli.terminal import TerminalProgress, WallClock

LABEL_COLUMNS = 17
WEI = "Wei"
"""How the names of amounts end: people see ether."""


@dataclass(frozen=True, slots=True)
class ContractCommand:
    """What somebody asked of one contract: at which node, with whose key, and told how."""

    contract: bytes
    rpc: str
    key: PrivateKey | None = field(repr=False)
    timeout_s: float
    as_json: bool

    def client(self) -> RpcClient:
        """Return the node; raises `BadUrl`."""
        return RpcClient(self.rpc)

    def chain(self) -> ChainClient:
        """Return the chain of the node; raises `BadUrl`."""
        return ChainClient(self.client())

    @contextmanager
    def sender(self) -> Iterator[Sender]:
        """Give what sends transactions to the contract and waits for them; raises `BadKey`."""
        if self.key is None:
            raise BadKey(NAME_ONE_KEY)
        with TerminalProgress() as progress:
            chain = self.chain()
            yield Sender(chain, self.key, progress, WallClock(), self.timeout_s, self.contract)

    def tell(self, found: Mapping[str, Any], sender: Sender | None = None) -> None:
        """Print what is so now, and the transactions that made it so."""
        tell(found, as_json=self.as_json, sender=sender)


def contract_options(
    dev_key: bytes | None, contract: bytes = MODEL_REGISTRY, *, is_needed: bool = True
) -> Group:
    """Return the group of options of a command that calls a contract, as a `ContractCommand`."""

    @with_options(key=key_options(dev_key, is_needed=is_needed))
    def command(
        key: PrivateKey | None,
        rpc: Rpc = DEFAULT_RPC,
        timeout: Timeout = DEFAULT_TIMEOUT_S,
        as_json: AsJson = False,
    ) -> ContractCommand:
        return ContractCommand(contract, rpc, key, timeout, as_json)

    return command


def tell(found: Mapping[str, Any], *, as_json: bool, sender: Sender | None = None) -> None:
    """Print names and values as lines for people, or as JSON for programs.

    A list takes a line for each of its values.
    """
    if as_json:
        sent = {} if sender is None else {"transactions": sender.transactions}
        typer.echo(json.dumps({**found, **sent}))
        return
    for name, value in found.items():
        for each in value if isinstance(value, list) else [value]:
            typer.echo(f"{name.removesuffix(WEI):<{LABEL_COLUMNS}}{_shown(name, each)}")


def _shown(name: str, value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, int):
        return str(value)
    return ether_text(value) if name.endswith(WEI) else f"{value:,}"
