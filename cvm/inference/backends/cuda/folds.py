"""Reductions, norms of vectors, running sums and LRN, as steps of `Composer`."""

from collections.abc import Callable
from math import prod
from types import MappingProxyType

import numpy as np

from cvm.inference.backends.cuda.composition import Composer, Tensor, bits_of
from cvm.inference.backends.cuda.launch_builder import LaunchBuilder
from cvm.inference.backends.cuda.windows import window_words
from cvm.inference.operators.cumsum import CumSumParameters
from cvm.inference.operators.global_lp_pool import GlobalLpPoolParameters
from cvm.inference.operators.lp_pool import LpPoolParameters
from cvm.inference.operators.lrn import LrnParameters
from cvm.inference.operators.reduction import ReductionParameters
from cvm.inference.operators.softmax import SoftmaxParameters

Builder = Callable[[LaunchBuilder], None]


def plain_fold(name: str) -> Builder:
    """Return the builder of a fold of the elements as they are."""

    def build(builder: LaunchBuilder) -> None:
        composer = Composer(builder)
        by: ReductionParameters = builder.node.parameters
        composer.fold(name, composer.operand(0), by.axes, composer.result())

    return build


def sum_over(composer: Composer, x: Tensor, by: ReductionParameters) -> Tensor:
    """Return the sums over the axes; without axes every value stays as it is, -0 included."""
    return composer.fold("sums", x, by.axes) if by.axes else x


def build_sum(builder: LaunchBuilder) -> None:
    """Launch ReduceSum-13."""
    composer = Composer(builder)
    composer.copy(
        sum_over(composer, composer.operand(0), builder.node.parameters), composer.result()
    )


def build_l1(builder: LaunchBuilder) -> None:
    """Launch ReduceL1-18."""
    composer = Composer(builder)
    x = composer.operand(0)
    sizes = composer.map(f"abs_{x.dtype}", x)
    composer.copy(sum_over(composer, sizes, builder.node.parameters), composer.result())


def sum_of_squares(composer: Composer) -> Tensor:
    """Return the sums of the squares of input 0."""
    x = composer.operand(0)
    return sum_over(composer, composer.binary("mul", x, x), composer.builder.node.parameters)


def build_sum_square(builder: LaunchBuilder) -> None:
    """Launch ReduceSumSquare-18."""
    composer = Composer(builder)
    composer.copy(sum_of_squares(composer), composer.result())


def build_l2(builder: LaunchBuilder) -> None:
    """Launch ReduceL2-18; the root is of float32."""
    composer = Composer(builder)
    y = composer.result()
    root = composer.function("root", composer.cast(sum_of_squares(composer), "float32"))
    composer.cast(root, y.dtype, y)


def build_mean(builder: LaunchBuilder) -> None:
    """Launch ReduceMean-18."""
    composer = Composer(builder)
    by: ReductionParameters = builder.node.parameters
    total = sum_over(composer, composer.operand(0), by)
    count = composer.constant(np.asarray(by.count).astype(total.dtype))
    composer.binary("div", total, count, composer.result().shaped(*total.shape))


def build_log_sum(builder: LaunchBuilder) -> None:
    """Launch ReduceLogSum-18; the logarithm is of float32."""
    composer = Composer(builder)
    y = composer.result()
    total = sum_over(composer, composer.operand(0), builder.node.parameters)
    logarithm = composer.function("log", composer.cast(total, "float32"))
    composer.cast(logarithm, y.dtype, y)


def build_log_sum_exp(builder: LaunchBuilder) -> None:
    """Launch ReduceLogSumExp-18 with the greatest element taken out."""
    composer = Composer(builder)
    by: ReductionParameters = builder.node.parameters
    x, y = composer.cast(composer.operand(0), "float32"), composer.result()
    greatest = composer.map("zero_if_infinite", composer.fold("maxima", x, by.axes))
    exponentials = composer.function("exp", composer.binary("sub", x, greatest))
    total = composer.fold("sums", exponentials, by.axes)
    sum_of_logarithms = composer.binary("add", composer.function("log", total), greatest)
    composer.cast(sum_of_logarithms, y.dtype, y)


