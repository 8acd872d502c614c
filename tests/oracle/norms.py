"""The norms once more, one scalar at a time, on exact fractions."""

import math
from collections.abc import Sequence

from tests.oracle import float32, transcendental
from tests.oracle.float32 import add, chunked_sum, divide, multiply, subtract
from tests.oracle.reductions import square_root
from tests.oracle.tensors import Tensor, filled


def mean(values: Sequence[float]) -> float:
    """Return the ordered sum divided by the count."""
    return divide(chunked_sum(list(values)), float32.from_int(len(values)))


def normalised(values: Sequence[float], epsilon: float) -> tuple[list[float], float, float]:
    """Return centred and scaled values, the mean and the deviation."""
    centre = mean(values)
    distances = [subtract(value, centre) for value in values]
    deviation = square_root(add(mean([multiply(d, d) for d in distances]), epsilon))
    return [divide(d, deviation) for d in distances], centre, deviation


def rows_normalised(
    x: Tensor, length: int, epsilon: float
) -> tuple[Tensor, list[float], list[float]]:
    """Return x with each run of `length` elements normalised, its means and its deviations."""
    data: list[float] = []
    means, deviations = [], []
    for start in range(0, len(x.data), length):
        values, centre, deviation = normalised(x.data[start : start + length], epsilon)
        data += values
        means.append(centre)
        deviations.append(deviation)
    return Tensor("float32", x.shape, data), means, deviations


def affine(x: Tensor, scale: Tensor, bias: Tensor | None) -> Tensor:
    """Return x * scale + bias, stretched."""

    def one(index: tuple[int, ...]) -> float:
        scaled = multiply(x.at(index), scale.stretched_at(index))
        return scaled if bias is None else add(scaled, bias.stretched_at(index))

    return filled("float32", x.shape, one)


def per_channel(values: Tensor, rank: int) -> Tensor:
    """Return one value per channel as (c, 1 ...)."""
    return Tensor("float32", (len(values.data), *(1,) * (rank - 2)), values.data)


def layer(
    x: Tensor, axis: int, scale: Tensor, bias: Tensor | None, epsilon: float
) -> tuple[Tensor, Tensor, Tensor]:
    """Return y, mean and 1 / deviation."""
    length = math.prod(x.shape[axis:])
    values, means, deviations = rows_normalised(x, length, epsilon)
    shape = (*x.shape[:axis], *(1,) * (len(x.shape) - axis))
    inverses = [divide(1.0, deviation) for deviation in deviations]
    y = affine(values, scale, bias)
    return y, Tensor("float32", shape, means), Tensor("float32", shape, inverses)


def grouped(x: Tensor, groups: int, scale: Tensor, bias: Tensor, epsilon: float) -> Tensor:
    """Return a group norm; as many groups as channels give an instance norm."""
    values, _, _ = rows_normalised(x, math.prod(x.shape[1:]) // groups, epsilon)
    rank = len(x.shape)
    return affine(values, per_channel(scale, rank), per_channel(bias, rank))


def batch(
    x: Tensor, scale: Tensor, bias: Tensor, centre: Tensor, variance: Tensor, epsilon: float
) -> Tensor:
    """Return a batch norm of x (n, c, ...)."""

    def one(index: tuple[int, ...]) -> float:
        c = index[1]
        deviation = square_root(add(variance.data[c], epsilon))
        quotient = divide(subtract(x.at(index), centre.data[c]), deviation)
        return add(multiply(quotient, scale.data[c]), bias.data[c])

    return filled("float32", x.shape, one)


def over_channels(x: Tensor, epsilon: float) -> Tensor:
    """Return MeanVarianceNormalization over every axis but the second."""

    def one(index: tuple[int, ...]) -> float:
        values = [
            x.at((n, index[1], *place)) for n in range(x.shape[0]) for place in _places(x.shape[2:])
        ]
        centre = mean(values)
        distances = [subtract(value, centre) for value in values]
        deviation = add(square_root(mean([multiply(d, d) for d in distances])), epsilon)
        return divide(subtract(x.at(index), centre), deviation)

    return filled("float32", x.shape, one)


def _places(shape: Sequence[int]) -> list[tuple[int, ...]]:
    places: list[tuple[int, ...]] = [()]
    for length in shape:
        places = [(*place, i) for place in places for i in range(length)]
    return places


def lrn(x: Tensor, size: int, alpha: float, beta: float, bias: float) -> Tensor:
    """Return local response normalisation of finite x."""
    factor = divide(alpha, float32.from_int(size))

    def one(index: tuple[int, ...]) -> float:
        n, c, *place = index
        first = max(0, c - math.floor((size - 1) / 2))
        last = min(x.shape[1] - 1, c + math.ceil((size - 1) / 2))
        values = [x.at((n, i, *place)) for i in range(first, last + 1)]
        total = chunked_sum([multiply(value, value) for value in values])
        base = add(bias, multiply(factor, total))
        return divide(x.at(index), transcendental.power(base, beta))

    return filled("float32", x.shape, one)


def log_softmax(x: Tensor, axis: int) -> Tensor:
    """Return the logarithm of softmax of finite x."""

    def one(index: tuple[int, ...]) -> float:
        values = [x.at((*index[:axis], i, *index[axis + 1 :])) for i in range(x.shape[axis])]
        distances = [subtract(value, max(values)) for value in values]
        total = chunked_sum([transcendental.exp(distance) for distance in distances])
        return subtract(distances[index[axis]], transcendental.log(total))

    return filled("float32", x.shape, one)
