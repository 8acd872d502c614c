"""Operators that work element by element, as steps of `Composer`."""

from collections.abc import Callable
from types import MappingProxyType

import numpy as np

from cvm.inference.backends.cuda.composition import Composer, Tensor, bits_of
from cvm.inference.backends.cuda.launch_builder import LaunchBuilder
from cvm.inference.operators import gelu as gelu_operator
from cvm.inference.operators import hard_swish as hard_swish_operator

Builder = Callable[[LaunchBuilder], None]

MINUS_BY_WIDTH = {"int8": "neg_8", "int32": "neg_32", "int64": "neg_64"}


def mapped(name: str, *arguments: str) -> Builder:
    """Return the builder of a kernel that takes float32 parameters of the node by their names."""

    def build(builder: LaunchBuilder) -> None:
        composer = Composer(builder)
        values = [bits_of(getattr(builder.node.parameters, entry)) for entry in arguments]
        composer.map(name, composer.operand(0), composer.result(), values)

    return build


def of_two(name: str) -> Builder:
    """Return the builder of a kernel of two operands that stretch to the result."""

    def build(builder: LaunchBuilder) -> None:
        composer = Composer(builder)
        composer.binary(name, composer.operand(0), composer.operand(1), composer.result())

    return build


def folded(name: str) -> Builder:
    """Return the builder of a fold over all inputs, in their order."""

    def build(builder: LaunchBuilder) -> None:
        composer = Composer(builder)
        fold_inputs(composer, name, composer.result())

    return build


def fold_inputs(composer: Composer, name: str, y: Tensor) -> None:
    """Append the fold of a step of two operands over all inputs."""
    total = composer.operand(0)
    count = len(composer.builder.node.inputs)
    if count == 1:
        composer.copy(total, y)
    for index in range(1, count):
        target = y if index == count - 1 else None
        total = composer.binary(name, total, composer.operand(index), target)


def build_mean(builder: LaunchBuilder) -> None:
    """Launch Mean-13: the sum of the inputs, divided by their number."""
    composer = Composer(builder)
    y = composer.result()
    total = composer.scratch(y.dtype, *y.shape)
    fold_inputs(composer, "add", total)
    composer.binary("div", total, composer.number(len(builder.node.inputs)), y)


def build_abs(builder: LaunchBuilder) -> None:
    """Launch Abs-13; an unsigned integer is its own magnitude."""
    composer = Composer(builder)
    x, y = composer.operand(0), composer.result()
    if x.dtype == "uint8":
        composer.copy(x, y)
    else:
        composer.map(f"abs_{x.dtype}", x, y)


def build_neg(builder: LaunchBuilder) -> None:
    """Launch Neg-13."""
    composer = Composer(builder)
    x = composer.operand(0)
    composer.map(MINUS_BY_WIDTH.get(x.dtype, "neg_float32"), x, composer.result())


def build_sign(builder: LaunchBuilder) -> None:
    """Launch Sign-13."""
    composer = Composer(builder)
    x = composer.operand(0)
    composer.map(f"sign_{x.dtype}", x, composer.result())


def build_bitwise_not(builder: LaunchBuilder) -> None:
    """Launch BitwiseNot-18."""
    composer = Composer(builder)
    x = composer.operand(0)
    composer.map(f"invert_{x.width}", x, composer.result())


def build_is_inf(builder: LaunchBuilder) -> None:
    """Launch IsInf-20 for the infinities that the flags name."""
    composer = Composer(builder)
    by = builder.node.parameters
    kernels = {
        (True, True): "is_infinity",
        (True, False): "is_negative_infinity",
        (False, True): "is_positive_infinity",
    }
    name = kernels.get((by.detect_negative, by.detect_positive))
    if name is None:
        composer.fill(composer.constant(np.zeros((), np.bool_)), composer.result())
    else:
        composer.map(name, composer.operand(0), composer.result())


def build_gelu(builder: LaunchBuilder) -> None:
    """Launch Gelu-20 of either kind."""
    composer = Composer(builder)
    name, values = "gelu_float32", [bits_of(gelu_operator.SQRT_TWO)]
    if builder.node.parameters.approximate == "tanh":
        factors = (gelu_operator.SQRT_TWO_OVER_PI, gelu_operator.CUBIC)
        name, values = "gelu_tanh_float32", [*map(bits_of, factors)]
    composer.map(name, composer.operand(0), composer.result(), values)


