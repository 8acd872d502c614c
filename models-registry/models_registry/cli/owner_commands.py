"""`cvm model transfer`, `royalty`, `retire`, `withdraw` and `expire`: looking after a model."""

from typing import Annotated, Any

import typer

from models_registry.cli.amounts import ether_text, parse_address
from models_registry.cli.chain_client import ChainClient, RegisteredModel
from models_registry.cli.contract_command import ContractCommand, contract_options
from models_registry.cli.endings import faults_shown
from models_registry.cli.files import CannotRead
from models_registry.cli.model_name import named_model
from models_registry.cli.options import ModelName, Yes, with_options
from models_registry.cli.rules import ModelRules
from models_registry.cli.sending import ChainSaysNo, Sender
from models_registry.registry import RegistryStatus
from models_registry.registry_calls import (
    encode_expire,
    encode_retire,
    encode_set_resale_royalty,
    encode_set_royalty,
    encode_transfer,
    encode_withdraw,
)

MAX_RESALE_BASIS_POINTS = 1_000


def add_transfer(app: typer.Typer, rules: ModelRules) -> None:
    """Add `transfer`."""

    @app.command()
    @faults_shown()
    @with_options(command=contract_options(rules.dev_key))
    def transfer(
        model: ModelName,
        to: Annotated[str, typer.Argument(help="the new owner's address")],
        command: ContractCommand,
        yes: Yes = False,
    ) -> None:
        """Give a model's token, and the royalties from now on, to another account."""
        identity, receiver = named_model(model, rules).identity, parse_address(to)
        with command.sender() as sender:
            _require_owner(sender, identity)
            question = f"Give model 0x{identity.hex()} to 0x{receiver.hex()}, for good?"
            call = encode_transfer(sender.address, receiver, identity)
            sender.offer("transfer", call, question, yes=yes)
            owner = sender.chain.model(identity).owner
        command.tell({"modelId": _hex(identity), "owner": _hex(owner)}, sender)


def add_royalty(app: typer.Typer, rules: ModelRules) -> None:
    """Add `royalty`."""

    @app.command()
    @faults_shown()
    @with_options(command=contract_options(rules.dev_key, is_needed=False))
    def royalty(
        model: ModelName,
        command: ContractCommand,
        gas: Annotated[
            int | None, typer.Argument(min=0, help="the new royalty of an item, in gas")
        ] = None,
        resale: Annotated[
            int | None,
            typer.Option(
                min=0,
                max=MAX_RESALE_BASIS_POINTS,
                help="hundredths of a per cent of the token's price at a resale (ERC-2981)",
            ),
        ] = None,
        resale_to: Annotated[
            str | None, typer.Option(help="who should get that; you if not given")
        ] = None,
    ) -> None:
        """Show what an item pays the owner, or set it, with the height from which it holds."""
        identity = named_model(model, rules).identity
        if gas is None and resale is None:
            _tell_royalty(command, command.chain(), identity)
            return
        with command.sender() as sender:
            _require_owner(sender, identity)
            if gas is not None:
                sender.offer("setRoyalty", encode_set_royalty(identity, gas), None, yes=True)
            if resale is not None:
                receiver = sender.address if resale_to is None else parse_address(resale_to)
                call = encode_set_resale_royalty(identity, receiver, resale)
                sender.offer("setResaleRoyalty", call, None, yes=True)
        _tell_royalty(command, sender.chain, identity, sender)


def add_retire(app: typer.Typer, rules: ModelRules) -> None:
    """Add `retire`."""

    @app.command()
    @faults_shown()
    @with_options(command=contract_options(rules.dev_key))
    def retire(
        model: ModelName,
        command: ContractCommand,
        yes: Yes = False,
    ) -> None:
        """End a model's life; its deposit goes to your refunds."""
        identity = named_model(model, rules).identity
        with command.sender() as sender:
            chain = sender.chain
            deposit = _require_owner(sender, identity).deposit
            delay = chain.retirement_delay()
            question = (
                f"From {_blocks(delay)} later on nobody can call model 0x{identity.hex()}, and "
                f"contracts that do will fail. Its deposit of {ether_text(deposit)} goes to your "
                "refunds (`cvm model withdraw`). Retire it?"
            )
            sender.offer("retire", encode_retire(identity), question, yes=yes)
            height = chain.model(identity).retirement_height
            refund = chain.refund(sender.address)
        found = {"modelId": _hex(identity), "retirementHeight": height, "refundWei": refund}
        command.tell(found, sender)


