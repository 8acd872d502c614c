"""Turns an ordinary ONNX file into the strict form of engine 1.

The steps, in order: parse, embed external data and inline functions (`onnx_file`), read into a
draft, which leaves remarks behind (`read_onnx`), repair names and sort (`names`), Constant nodes
to weights (`constant_nodes`), fix input shapes (`input_shapes`), convert to opset 21 (`opset`),
expand functions of ONNX (`pipeline`), float32 (`precision`), remove nodes that hand on what they
read (`bypass`), fold constants and branches (`fold`), fold BatchNormalization (`batch_norm`),
quantise and lower to integers (`quantise`, `lower_qdq`), integer inputs and outputs
(`adapters`), write canonical bytes (`write_onnx`). `comparison` runs it beside the original.
"""

from models_registry.cli.prepare.adapters import (
    INPUT_FORM,
    OUTPUT_FORM,
    parse_input_adapter,
    parse_output_adapter,
)
from models_registry.cli.prepare.comparison import (
    Comparison,
    Runner,
    compare,
    preparation_json,
    preparation_text,
)
from models_registry.cli.prepare.faults import CannotPrepare
from models_registry.cli.prepare.input_shapes import parse_shape
from models_registry.cli.prepare.pipeline import Options, PreparedModel, prepare_model

__all__ = [
    "INPUT_FORM",
    "OUTPUT_FORM",
    "CannotPrepare",
    "Comparison",
    "Options",
    "PreparedModel",
    "Runner",
    "compare",
    "parse_input_adapter",
    "parse_output_adapter",
    "parse_shape",
    "preparation_json",
    "preparation_text",
    "prepare_model",
]
