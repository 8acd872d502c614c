"""`cvm model infer`: what a model on chain answers to a picture, a row, an array or a list."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from fractions import Fraction
from hashlib import sha256
from pathlib import Path
from typing import Annotated

import typer

from models_registry.cli.answers import answer_lines, load_classes, outputs_json
from models_registry.cli.call_input import InputOptions, packed_input
from models_registry.cli.calling import LATEST, call_model
from models_registry.cli.endings import faults_shown
from models_registry.cli.files import CannotRead
from models_registry.cli.http_client import BadAnswer, RpcClient, RpcRefused
from models_registry.cli.image_input import ImageOptions
from models_registry.cli.model_name import named_model
from models_registry.cli.node_client import CallGas, NodeClient
from models_registry.cli.options import DEFAULT_RPC, AsJson, ModelName, Rpc, with_options
from models_registry.cli.pulling import NOT_AVAILABLE_CODE, NotHere
from models_registry.cli.rules import ModelRules
from models_registry.interface import ModelInterface

DEFAULT_TOP = 5


def add_infer(app: typer.Typer, rules: ModelRules) -> None:
    """Add `infer`."""

    @app.command()
    @faults_shown()
    @with_options(options=input_options)
    def infer(
        model: ModelName,
        inputs: Annotated[
            list[str],
            typer.Option(
                "--input",
                help="a picture (repeat for a batch), .csv, .npz, .json, .npy (one per input), "
                "or a JSON list",
            ),
        ],
        options: InputOptions,
        labels: Annotated[
            Path | None, typer.Option(help="names of the classes: one a line, or a JSON list")
        ] = None,
        top: Annotated[int, typer.Option(min=0, help="how many classes to show")] = DEFAULT_TOP,
        block: Annotated[
            int | None, typer.Option(min=0, help="call on the state after this block")
        ] = None,
        rpc: Rpc = DEFAULT_RPC,
        as_json: AsJson = False,
    ) -> None:
        """Ask a model on chain, without a transaction, and show its answer."""
        identity = named_model(model, rules).identity
        names = () if labels is None else load_classes(labels)
        client = RpcClient(rpc)
        interface = _interface(client, identity)
        data = packed_input(inputs, interface, options)
        height = LATEST if block is None else hex(block)
        output = call_model(client, identity, data, height)
        batch = len(data) // interface.input_bytes
        if len(output) != batch * interface.output_bytes:
            raise BadAnswer(rpc, f"{len(output)} bytes are not the model's output")
        gas = NodeClient(client).call_gas(identity, batch)
        if as_json:
            typer.echo(json.dumps(_json(identity, interface, output, gas, names)))
        else:
            typer.echo("\n".join(_lines(interface, output, gas, names, top)))


def input_options(
    resize: Annotated[
        bool, typer.Option("--resize", help="scale pictures to the model's size")
    ] = False,
    grey: Annotated[bool, typer.Option("--grey", help="turn pictures grey if need be")] = False,
    invert: Annotated[bool, typer.Option("--invert", help="turn dark pixels bright")] = False,
    scale: Annotated[
        str, typer.Option(help="for a model of floats: (pixel - mean) * scale, such as 1/255")
    ] = "1",
    mean: Annotated[str, typer.Option(help="see --scale; pixels are 0 to 255")] = "0",
    row: Annotated[
        int | None, typer.Option(min=0, help="one row of a .csv, counted from 0")
    ] = None,
) -> InputOptions:
    """Return the group of options that say how inputs are read; raises `CannotRead`."""
    image = ImageOptions(
        resize, grey, invert, _fraction("--scale", scale), _fraction("--mean", mean)
    )
    return InputOptions(image, row)


def _fraction(option: str, text: str) -> Fraction:
    try:
        return Fraction(text)
    except (ValueError, ZeroDivisionError) as error:
        raise CannotRead(f"{option} {text!r} is no number such as 0.5 or 1/255") from error


def _interface(client: RpcClient, identity: bytes) -> ModelInterface:
    try:
        return NodeClient(client).interface(identity)
    except RpcRefused as refused:
        if refused.code == NOT_AVAILABLE_CODE:
            raise NotHere(client.url, identity) from refused
        raise


def _json(
    identity: bytes,
    interface: ModelInterface,
    output: bytes,
    gas: CallGas,
    names: Sequence[str],
) -> dict[str, object]:
    found: dict[str, object] = {
        "modelId": "0x" + identity.hex(),
        "items": len(output) // interface.output_bytes,
        "outputs": outputs_json(interface, output),
        "outputHash": "0x" + sha256(output).hexdigest(),
        "gas": asdict(gas),
    }
    return found | ({"labels": list(names)} if names else {})


def _lines(
    interface: ModelInterface, output: bytes, gas: CallGas, names: Sequence[str], top: int
) -> list[str]:
    return [
        *answer_lines(interface, output, names, top),
        f"gas {gas.total:,} for a first call: base {gas.base:,}, load {gas.load:,}, compute "
        f"{gas.compute:,}, royalty {gas.royalty:,}, bytes {gas.io_bytes:,}",
    ]