def add_withdraw(app: typer.Typer, rules: ModelRules) -> None:
    """Add `withdraw`."""

    @app.command()
    @faults_shown()
    @with_options(command=contract_options(rules.dev_key))
    def withdraw(
        command: ContractCommand,
        to: Annotated[
            str | None, typer.Option(help="the account that is paid; your own if not given")
        ] = None,
    ) -> None:
        """Be paid the deposits of models that expired or were retired."""
        with command.sender() as sender:
            receiver = sender.address if to is None else parse_address(to)
            sender.settle()
            refund = sender.chain.refund(sender.address)
            if refund == 0:
                raise ChainSaysNo(
                    f"account 0x{sender.address.hex()} has no refunds: deposits come back when a "
                    "model expires or is retired"
                )
            sender.offer("withdraw", encode_withdraw(receiver), None, yes=True)
        command.tell({"to": _hex(receiver), "paidWei": refund}, sender)


def add_expire(app: typer.Typer, rules: ModelRules) -> None:
    """Add `expire`."""

    @app.command()
    @faults_shown()
    @with_options(command=contract_options(rules.dev_key))
    def expire(
        model: ModelName,
        command: ContractCommand,
    ) -> None:
        """Give up a model that was not activated in time; anybody may."""
        identity = named_model(model, rules).identity
        with command.sender() as sender:
            entry = _registered(sender.chain, identity)
            last = entry.registered_at + sender.chain.deadline()
            is_waiting = entry.status is RegistryStatus.PENDING and not entry.activation_height
            if is_waiting and sender.chain.height() < last:
                raise ChainSaysNo(
                    f"model 0x{identity.hex()} has until block {last} to be activated, and can "
                    "expire from the next one on"
                )
            sender.offer("expire", encode_expire(identity), None, yes=True)
        found = {"modelId": _hex(identity), "owner": _hex(entry.owner), "refundWei": entry.deposit}
        command.tell(found, sender)


def _registered(chain: ChainClient, identity: bytes) -> RegisteredModel:
    entry = chain.model(identity)
    if entry.status is RegistryStatus.NONE:
        raise CannotRead(f"no model 0x{identity.hex()} is registered; see `cvm model list`")
    return entry


def _require_owner(sender: Sender, identity: bytes) -> RegisteredModel:
    """Return a model of the sender's; raises `CannotRead` or `ChainSaysNo`."""
    entry = _registered(sender.chain, identity)
    if entry.owner != sender.address:
        raise ChainSaysNo(
            f"model 0x{identity.hex()} belongs to 0x{entry.owner.hex()}, the key is that of "
            f"0x{sender.address.hex()}"
        )
    return entry


def _tell_royalty(
    command: ContractCommand, chain: ChainClient, identity: bytes, sender: Sender | None = None
) -> None:
    entry = _registered(chain, identity)
    height = chain.height()
    found: dict[str, Any] = {
        "modelId": _hex(identity),
        "owner": _hex(entry.owner),
        "height": height,
        "royaltyGas": entry.royalty_gas,
    }
    if entry.royalty_height > height:
        found["nextRoyaltyGas"] = entry.next_royalty_gas
        found["royaltyHeight"] = entry.royalty_height
    receiver, basis_points = chain.resale_royalty(identity)
    if basis_points:
        found["resaleBasisPoints"] = basis_points
        found["resaleTo"] = _hex(receiver)
    command.tell(found, sender)


def _blocks(count: int) -> str:
    return "1 block" if count == 1 else f"{count:,} blocks"


def _hex(data: bytes) -> str:
    return "0x" + data.hex()
