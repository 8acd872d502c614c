"""Cases of operators that make each output from the inputs at its place."""

from collections.abc import Iterator

import numpy as np

from bench.gas_cases.case import GasCase, image, integers, normal
from cvm.inference.tensor_type import Array

FLOAT_UNARY = (
    *("Abs", "Atan", "Ceil", "Celu", "Cos", "Cosh", "Dropout", "Elu", "Erf", "Exp", "Flatten"),
    *("Floor", "Gelu", "HardSigmoid", "HardSwish", "Identity", "IsInf", "IsNaN", "LeakyRelu"),
    *("Mish", "Neg", "Reciprocal", "Relu", "Round", "Selu", "Sigmoid", "Sign", "Sin", "Sinh"),
    *("Softplus", "Softsign", "Tan", "Tanh", "ThresholdedRelu"),
)
FLOAT_BINARY = (
    *("Add", "Sub", "Mul", "Div", "Equal", "Greater", "GreaterOrEqual", "Less", "LessOrEqual"),
    *("Max", "Min", "Sum", "Mean"),
)
BOOL_BINARY = ("And", "Or", "Xor")
INTEGER_BINARY = ("BitwiseAnd", "BitwiseOr", "BitwiseXor")


def unary(rng: np.random.Generator, size: str) -> Iterator[GasCase]:
    """Make operators of one operand."""
    x = normal(rng, *image(size))
    for op in FLOAT_UNARY:
        yield GasCase(op, size, (x,))
    yield GasCase("Gelu", size, (x,), attributes={"approximate": "tanh"}, form="tanh")
    for op in ("Log", "Sqrt"):
        yield GasCase(op, size, (np.abs(x),))
    inside = rng.uniform(-1, 1, x.shape).astype(np.float32)
    for op in ("Acos", "Asin"):
        yield GasCase(op, size, (inside,))
    yield GasCase("BitwiseNot", size, (integers(rng, "int32", *x.shape),))
    yield GasCase("Not", size, (x > 0,))
    yield GasCase("Cast", size, (x,), attributes={"to": 6}, form="to int32")
    yield GasCase("Cast", size, (integers(rng, "uint8", *x.shape),), attributes={"to": 1})
    yield GasCase("CastLike", size, (x, np.zeros(1, np.int64)), frozenset({1}))
    bounds = (np.array(0, np.float32), np.array(6, np.float32))
    yield GasCase("Clip", size, (x, *bounds), frozenset({1, 2}))


def binary(rng: np.random.Generator, size: str) -> Iterator[GasCase]:
    """Make operators of several operands."""
    shape = image(size)
    a, b = normal(rng, *shape), normal(rng, *shape)
    for op in FLOAT_BINARY:
        yield GasCase(op, size, (a, b))
    per_channel = normal(rng, shape[1], 1, 1)
    for op in ("Add", "Mul"):
        yield GasCase(op, size, (a, per_channel), frozenset({1}), form="per channel")
    yield GasCase("PRelu", size, (a, per_channel), frozenset({1}))
    for op in BOOL_BINARY:
        yield GasCase(op, size, (a > 0, b > 0))
    yield from _integer_binary(rng, size, shape)
    yield GasCase("Mod", size, (a, b), attributes={"fmod": 1}, form="fmod")
    yield GasCase("Where", size, (normal(rng, *shape) > 0, a, b))
    yield GasCase("Pow", size, (np.abs(a), b))
    two = np.array(2, np.float32)
    yield GasCase("Pow", size, (a, two), frozenset({1}), form="square")


def _integer_binary(
    rng: np.random.Generator, size: str, shape: tuple[int, ...]
) -> Iterator[GasCase]:
    """Make operators of two integer operands."""
    i, j = integers(rng, "int32", *shape), integers(rng, "int32", *shape)
    for op in INTEGER_BINARY:
        yield GasCase(op, size, (i, j))
    for op in ("Div", "Mod", "Pow", "Add"):
        second: Array = np.abs(j) % 8 if op == "Pow" else j
        yield GasCase(op, size, (i, second), form="int32")
    shifts = (integers(rng, "uint8", *shape), integers(rng, "uint8", *shape) % np.uint8(9))
    yield GasCase("BitShift", size, shifts, attributes={"direction": "LEFT"})


def quantisation(rng: np.random.Generator, size: str) -> Iterator[GasCase]:
    """Make conversions between float32 and 8 bits."""
    x = normal(rng, *image(size))
    scale, zero = np.array(0.02, np.float32), np.array(120, np.uint8)
    constants = frozenset({1, 2})
    yield GasCase("QuantizeLinear", size, (x, scale, zero), constants)
    y = integers(rng, "uint8", *x.shape)
    yield GasCase("DequantizeLinear", size, (y, scale, zero), constants)
    yield GasCase("DynamicQuantizeLinear", size, (x,), outputs=3)
