"""Quantises a prepared float32 model to 8 bits with onnxruntime's static calibration."""

import logging
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import onnx

from cvm.inference.tensor_type import Array
from models_registry.cli.prepare.faults import CannotPrepare
from models_registry.cli.prepare.items import Items
from models_registry.cli.prepare.onnx_runtime import load_runtime, runtime_faults

QUANTISED_OPERATORS = (
    "Conv", "Gemm", "MatMul", "Add", "Relu", "Clip", "MaxPool", "AveragePool",
    "GlobalAveragePool", "Concat", "Reshape", "Flatten", "Transpose", "Squeeze", "Unsqueeze",
    "Slice", "Split", "Pad", "DepthToSpace", "SpaceToDepth",
)  # fmt: skip
"""What is brought to 8 bits; every other operator stays float32 between a pair of conversions."""


def quantised(model: onnx.ModelProto, items: Items) -> onnx.ModelProto:
    """Return the model with QuantizeLinear and DequantizeLinear around what becomes 8 bits.

    Activations are uint8 with a zero point, weights int8 per output channel without one.
    `items` are typical inputs, whose extremes set the scales. Raises `CannotPrepare` where
    onnxruntime is not installed or refuses the model.
    """
    quantization = load_runtime("--quantize", "onnxruntime.quantization")
    reader = _reader(quantization, items)
    with tempfile.TemporaryDirectory() as folder, _quiet():
        path = Path(folder) / "quantised.onnx"
        try:
            quantization.quantize_static(
                model,
                path,
                reader,
                quant_format=quantization.QuantFormat.QDQ,
                op_types_to_quantize=list(QUANTISED_OPERATORS),
                per_channel=True,
                activation_type=quantization.QuantType.QUInt8,
                weight_type=quantization.QuantType.QInt8,
                extra_options={"WeightSymmetric": True, "ActivationSymmetric": False},
            )
            return onnx.load(path)
        except runtime_faults() as error:
            reason = " ".join(str(error).split())
            raise CannotPrepare(f"onnxruntime cannot quantise the model: {reason}") from error


def _reader(quantization: Any, items: Items) -> Any:
    """Return onnxruntime's kind of iterator over the items."""

    class Reader(quantization.CalibrationDataReader):  # type: ignore[misc]
        def __init__(self) -> None:
            self._items = iter(items)

        def get_next(self) -> dict[str, Array] | None:
            item = next(self._items, None)
            return None if item is None else dict(item)

    return Reader()


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep onnxruntime's advice on preprocessing, which these models have had, off the screen."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(before)