def build_hard_swish(builder: LaunchBuilder) -> None:
    """Launch HardSwish-14."""
    composer = Composer(builder)
    values = [*map(bits_of, (hard_swish_operator.SIXTH, hard_swish_operator.HALF))]
    composer.map("hard_swish", composer.operand(0), composer.result(), values)


def build_mod(builder: LaunchBuilder) -> None:
    """Launch Mod-13 with the sign of the divisor or of the dividend."""
    truncates = builder.node.parameters.follows_dividend
    of_two("remainder" if truncates else "modulo")(builder)


def build_bit_shift(builder: LaunchBuilder) -> None:
    """Launch BitShift-11."""
    of_two("shift_left" if builder.node.parameters.is_left else "shift_right")(builder)


def build_pow(builder: LaunchBuilder) -> None:
    """Launch Pow-15: of float32 unless both operands are integers, in the dtype of the base."""
    composer = Composer(builder)
    base, exponent, y = composer.operand(0), composer.operand(1), composer.result()
    if "float32" not in (base.dtype, exponent.dtype):
        composer.binary("pow", base, composer.cast(exponent, "int64"), y)
        return
    base, exponent = composer.cast(base, "float32"), composer.cast(exponent, "float32")
    if y.dtype == "float32":
        composer.binary("pow", base, exponent, y)
    else:
        composer.cast(composer.binary("pow", base, exponent), y.dtype, y)


def build_where(builder: LaunchBuilder) -> None:
    """Launch Where-16."""
    composer = Composer(builder)
    condition, a, b = map(composer.operand, range(3))
    composer.where(condition, a, b, composer.result())


def build_cast(builder: LaunchBuilder) -> None:
    """Launch Cast-21 or CastLike-21."""
    composer = Composer(builder)
    y = composer.result()
    composer.cast(composer.operand(0), y.dtype, y)


BUILDERS = MappingProxyType[str, Builder](
    {
        **{
            name: mapped(f"{name.lower()}_float32")
            for name in (
                *("Acos", "Asin", "Atan", "Ceil", "Cos", "Cosh", "Erf", "Exp", "Floor", "Log"),
                *("Mish", "Reciprocal", "Round", "Sigmoid", "Sin", "Sinh", "Softplus", "Softsign"),
                *("Tan", "Tanh"),
            )
        },
        "Abs": build_abs,
        "Add": of_two("add"),
        "And": of_two("and"),
        "BitShift": build_bit_shift,
        "BitwiseAnd": of_two("and"),
        "BitwiseNot": build_bitwise_not,
        "BitwiseOr": of_two("or"),
        "BitwiseXor": of_two("xor"),
        "Cast": build_cast,
        "CastLike": build_cast,
        "Celu": mapped("celu_float32", "alpha"),
        "Div": of_two("div"),
        "Elu": mapped("elu_float32", "alpha"),
        "Equal": of_two("equal"),
        "Gelu": build_gelu,
        "Greater": of_two("greater"),
        "GreaterOrEqual": of_two("greater_or_equal"),
        "HardSigmoid": mapped("hard_sigmoid", "alpha", "beta"),
        "HardSwish": build_hard_swish,
        "IsInf": build_is_inf,
        "IsNaN": mapped("is_nan_float32"),
        "LeakyRelu": mapped("leaky_relu", "alpha"),
        "Less": of_two("less"),
        "LessOrEqual": of_two("less_or_equal"),
        "Max": folded("max"),
        "Mean": build_mean,
        "Min": folded("min"),
        "Mod": build_mod,
        "Mul": of_two("mul"),
        "Neg": build_neg,
        "Not": mapped("not_bool"),
        "Or": of_two("or"),
        "PRelu": of_two("prelu"),
        "Pow": build_pow,
        "Selu": mapped("selu_float32", "alpha", "scale"),
        "Sign": build_sign,
        "Sqrt": mapped("root_float32"),
        "Sub": of_two("sub"),
        "Sum": folded("add"),
        "ThresholdedRelu": mapped("thresholded_relu", "alpha"),
        "Where": build_where,
        "Xor": of_two("xor"),
    }
)
