"""`cvm validator`: join and leave the validators, take the bond back, report double votes."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Annotated, Any

import typer
from eth_keys.datatypes import PrivateKey

from models_registry.addresses import VALIDATOR_SET
from models_registry.cli.amounts import ether_text, parse_address
from models_registry.cli.endings import faults_shown
from models_registry.cli.files import CannotRead
from models_registry.cli.http_client import RpcClient
from models_registry.cli.options import (
    DEFAULT_RPC,
    DEFAULT_TIMEOUT_S,
    AsJson,
    Rpc,
    Timeout,
    Yes,
    key_options,
    with_options,
)
from models_registry.cli.sending import ChainSaysNo, Sender
from models_registry.cli.terminal import TerminalProgress, WallClock
from node.cli.validator_set import ABI, ValidatorSetClient, encode_report
from node.keys import dev_key

validator = typer.Typer(no_args_is_help=True, help="Join, leave and watch the validators.")
KEY = key_options(dev_key(0).to_bytes())


@validator.command()
@faults_shown()
@with_options(key=KEY)
def join(
    key: PrivateKey,
    rpc: Rpc = DEFAULT_RPC,
    timeout: Timeout = DEFAULT_TIMEOUT_S,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Become a validator with this key, for the chain's bond; the node must be ready to vote."""
    chosen = ValidatorSetClient(RpcClient(rpc))
    status = chosen.node_status()
    if status != "ready":
        raise ChainSaysNo(
            f"the node at {rpc} says {status!r}: a validator has to hold every ACTIVE model before "
            "it joins, or the others go on without it"
        )
    parameters = chosen.parameters()
    bond = ether_text(parameters.bond)
    with _sender(rpc, key, timeout) as sender:
        question = (
            f"Join with {bond}? They come back {parameters.unbonding_blocks:,} blocks after you "
            "have left, and are lost if this key ever signs two votes in one round."
        )
        sender.offer("join", ABI.calldata("join"), question, yes=yes, value=parameters.bond)
    _tell_standing(as_json, chosen, sender.address, sender)


