"""`cvm validator`: join, leave, take the bond back, report double votes and absence."""

from typing import Annotated, Any

import typer

from models_registry.addresses import VALIDATOR_SET
from models_registry.cli.amounts import ether_text, parse_address
from models_registry.cli.contract_command import ContractCommand, contract_options, tell
from models_registry.cli.endings import faults_shown
from models_registry.cli.files import CannotRead
from models_registry.cli.http_client import RpcClient
from models_registry.cli.options import DEFAULT_RPC, AsJson, Rpc, Yes, with_options
from models_registry.cli.sending import ChainSaysNo
from node.cli.absence import AbsenceSearch, WindowAbsence, send_absence, sufficient_absence
from node.cli.validator_set import ABI, ValidatorSetClient, encode_report
from node.dev_keys import dev_key

validator = typer.Typer(no_args_is_help=True, help="Join, leave and watch the validators.")
COMMAND = contract_options(dev_key(0).to_bytes(), VALIDATOR_SET)


@validator.command()
@faults_shown()
@with_options(command=COMMAND)
def join(command: ContractCommand, yes: Yes = False) -> None:
    """Become a validator with this key, for the chain's bond; the node must be ready to vote."""
    chosen = ValidatorSetClient(command.client())
    status = chosen.node_status()
    if status != "ready":
        raise ChainSaysNo(
            f"the node at {command.rpc} says {status!r}: a validator has to hold every ACTIVE "
            "model before it joins, or the others go on without it"
        )
    parameters = chosen.parameters()
    bond = ether_text(parameters.bond)
    with command.sender() as sender:
        _require_newcomer(chosen, sender.address)
        question = (
            f"Join with {bond}? They come back {parameters.unbonding_blocks:,} blocks after you "
            "have left, and are lost if this key ever signs two votes in one round."
        )
        sender.offer("join", ABI.calldata("join"), question, yes=yes, value=parameters.bond)
    command.tell(standing_of(chosen, sender.address), sender)


@validator.command()
@faults_shown()
@with_options(command=COMMAND)
def leave(command: ContractCommand, yes: Yes = False) -> None:
    """Stop being a validator; keep the node running until the epoch that is told."""
    with command.sender() as sender:
        sender.offer("leave", ABI.calldata("leave"), "Leave the validators?", yes=yes)
    command.tell(standing_of(ValidatorSetClient(command.client()), sender.address), sender)


@validator.command()
@faults_shown()
@with_options(command=COMMAND)
def withdraw(
    command: ContractCommand,
    to: Annotated[str | None, typer.Option(help="who is paid; your own if not given")] = None,
) -> None:
    """Take the bond back, once the time of unbonding has passed."""
    with command.sender() as sender:
        receiver = sender.address if to is None else parse_address(to)
        bond = ValidatorSetClient(command.client()).membership(sender.address).bond
        sender.offer("withdraw", ABI.calldata("withdraw", receiver), None, yes=True)
    command.tell({"to": "0x" + receiver.hex(), "paidWei": bond}, sender)


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
        tell(standing_of(chosen, parse_address(account)), as_json=as_json)
        return
    parameters, height = chosen.parameters(), chosen.chain.height()
    recorded = chosen.genesis_hash()
    found = {
        "height": height,
        "epoch": height // parameters.epoch_blocks,
        "epochBlocks": parameters.epoch_blocks,
        "unbondingBlocks": parameters.unbonding_blocks,
        "bondWei": parameters.bond,
        "genesisHash": "not recorded" if recorded is None else "0x" + recorded.hex(),
        "validators": ["0x" + each.hex() for each in chosen.chain.validators()],
    }
    tell(found, as_json=as_json)


@validator.command()
@faults_shown()
@with_options(command=COMMAND)
def report(
    command: ContractCommand,
    evidence: Annotated[
        str | None, typer.Option(help="a proof in hex; what the node knows if not given")
    ] = None,
) -> None:
    """Report double votes; half of each bond is yours, the rest is burned."""
    chosen = ValidatorSetClient(command.client())
    proofs = _known_proofs(chosen) if evidence is None else [_parse_hex(evidence)]
    if not proofs:
        raise ChainSaysNo(
            f"the node at {command.rpc} knows of no double vote that could be punished still"
        )
    with command.sender() as sender:
        before = sender.chain.balance(sender.address)
        for number, proof in enumerate(proofs):
            sender.offer(f"report {number + 1}", encode_report(proof), None, yes=True)
        gained = sender.chain.balance(sender.address) - before
    command.tell({"reported": len(proofs), "gainedWei": gained}, sender)


