"""Scaler, Normalizer and ArrayFeatureExtractor: what stands before and after a model's rows."""

import numpy as np

from cvm.inference.backends.cpu import scores
from cvm.inference.backends.cpu.choosing import add_places, copy_slices
from cvm.inference.backends.cpu.copying import words
from cvm.inference.backends.cpu.scalar_operations import larger, sqrt_f32
from cvm.inference.backends.cpu.step_builder import StepBuilder, flat
from cvm.inference.exact.ordered_sum import CHUNK
from cvm.inference.operators.gather import GatherParameters
from cvm.inference.operators.normalizer import NORMS, NormalizerParameters
from cvm.inference.operators.scaler import ScalerParameters
from cvm.inference.tensor_type import Array
from cvm.native_code import kernel

L1, L2 = NORMS.index("L1"), NORMS.index("L2")


@kernel
def scale_rows(x: Array, offset: Array, scale: Array, y: Array) -> None:
    """Equal `operators.scaler` on flat rows of as many features as there are numbers."""
    features = len(offset)
    for first in range(0, len(x), features):
        for i in range(features):
            y[first + i] = (x[first + i] - offset[i]) * scale[i]


@kernel
def norm_of(row: Array, kind: int) -> np.float32:
    """Return the norm of a row."""
    greatest, total = np.float32(0), np.float32(0)
    for start in range(0, len(row), CHUNK):
        partial = np.float32(0)
        for i in range(start, min(start + CHUNK, len(row))):
            value = row[i]
            size = -value if value < np.float32(0) else value
            greatest = larger(greatest, size)
            partial += value * value if kind == L2 else size
        total += partial
    if kind == L1:
        return total
    return sqrt_f32(total) if kind == L2 else greatest


@kernel
def normalise_rows(x: Array, features: int, kind: int, y: Array) -> None:
    """Equal `operators.normalizer` on flat rows."""
    for first in range(0, len(x), features):
        norm = norm_of(x[first : first + features], kind)
        norm = np.float32(1) if norm == np.float32(0) else norm
        for i in range(first, first + features):
            y[i] = x[i] / norm


def build_scaler(builder: StepBuilder) -> None:
    """Plan a Scaler; one number for all features is written out."""
    parameters: ScalerParameters = builder.node.parameters
    features = parameters.given.shape[-1]
    lists = (np.resize(values, features) for values in (parameters.offset, parameters.scale))
    builder.add(scale_rows, scores.float_rows(builder), *lists, flat(builder.results[0]))


def build_normalizer(builder: StepBuilder) -> None:
    """Plan a Normalizer."""
    parameters: NormalizerParameters = builder.node.parameters
    kind, features = NORMS.index(parameters.norm), parameters.given.features
    x, y = scores.float_rows(builder), flat(builder.results[0])
    builder.add(normalise_rows, x, features, kind, y)


def build_extractor(builder: StepBuilder) -> None:
    """Plan an ArrayFeatureExtractor, which is a Gather of the last axis."""
    parameters: GatherParameters = builder.node.parameters
    length = parameters.data_shape[-1]
    places = add_places(builder, (length,), parameters.node)
    x, y = words(builder.operand(0)), words(builder.results[0])
    builder.add(copy_slices, x, builder.operand(0).size // length, length, places, 1, y)
