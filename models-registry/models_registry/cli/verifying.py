"""Runs an inference of the past once more on this machine, and compares it with the chain's."""

from dataclasses import dataclass
from hashlib import sha256

from models_registry.cli.node_client import TracedInference
from models_registry.cli.rules import NodeHash, Rerun


@dataclass(frozen=True, slots=True)
class Compared:
    """One thing that must be the same: what the chain says of it, and what this machine found."""

    name: str
    chain: str
    local: str

    @property
    def is_same(self) -> bool:
        """Tell whether both agree."""
        return self.chain == self.local


def compare_inference(inference: TracedInference, rerun: Rerun) -> list[Compared]:
    """Return what was compared: input, answer, output bytes, gas, and nodes where they are known.

    The load is paid once in a transaction, so the chain's is either nothing or all of it; the
    royalty is the owner's choice and cannot be found in the file.
    """
    call_input, gas, local = inference.input or b"", inference.gas, rerun.gas
    load = 0 if gas.load == 0 else local.load
    compared = [
        Compared("input", inference.input_hash.hex(), sha256(call_input).hexdigest()),
        Compared("answered", str(inference.ok), str(rerun.ok)),
        Compared("output", inference.output_hash.hex(), sha256(rerun.output).hexdigest()),
        Compared(
            "gas",
            f"{gas.total - gas.royalty:,}",
            f"{local.base + load + local.compute + local.io_bytes:,}",
        ),
    ]
    if inference.nodes is not None:
        compared.append(_compare_nodes(inference.nodes, rerun.nodes))
    return compared


def _compare_nodes(chain: tuple[NodeHash, ...], local: tuple[NodeHash, ...]) -> Compared:
    """Compare node by node; where they differ, the first that does is named."""
    for theirs, ours in zip(chain, local, strict=False):
        if theirs != ours:
            return Compared("nodes", _node_text(theirs), _node_text(ours))
    return Compared("nodes", f"{len(chain)} nodes", f"{len(local)} nodes")


def _node_text(node: NodeHash) -> str:
    return f"{node.op_type} {node.name!r} {node.output_hash.hex()}"