@validator.command("report-absence")
@faults_shown()
@with_options(command=COMMAND)
def report_absence(
    command: ContractCommand,
    address: Annotated[str, typer.Argument(help="the validator's address")],
    window: Annotated[
        int | None,
        typer.Option(
            min=0,
            help="report what is provable of this window of 1,000 heights, whether it suffices or "
            "not: it adds up; the newest that suffices if not given",
        ),
    ] = None,
) -> None:
    """Show by certificates that a validator is mostly absent: it loses its seat, not its bond."""
    chosen, accused = ValidatorSetClient(command.client()), parse_address(address)
    _require_member(chosen, accused)
    search = AbsenceSearch(chosen, accused)
    if window is None:
        found = sufficient_absence(search, accused)
    else:
        found = _provable(search.in_window(window), accused)
    with command.sender() as sender:
        sender.progress.note(f"{found.absent} of {found.sealed} certificates lack the validator")
        counted = send_absence(sender, chosen, accused, found, search.max_absences)
    told = {"window": found.window, "absences": counted, "allowed": search.max_absences}
    command.tell({**told, **standing_of(chosen, accused)}, sender)


@validator.command("record-genesis")
@faults_shown()
@with_options(command=COMMAND)
def record_genesis(command: ContractCommand) -> None:
    """Let the contract keep block 0's hash, without which no double vote can be proven.

    Anybody can do it in the first 8,191 blocks; validators' nodes do it where their account has
    some wei, and who joins or reports does it on the way.
    """
    with command.sender() as sender:
        sender.offer("recordGenesisHash", ABI.calldata("recordGenesisHash"), None, yes=True)
    recorded = ValidatorSetClient(command.client()).genesis_hash() or b""
    command.tell({"genesisHash": "0x" + recorded.hex()}, sender)


def _known_proofs(chosen: ValidatorSetClient) -> list[bytes]:
    """Return one proof for each validator that still has a bond."""
    by_validator = dict(reversed(chosen.evidence()))
    return [proof for who, proof in by_validator.items() if chosen.membership(who).bond]


def _parse_hex(text: str) -> bytes:
    try:
        return bytes.fromhex(text.removeprefix("0x"))
    except ValueError:
        raise CannotRead("the evidence is not hex") from None


def _require_member(chosen: ValidatorSetClient, account: bytes) -> None:
    """Refuse an account without a seat to lose."""
    member = chosen.membership(account)
    if member.place == 0:
        raise ChainSaysNo(f"0x{account.hex()} is no validator; see `cvm validator status`")
    if member.until_epoch:
        until = member.until_epoch * chosen.parameters().epoch_blocks
        raise ChainSaysNo(f"0x{account.hex()} goes already: block {until:,} is its first without")


def _require_newcomer(chosen: ValidatorSetClient, account: bytes) -> None:
    """Refuse an account that the contract would refuse, before its balance is looked at."""
    member, epoch_blocks = chosen.membership(account), chosen.parameters().epoch_blocks
    name = f"0x{account.hex()}"
    if member.is_jailed:
        raise ChainSaysNo(f"{name} is jailed for ever: join with another key")
    if member.until_epoch:
        until = member.until_epoch * epoch_blocks
        raise ChainSaysNo(
            f"{name} leaves with block {until:,}, and may join again once its bond is taken back "
            "with `cvm validator withdraw`"
        )
    if member.place:
        first = member.from_epoch * epoch_blocks
        raise ChainSaysNo(f"{name} has joined already: it votes from block {first:,} on")


def _provable(found: WindowAbsence, account: bytes) -> WindowAbsence:
    """Refuse a window of which nothing can be shown."""
    if found.provable:
        return found
    raise ChainSaysNo(
        f"nothing to report of 0x{account.hex()} in window {found.window}: {found.absent} of "
        f"{found.sealed} certificates lack it, and the chain can check those of the last 8,191 "
        "seconds only"
    )


def standing_of(chosen: ValidatorSetClient, account: bytes) -> dict[str, Any]:
    """Return what the contract keeps of an account, with the heights that follow from it."""
    parameters, member = chosen.parameters(), chosen.membership(account)
    found: dict[str, Any] = {"validator": "0x" + account.hex(), "height": chosen.chain.height()}
    if member.place == 0:
        found["standing"] = "jailed for ever" if member.is_jailed else "not listed"
        return found
    found["bondWei"] = member.bond
    found["jailed"] = member.is_jailed
    found["fromHeight"] = member.from_epoch * parameters.epoch_blocks
    if member.until_epoch:
        until = member.until_epoch * parameters.epoch_blocks
        found["untilHeight"] = until
        found["withdrawFrom"] = until + parameters.unbonding_blocks
    return found


def add_commands(app: typer.Typer) -> None:
    """Add this file's group of commands."""
    app.add_typer(validator, name="validator")