@validator.command()
@faults_shown()
@with_options(key=KEY)
def leave(
    key: PrivateKey,
    rpc: Rpc = DEFAULT_RPC,
    timeout: Timeout = DEFAULT_TIMEOUT_S,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Stop being a validator; keep the node running until the epoch that is told."""
    chosen = ValidatorSetClient(RpcClient(rpc))
    with _sender(rpc, key, timeout) as sender:
        sender.offer("leave", ABI.calldata("leave"), "Leave the validators?", yes=yes)
    _tell_standing(as_json, chosen, sender.address, sender)


@validator.command()
@faults_shown()
@with_options(key=KEY)
def withdraw(
    key: PrivateKey,
    to: Annotated[str | None, typer.Option(help="who is paid; your own if not given")] = None,
    rpc: Rpc = DEFAULT_RPC,
    timeout: Timeout = DEFAULT_TIMEOUT_S,
    as_json: AsJson = False,
) -> None:
    """Take the bond back, once the time of unbonding has passed."""
    chosen = ValidatorSetClient(RpcClient(rpc))
    with _sender(rpc, key, timeout) as sender:
        receiver = sender.address if to is None else parse_address(to)
        bond = chosen.membership(sender.address).bond
        sender.offer("withdraw", ABI.calldata("withdraw", receiver), None, yes=True)
    _tell(as_json, sender, {"to": "0x" + receiver.hex(), "paidWei": bond})


@validator.command()
@faults_shown()
def status(
    account: Annotated[
        str | None, typer.Argument(help="an address; all validators if not given")
    ] = None,
    rpc: Rpc = DEFAULT_RPC,
    as_json: AsJson = False,
) -> None:
    """Show the validators of now, or where one account stands."""
    chosen = ValidatorSetClient(RpcClient(rpc))
    if account is not None:
        _tell_standing(as_json, chosen, parse_address(account), None)
        return
    parameters, height = chosen.parameters(), chosen.chain.height()
    recorded = chosen.genesis_hash()
    _tell(
        as_json,
        None,
        {
            "height": height,
            "epoch": height // parameters.epoch_blocks,
            "epochBlocks": parameters.epoch_blocks,
            "unbondingBlocks": parameters.unbonding_blocks,
            "bondWei": parameters.bond,
            "genesisHash": "not recorded" if recorded is None else "0x" + recorded.hex(),
            "validators": ["0x" + each.hex() for each in chosen.chain.validators()],
        },
    )


@validator.command()
@faults_shown()
@with_options(key=KEY)
def report(
    key: PrivateKey,
    evidence: Annotated[
        str | None, typer.Option(help="a proof in hex; what the node knows if not given")
    ] = None,
    rpc: Rpc = DEFAULT_RPC,
    timeout: Timeout = DEFAULT_TIMEOUT_S,
    as_json: AsJson = False,
) -> None:
    """Report double votes; half of each bond is yours, the rest is burned."""
    chosen = ValidatorSetClient(RpcClient(rpc))
    proofs = _known_proofs(chosen) if evidence is None else [_parse_hex(evidence)]
    if not proofs:
        raise ChainSaysNo(f"the node at {rpc} knows of no double vote that could be punished still")
    with _sender(rpc, key, timeout) as sender:
        before = sender.chain.balance(sender.address)
        for number, proof in enumerate(proofs):
            sender.offer(f"report {number + 1}", encode_report(proof), None, yes=True)
        gained = sender.chain.balance(sender.address) - before
    _tell(as_json, sender, {"reported": len(proofs), "gainedWei": gained})


@validator.command("record-genesis")
@faults_shown()
@with_options(key=KEY)
def record_genesis(
    key: PrivateKey,
    rpc: Rpc = DEFAULT_RPC,
    timeout: Timeout = DEFAULT_TIMEOUT_S,
    as_json: AsJson = False,
) -> None:
    """Let the contract keep block 0's hash, without which no double vote can be proven.

    Anybody can do it in the first 8,191 blocks; who joins or reports does it on the way.
    """
    chosen = ValidatorSetClient(RpcClient(rpc))
    with _sender(rpc, key, timeout) as sender:
        sender.offer("recordGenesisHash", ABI.calldata("recordGenesisHash"), None, yes=True)
    recorded = chosen.genesis_hash() or b""
    _tell(as_json, sender, {"genesisHash": "0x" + recorded.hex()})


@contextmanager
def _sender(rpc: str, key: PrivateKey, timeout_s: float) -> Iterator[Sender]:
    with TerminalProgress() as progress:
        chain = ValidatorSetClient(RpcClient(rpc)).chain
        yield Sender(chain, key, progress, WallClock(), timeout_s, VALIDATOR_SET)


def _known_proofs(chosen: ValidatorSetClient) -> list[bytes]:
    """Return one proof for each validator that still has a bond."""
    by_validator = dict(reversed(chosen.evidence()))
    return [proof for who, proof in by_validator.items() if chosen.membership(who).bond]


def _parse_hex(text: str) -> bytes:
    try:
        return bytes.fromhex(text.removeprefix("0x"))
    except ValueError:
        raise CannotRead("the evidence is not hex") from None


def _tell_standing(
    as_json: bool, chosen: ValidatorSetClient, account: bytes, sender: Sender | None
) -> None:
    """Print what the contract keeps of an account, with the heights that follow from it."""
    parameters, member = chosen.parameters(), chosen.membership(account)
    found: dict[str, Any] = {"validator": "0x" + account.hex(), "height": chosen.chain.height()}
    if member.place == 0:
        found["standing"] = "jailed for ever" if member.is_jailed else "not listed"
        _tell(as_json, sender, found)
        return
    found["bondWei"] = member.bond
    found["jailed"] = member.is_jailed
    found["fromHeight"] = member.from_epoch * parameters.epoch_blocks
    if member.until_epoch:
        until = member.until_epoch * parameters.epoch_blocks
        found["untilHeight"] = until
        found["withdrawFrom"] = until + parameters.unbonding_blocks
    _tell(as_json, sender, found)


def _tell(as_json: bool, sender: Sender | None, found: Mapping[str, Any]) -> None:
    """Print what is so now; wei are shown to people as ether."""
    if as_json:
        sent = {} if sender is None else {"transactions": sender.transactions}
        typer.echo(json.dumps({**found, **sent}))
        return
    for name, value in found.items():
        for line in value if isinstance(value, list) else [value]:
            shown = ether_text(line) if name.endswith("Wei") else line
            typer.echo(f"{name.removesuffix('Wei'):<17}{shown}")


def add_commands(app: typer.Typer) -> None:
    """Add this file's group of commands."""
    app.add_typer(validator, name="validator")
