"""`cvm model status`: how far a model is, what is missing, what comes next and when."""

import json

import typer

from models_registry.cli.attested import read_attested
from models_registry.cli.chain_client import ChainClient
from models_registry.cli.endings import faults_shown
from models_registry.cli.http_client import RpcClient
from models_registry.cli.model_name import NamedModel, named_model
from models_registry.cli.node_client import NodeClient
from models_registry.cli.options import DEFAULT_RPC, AsJson, ModelName, Rpc
from models_registry.cli.rules import ModelRules
from models_registry.cli.standing import Facts, NextStep, next_step, stages
from models_registry.registry import RegistryStatus


def add_status(app: typer.Typer, rules: ModelRules) -> None:
    """Add `status`."""

    @app.command()
    @faults_shown()
    def status(model: ModelName, rpc: Rpc = DEFAULT_RPC, as_json: AsJson = False) -> None:
        """Show how far a model is, stage by stage, and what comes next."""
        facts = _facts(named_model(model, rules), RpcClient(rpc))
        typer.echo(json.dumps(_json(facts)) if as_json else _text(facts))


def _facts(named: NamedModel, rpc: RpcClient) -> Facts:
    chain, node = ChainClient(rpc), NodeClient(rpc)
    entry = chain.model(named.identity)
    is_known = entry.status is not RegistryStatus.NONE
    size_bytes = entry.size_bytes if is_known else named.size_bytes
    status = node.status(named.identity, size_bytes)
    return Facts(
        identity=named.identity,
        size_bytes=size_bytes,
        height=chain.height(),
        block_time_s=chain.block_time_s(),
        deadline=chain.deadline(),
        entry=entry,
        node=status,
        attested=read_attested(chain, named.identity, entry.nonce, status),
    )


def _json(facts: Facts) -> dict[str, object]:
    step = next_step(facts)
    attested = facts.attested
    return {
        "modelId": "0x" + facts.identity.hex(),
        "status": facts.node.status,
        "height": facts.height,
        "stages": [{"name": s.name, "done": s.is_done, "detail": s.detail} for s in stages(facts)],
        "missingChunks": list(facts.node.missing_chunks),
        "attestations": len(attested.signatures),
        "attestationsNeeded": attested.needed,
        "validators": attested.validators,
        "refusal": facts.node.refusal,
        "next": step.what,
        "nextHeight": step.height,
        "nextInSeconds": None if step.height is None else round(_seconds(facts, step.height)),
    }


def _text(facts: Facts) -> str:
    lines = [
        f"model id    0x{facts.identity.hex()}",
        f"status      {facts.node.status} at block {facts.height:,}",
    ]
    lines += [
        f"{stage.name:<12}{'done' if stage.is_done else 'open'}  {stage.detail}"
        for stage in stages(facts)
    ]
    lines.append(f"next        {_next_text(facts, next_step(facts))}")
    return "\n".join(lines)


def _next_text(facts: Facts, step: NextStep) -> str:
    if step.height is None:
        return step.what
    blocks = max(step.height - facts.height, 0)
    unit = "block" if blocks == 1 else "blocks"
    seconds = f"{_seconds(facts, step.height):,.0f} s"
    return f"{step.what}: block {step.height:,}, in {blocks:,} {unit} (about {seconds})"


def _seconds(facts: Facts, height: int) -> float:
    return max(height - facts.height, 0) * facts.block_time_s
