"""Turns an ordinary ONNX file into the strict form of engine 1.

| step | module |
| --- | --- |
| parse, embed external data, inline functions | `onnx_file` |
| read into a draft, which leaves remarks behind | `read_onnx`, `draft` |
| repair names, sort, drop what nothing reads | `names` |
| Constant nodes to weights | `constant_nodes` |
| fix input shapes | `input_shapes` |
| convert to opset 21 and ai.onnx.ml 3 | `opset`, `opset_rules`, `ml_rules` |
| ONNX's definition for operators that the engine lacks | `pipeline` |
| a Sum of two values becomes an Add | `plain_forms` |
| floats to finite float32 | `precision` |
| remove nodes that hand on what they read | `bypass` |
| fold constants, take the branches of If | `fold`, `evaluate`, `branches` |
| fold factors and offsets of channels | `affine` |
| quantise, lower pairs of conversions to integers | `quantise`, `lower_qdq`, `lower_products` |
| integer inputs and outputs | `adapters` |
| outputs that explain the answer | `explain`, `explained_node`, `explain_trees`, `explain_linear` |
| canonical bytes | `write_onnx` |
| arrays of a user as items | `items` |
| run the result beside the original | `comparison` |
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
    compare_with_float_form,
    preparation_json,
    preparation_text,
)
from models_registry.cli.prepare.explanation import (
    CONTRIBUTIONS,
    EXPLAIN_FORM,
    LEAVES,
    PATH,
    parse_explain,
)
from models_registry.cli.prepare.faults import CannotPrepare
from models_registry.cli.prepare.input_shapes import parse_shape
from models_registry.cli.prepare.pipeline import Options, PreparedModel, prepare_model

__all__ = [
    "CONTRIBUTIONS",
    "EXPLAIN_FORM",
    "INPUT_FORM",
    "LEAVES",
    "OUTPUT_FORM",
    "PATH",
    "CannotPrepare",
    "Comparison",
    "Options",
    "PreparedModel",
    "Runner",
    "compare",
    "compare_with_float_form",
    "parse_explain",
    "parse_input_adapter",
    "parse_output_adapter",
    "parse_shape",
    "preparation_json",
    "preparation_text",
    "prepare_model",
]
