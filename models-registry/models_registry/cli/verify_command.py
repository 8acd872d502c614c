"""`cvm model verify`: re-runs the inferences of a past transaction and compares them."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from models_registry.chunks import model_id
from models_registry.cli.endings import FAILED, faults_shown
from models_registry.cli.files import CannotRead, load_file
from models_registry.cli.http_client import RpcClient
from models_registry.cli.node_client import NodeClient, TracedInference, TracedTransaction
from models_registry.cli.options import DEFAULT_RPC, AsJson, Rpc
from models_registry.cli.pulling import pulled_bytes
from models_registry.cli.rules import ModelRules
from models_registry.cli.sending import ChainSaysNo
from models_registry.cli.terminal import TerminalProgress
from models_registry.cli.verifying import Compared, compare_inference

_HASH = re.compile(r"0x[0-9a-fA-F]{64}\Z", re.ASCII)


@dataclass(frozen=True, slots=True)
class Verified:
    """One inference and what was compared of it; nothing where the chain ran no model either."""

    inference: TracedInference
    compared: Sequence[Compared]

    @property
    def is_same(self) -> bool:
        """Tell whether nothing differs."""
        return all(one.is_same for one in self.compared)


def add_verify(app: typer.Typer, rules: ModelRules) -> None:
    """Add `verify`."""

    @app.command()
    @faults_shown()
    def verify(
        transaction: Annotated[str, typer.Argument(help="the hash of a past transaction")],
        index: Annotated[
            int | None, typer.Option(min=0, help="one inference of it, counted from 0")
        ] = None,
        model: Annotated[
            Path | None, typer.Option(help="the model's file; fetched from the node if not given")
        ] = None,
        backend: Annotated[str, typer.Option(help="reference, cpu or cuda")] = "cpu",
        nodes: Annotated[
            bool, typer.Option("--nodes", help="also compare what each node of the graph made")
        ] = False,
        rpc: Rpc = DEFAULT_RPC,
        as_json: AsJson = False,
    ) -> None:
        """Run a transaction's inferences again here; exit 1 where any of them differs."""
        if not _HASH.match(transaction):
            raise CannotRead(f"{transaction!r} is not a transaction hash: 0x and 64 hex digits")
        node = NodeClient(RpcClient(rpc))
        traced = node.trace(transaction, nodes=nodes, index=index)
        if not traced.inferences:
            which = "" if index is None else f" with index {index}"
            raise ChainSaysNo(f"transaction {transaction} has no inference{which}")
        files = _Files(node, model)
        found = [
            _verified(one, transaction, files, rules, backend, nodes) for one in traced.inferences
        ]
        _print(found, traced, backend, as_json)
        if not all(one.is_same for one in found):
            raise typer.Exit(FAILED)


@dataclass(frozen=True, slots=True)
class _Files:
    """Where the bytes of models come from: the file that was named, or the node."""

    node: NodeClient
    named: Path | None

    def read(self, identity: bytes) -> bytes:
        """Return a model's bytes, which give its id."""
        if self.named is not None:
            data = load_file(self.named)
            if data and model_id(data) == identity:
                return data
            raise CannotRead(f"{self.named}: is not model 0x{identity.hex()}, which ran")
        with TerminalProgress() as progress:
            return pulled_bytes(self.node, identity, progress)


def _verified(
    inference: TracedInference,
    transaction: str,
    files: _Files,
    rules: ModelRules,
    backend: str,
    nodes: bool,
) -> Verified:
    """Run one inference again; one that was refused before it ran has nothing to compare."""
    if not inference.has_run:
        return Verified(inference, ())
    if inference.input is None:
        (inference,) = files.node.trace(transaction, nodes=nodes, index=inference.index).inferences
    data = files.read(inference.model_id)
    rerun = rules.rerun(data, inference.input or b"", backend, nodes=nodes)
    return Verified(inference, compare_inference(inference, rerun))


def _print(
    found: Sequence[Verified], traced: TracedTransaction, backend: str, as_json: bool
) -> None:
    if as_json:
        told = {
            "blockNumber": traced.block_number,
            "backend": backend,
            "same": all(one.is_same for one in found),
            "inferences": [_json(one) for one in found],
        }
        typer.echo(json.dumps(told))
        return
    for one in found:
        typer.echo("\n".join(_lines(one, traced.block_number)))
    same = sum(one.is_same for one in found)
    typer.echo(f"{same} of {len(found)} inferences are the same on this machine's {backend}")


def _json(one: Verified) -> dict[str, Any]:
    inference = one.inference
    return {
        "index": inference.index,
        "modelId": "0x" + inference.model_id.hex(),
        "owner": None if inference.owner is None else "0x" + inference.owner.hex(),
        "hasRun": inference.has_run,
        "same": one.is_same,
        "gas": inference.gas.total,
        "royaltyPaid": inference.royalty_wei,
        "compared": [
            {"name": c.name, "same": c.is_same, "chain": c.chain, "local": c.local}
            for c in one.compared
        ],
    }


def _lines(one: Verified, block_number: int) -> list[str]:
    inference = one.inference
    lines = [
        f"inference {inference.index}, block {block_number:,}, model 0x{inference.model_id.hex()}"
    ]
    if not inference.has_run:
        return [*lines, "  refused before anything ran: the same everywhere"]
    for compared in one.compared:
        if compared.is_same:
            lines.append(f"  {compared.name:<10}same     {compared.chain}")
        else:
            lines.append(f"  {compared.name:<10}DIFFERS  chain {compared.chain}")
            lines.append(f"  {'':<10}         here  {compared.local}")
    return lines
