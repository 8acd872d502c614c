"""What the kernels of ai.onnx.ml's models share: rows as float32, the best label, transforms."""

from typing import Any

import numpy as np

from cvm.inference.backends.cpu.scalar_operations import larger
from cvm.inference.backends.cpu.step_builder import StepBuilder, flat
from cvm.inference.backends.cpu.transcendental import exp32, sigmoid32
from cvm.inference.exact.ordered_sum import CHUNK
from cvm.inference.operators.post_transform import HALF, NEAR_ZERO
from cvm.inference.tensor_type import Array
from cvm.native_code import kernel


@kernel
def to_float32(x: Array, y: Array) -> None:
    """Convert int32 or int64, each rounded once to nearest even."""
    for i in range(len(x)):
        y[i] = np.float32(x[i])


@kernel
def best_labels(labels: Array, values: Array, chosen: Array) -> None:
    """Equal `operators.classification.labels_of_largest` on flat rows of one value a label."""
    width = len(labels)
    for row in range(len(chosen)):
        best, index = values[row * width], 0
        for i in range(1, width):
            value = values[row * width + i]
            if value > best or (value != value and best == best):
                best, index = value, i
        chosen[row] = labels[index]


@kernel
def logistic(values: Array) -> None:
    """Replace each value by its `sigmoid32`."""
    for i in range(len(values)):
        values[i] = sigmoid32(values[i])


@kernel
def row_softmax(values: Array, width: int, keeps_zeros: bool, near_zero: np.float32) -> None:
    """Equal SOFTMAX of `operators.post_transform.transformed`, or SOFTMAX_ZERO."""
    for first in range(0, len(values), width):
        greatest = values[first]
        for i in range(first + 1, first + width):
            greatest = larger(greatest, values[i])
        factor = exp32(-greatest)
        total = np.float32(0)
        for start in range(first, first + width, CHUNK):
            partial = np.float32(0)
            for i in range(start, min(start + CHUNK, first + width)):
                value = values[i]
                term = exp32(value - greatest)
                if keeps_zeros and -near_zero <= value <= near_zero:
                    term = value * factor
                values[i] = term
                partial += term
            total += partial
        for i in range(first, first + width):
            values[i] /= total
            if keeps_zeros and total == np.float32(0):
                values[i] = HALF


@kernel
def margin_scores(
    sums: Array, is_probability: bool, labels: Array, chosen: Array, result: Array
) -> None:
    """Write the label and the two scores that one sum stands for, before LOGISTIC."""
    threshold = np.float32(0.5) if is_probability else np.float32(0)
    for row in range(len(sums)):
        s = sums[row]
        result[2 * row] = np.float32(1) - s if is_probability else -s
        result[2 * row + 1] = s
        chosen[row] = labels[1] if s > threshold else labels[0]


def float_rows(builder: StepBuilder) -> Any:
    """Return input 0 as flat float32, converted in every run where it is of integers."""
    x = flat(builder.operand(0))
    if x.dtype == np.float32:
        return x
    converted = builder.scratch("float32", x.size)
    builder.add(to_float32, x, converted)
    return converted


def add_labels(builder: StepBuilder, labels: Array, values: Any, chosen: Array) -> None:
    """Plan the choice of the label of each row's largest value."""
    builder.add(best_labels, labels, values, chosen)


def add_transform(builder: StepBuilder, name: str, width: int, values: Any) -> None:
    """Plan a `post_transform` of flat rows of `width`, in place."""
    if name == "LOGISTIC":
        builder.add(logistic, values)
    elif name != "NONE":
        builder.add(row_softmax, values, width, name == "SOFTMAX_ZERO", NEAR_ZERO)
