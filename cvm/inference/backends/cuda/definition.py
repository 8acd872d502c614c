"""The way out for a node without a kernel: its operator's NumPy function, on the host."""

from collections.abc import Callable

import numpy as np

from cvm.inference.graph import Node
from cvm.inference.tensor_type import Array, TensorType

Download = Callable[[str, TensorType], Array]
Upload = Callable[[str, Array], None]


def definition_step(node: Node, download: Download, upload: Upload) -> Callable[[], None]:
    """Return what runs a node by its definition: operands come down, results go up."""
    absent = (None,) * (node.spec.operand_count() - len(node.inputs))

    def run() -> None:
        view = node.view
        operands = (
            download(name, tensor_type) if constant is None and tensor_type else constant
            for name, tensor_type, constant in zip(
                node.inputs, view.types, view.constants, strict=True
            )
        )
        with np.errstate(all="ignore"):
            outputs = node.spec.run(node.parameters, *operands, *absent)
        for name, tensor_type, output in zip(node.outputs, node.output_types, outputs, strict=True):
            result = np.empty(tensor_type.shape, tensor_type.dtype)
            np.copyto(result, output, casting="no")
            upload(name, result)

    return run
