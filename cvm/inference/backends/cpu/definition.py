"""The way out for a node without a kernel: its operator's own NumPy function."""

import numpy as np

from cvm.inference.backends.cpu.step_builder import StepBuilder
from cvm.inference.graph import Node
from cvm.inference.tensor_type import Array


def build(builder: StepBuilder) -> None:
    """Run a node by its operator's definition, which is slow and exact."""
    node = builder.node
    operands = tuple(
        builder.optional(index) for index in range(max(len(node.inputs), node.spec.operand_count()))
    )
    builder.add(run_definition, node, operands, builder.results)


def run_definition(
    node: Node, operands: tuple[Array | None, ...], results: tuple[Array, ...]
) -> None:
    """Copy what the definition makes of the operands into the node's buffers."""
    with np.errstate(all="ignore"):
        outputs = node.spec.run(node.parameters, *operands)
    for result, output in zip(results, outputs, strict=True):
        np.copyto(result, output, casting="no")
