"""Products and folds that are few long chains: each step waits for the one before."""

from collections.abc import Iterator

import numpy as np

from bench.gas_cases.case import GasCase
from bench.gas_cases.products import NO_ZERO, SCALE, Y_SCALE, ZERO
from bench.gas_cases.reductions import REDUCTIONS
from bench.gas_hunt.hunted import Hunt, floats, form_of, hunted, int64, integers

PRODUCTS = (
    *((1, 64, 1), (1, 4096, 1), (1, 2**16, 1), (1, 2**20, 1), (2, 2**16, 1), (1, 2**16, 2)),
    *((1, 2**14, 7), (7, 2**14, 1), (3, 2**14, 3), (1, 2**13, 17), (17, 2**13, 1), (9, 4096, 9)),
    *((512, 1, 512), (512, 2, 512), (2**16, 1, 1), (1, 1, 2**16), (2**16, 3, 1), (1, 3, 2**16)),
    *((512, 512, 1), (1, 512, 512), (5, 512, 512), (512, 512, 5), (129, 64, 129), (2, 512, 512)),
    *((2**14, 4, 4), (4, 4, 2**14), (4096, 16, 2), (2, 16, 4096), (64, 2**12, 8), (8, 2**12, 64)),
)
"""Rows, depth and columns."""

STACKS = (
    *((4096, 1, 4, 1), (4096, 2, 2, 2), (2**14, 1, 1, 1), (512, 1, 64, 1), (512, 3, 5, 7)),
    *((64, 1, 1024, 1), (64, 17, 16, 17), (2048, 4, 4, 4), (256, 1, 64, 64), (256, 64, 64, 1)),
)
"""Products, rows, depth and columns."""

EQUATIONS = (
    *(("i,i->", (2**16,), (2**16,)), ("ij,ij->", (256, 256), (256, 256))),
    *(("bi,bi->b", (1024, 64), (1024, 64)), ("ij,ij->j", (1024, 64), (1024, 64))),
    *(("ij,ji->", (256, 256), (256, 256)), ("bij,bjk->ik", (16, 32, 32), (16, 32, 32))),
    *(("ij,kl->ijkl", (16, 16), (16, 16)), ("ijk,kji->ji", (32, 32, 32), (32, 32, 32))),
    *(("abcd,dcbe->ea", (8, 16, 16, 8), (8, 16, 16, 8)), ("i,j->ij", (512,), (512,))),
    *(("b,b->b", (2**14,), (2**14,)), ("bi,bj->bij", (2048, 4), (2048, 4))),
)

FOLDED = (
    *(((2**16,), 0), ((2**20,), 0), ((4, 2**14), 1), ((2**14, 4), 1), ((2**14, 4), 0)),
    *(((2**15, 2), 0), ((2**11, 31), 0), ((2**11, 33), 0), ((2**16, 1), 1), ((2**16, 1), 0)),
    *(((64, 64, 8), 1), ((64, 2, 512), 1), ((1, 2**16), 0), ((3000, 3, 7), 1), ((2**14, 2), 1)),
    *(((2**12, 17), 1), ((256, 257), 1), ((256, 257), 0), ((2**13, 8), 1), ((512, 2, 64), 1)),
)

CELLS = (
    *((256, 1, 1, 1), (256, 1, 2, 3), (128, 1, 64, 1), (64, 1, 1024, 1), (512, 1, 1, 5)),
    *((64, 16, 3, 3), (8, 512, 1, 1), (64, 1, 17, 17), (16, 1, 1, 256), (2, 1, 1, 1), (1, 1, 1, 1)),
    *((32, 1, 1, 65), (16, 4, 33, 9)),
)
"""Time steps, batch, inputs and hidden state."""


def products() -> Iterator[GasCase]:
    """Make products of matrices with few outputs, or few terms, or remainders of every tile."""
    for m, k, n in PRODUCTS:
        form = form_of(m, k, n)
        a, b = floats(m, k), floats(k, n)
        yield hunted("MatMul", form, a, b)
        yield hunted("MatMul", f"{form} weights", a, b, constants=(1,))
        yield hunted("Gemm", f"{form} turned", a.T.copy(), b.T.copy(), transA=1, transB=1)
        left, right = integers("uint8", m, k), integers("int8", k, n)
        if k < 2**15:
            yield hunted("MatMulInteger", form, left, right)
            yield hunted("MatMulInteger", f"{form} weights", left, right, constants=(1,))
            scaled = (left, SCALE, ZERO, right, SCALE, NO_ZERO, Y_SCALE, ZERO)
            yield hunted("QLinearMatMul", form, *scaled, constants=tuple(range(1, 8)))


def stacks() -> Iterator[GasCase]:
    """Make stacks of small products, and sums over labels."""
    for count, m, k, n in STACKS:
        form = form_of(count, m, k, n)
        yield hunted("MatMul", form, floats(count, m, k), floats(count, k, n))
        yield hunted("MatMul", f"{form} one left", floats(m, k), floats(count, k, n))
        left, right = integers("uint8", count, m, k), integers("int8", count, k, n)
        yield hunted("MatMulInteger", form, left, right)
    for equation, a, b in EQUATIONS:
        yield hunted("Einsum", equation, floats(*a), floats(*b), equation=equation)


def folds() -> Iterator[GasCase]:
    """Make folds of one long axis, of many short ones, and of axes between others."""
    for shape, axis in FOLDED:
        x, form = floats(*shape), f"{form_of(*shape)} axis {axis}"
        for op in REDUCTIONS:
            data = np.abs(x) if op == "ReduceLogSum" else x
            yield hunted(op, form, data, int64(axis), constants=(1,))
        for op in ("ReduceSum", "ReduceMax", "ReduceProd"):
            for dtype in ("int32", "int64"):
                given = integers(dtype, *shape)
                yield hunted(op, f"{form} {dtype}", given, int64(axis), constants=(1,))
        for op in ("ArgMax", "ArgMin", "Softmax", "LogSoftmax"):
            yield hunted(op, form, x, axis=axis)
        axes = np.array(axis, np.int64)
        yield hunted("CumSum", form, x, axes, constants=(1,), reverse=1, exclusive=1)
        yield hunted("CumSum", f"{form} int64", integers("int64", *shape), axes, constants=(1,))
    for axes_listed in ((0, 2), (1, 3), (0, 3), (1, 2)):
        for op in REDUCTIONS:
            given = np.abs(floats(8, 32, 8, 32))
            form = f"8x32x8x32 axes {axes_listed}"
            yield hunted(op, form, given, int64(*axes_listed), constants=(1,))


def cells() -> Iterator[GasCase]:
    """Make recurrent layers of few hidden numbers, or of few steps."""
    for steps, batch, given, hidden in CELLS:
        form = form_of(steps, batch, given, hidden)
        for op, gates in (("RNN", 1), ("GRU", 3), ("LSTM", 4)):
            x = floats(steps, batch, given)
            for sides, direction in ((1, "forward"), (2, "bidirectional")):
                weights = (
                    floats(sides, gates * hidden, given),
                    floats(sides, gates * hidden, hidden),
                )
                bias = floats(sides, 2 * gates * hidden)
                yield hunted(
                    op,
                    f"{form} {direction}",
                    *(x, *weights, bias),
                    constants=(1, 2, 3),
                    hidden_size=hidden,
                    direction=direction,
                )


HUNTS: dict[str, Hunt] = {"products": products, "stacks": stacks, "folds": folds, "cells": cells}