def build_log_softmax(builder: LaunchBuilder) -> None:
    """Launch LogSoftmax-13."""
    composer = Composer(builder)
    by: SoftmaxParameters = builder.node.parameters
    x = composer.operand(0)
    distances = composer.binary("sub", x, composer.fold("maxima", x, (by.axis,)))
    total = composer.fold("sums", composer.function("exp", distances), (by.axis,))
    composer.binary("sub", distances, composer.function("log", total), composer.result())


def powers(composer: Composer, x: Tensor, p: int) -> Tensor:
    """Return `operators.p_norm.powers`."""
    if p == 2:
        return composer.binary("mul", x, x)
    sizes = composer.function("abs", x)
    return sizes if p == 1 else composer.binary("pow", sizes, composer.number(p))


def add_root(composer: Composer, total: Tensor, p: int, y: Tensor) -> None:
    """Append `operators.p_norm.root`."""
    if p == 1:
        composer.copy(total, y)
    elif p == 2:
        composer.function("root", total, y)
    else:
        inverse = composer.number(np.float32(1) / np.float32(p))
        composer.binary("pow", total, inverse, y)


def build_global_lp_pool(builder: LaunchBuilder) -> None:
    """Launch GlobalLpPool-2."""
    composer = Composer(builder)
    by: GlobalLpPoolParameters = builder.node.parameters
    total = sum_over(composer, powers(composer, composer.operand(0), by.p), by)
    add_root(composer, total, by.p, composer.result())


def build_lp_pool(builder: LaunchBuilder) -> None:
    """Launch LpPool-18."""
    composer = Composer(builder)
    by: LpPoolParameters = builder.node.parameters
    y = composer.result()
    x = powers(composer, composer.operand(0), by.p)
    total = composer.scratch(y.dtype, *y.shape)
    window = window_words(by, by.input_shape[2:])
    composer.launch("pooling", "sum_pool", y.size, total.place, x.place, y.size, *window)
    add_root(composer, total, by.p, y)


def build_lrn(builder: LaunchBuilder) -> None:
    """Launch LRN-13."""
    composer = Composer(builder)
    by: LrnParameters = builder.node.parameters
    x, y = composer.operand(0), composer.result()
    base = composer.scratch(x.dtype, *x.shape)
    extents = (x.size, x.shape[1], prod(x.shape[2:]), by.before, by.after)
    factors = (bits_of(by.factor), bits_of(by.bias))
    composer.launch("running", "neighbour_sums", x.size, base.place, x.place, *extents, *factors)
    composer.binary("div", x, composer.binary("pow", base, composer.number(by.beta)), y)


def build_cumsum(builder: LaunchBuilder) -> None:
    """Launch CumSum-14: one thread for each slice."""
    composer = Composer(builder)
    by: CumSumParameters = builder.node.parameters
    x, y = composer.operand(0), composer.result()
    length = x.shape[by.axis]
    slices = x.size // length if length else 0
    kernel = "running_sums_float32" if x.dtype == "float32" else f"running_sums_{x.width}"
    words = (slices, length, prod(x.shape[by.axis + 1 :]), int(by.exclusive), int(by.reverse))
    composer.launch("running", kernel, slices, y.place, x.place, *words)


BUILDERS = MappingProxyType[str, Builder](
    {
        "CumSum": build_cumsum,
        "GlobalLpPool": build_global_lp_pool,
        "GlobalMaxPool": plain_fold("maxima"),
        "LRN": build_lrn,
        "LogSoftmax": build_log_softmax,
        "LpPool": build_lp_pool,
        "ReduceL1": build_l1,
        "ReduceL2": build_l2,
        "ReduceLogSum": build_log_sum,
        "ReduceLogSumExp": build_log_sum_exp,
        "ReduceMax": plain_fold("maxima"),
        "ReduceMean": build_mean,
        "ReduceMin": plain_fold("minima"),
        "ReduceProd": plain_fold("products"),
        "ReduceSum": build_sum,
        "ReduceSumSquare": build_sum_square,
    }
)
