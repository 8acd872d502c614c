"""Moves in tiny pieces and at the worst strides, and broadcasts of every pattern."""

from collections.abc import Iterator

import numpy as np

from bench.gas_cases.case import GasCase
from bench.gas_hunt.hunted import Hunt, floats, form_of, hunted, int64, integers, random
from cvm.inference.tensor_type import Array, Shape

TURNS = (
    *(((1024, 1024), (1, 0)), ((4096, 64), (1, 0)), ((64, 4096), (1, 0)), ((2**17, 2), (1, 0))),
    *(((2, 2**17), (1, 0)), ((512, 512, 3), (2, 0, 1)), ((3, 512, 512), (1, 2, 0))),
    *(((8,) * 6, (5, 4, 3, 2, 1, 0)), ((2, 64, 2, 64, 2, 8), (4, 2, 0, 5, 3, 1))),
    *(((64, 64, 64), (2, 1, 0)), ((64, 64, 64), (1, 0, 2)), ((4096, 4, 16), (1, 0, 2))),
    *(((257, 1023), (1, 0)), ((2**16, 1, 4), (2, 0, 1)), ((1, 1), (1, 0)), ((2, 3), (1, 0))),
)
"""A shape and the order of its axes."""

PATTERNS = (
    *(((256, 1), (1, 256)), ((2**16,), (1,)), ((1,), (2**16,)), ((2**14, 4), (4,))),
    *(((2**14, 4), (2**14, 1)), ((2**15, 2), (2**15, 1)), ((2**15, 2), (2,))),
    *(((8, 1, 8, 1, 8, 1), (1, 8, 1, 8, 1, 8)), ((2, 1, 64, 1, 64, 1), (1, 8, 1, 2, 1, 2))),
    *(((4, 4, 4, 4, 4, 64), (4, 1, 4, 1, 4, 64)), ((2**13, 1, 3), (1, 3, 1))),
    *(((2**14, 3), (2**14, 1)), ((64, 1, 64), (64, 16, 1)), ((16, 2**12), (16, 2**12))),
    *(((2**10, 17), (17,)), ((1, 64, 32, 32), (64, 1, 1)), ((2**12, 1, 2, 2), (2, 1, 1))),
)
"""Two shapes that stretch."""

BROADCAST = (
    *("Add", "Sub", "Mul", "Div", "Max", "Min", "Mean", "Sum", "Less", "Equal", "PRelu", "Pow"),
)
BROADCAST_INTEGERS = ("Add", "Mul", "Div", "Max", "Min", "Equal", "BitwiseXor")
KINDS = ("float32", "uint8", "int64")


def of_kind(kind: str, *shape: int) -> Array:
    """Return values of a dtype."""
    return floats(*shape) if kind == "float32" else integers(kind, *shape)


def copies() -> Iterator[GasCase]:
    """Make copies to other places, and cuts and joins of tiny pieces."""
    for kind in KINDS:
        for shape, order in TURNS:
            form = f"{form_of(*shape)} {kind} to {order}"
            yield hunted("Transpose", form, of_kind(kind, *shape), perm=order)
        yield from pieces(kind)
        yield from stretched(kind)


def pieces(kind: str) -> Iterator[GasCase]:
    """Make slices, joins and splits of one element each."""
    shape: Shape
    rows, tall = of_kind(kind, 256, 256), of_kind(kind, 2**14, 4)
    for start, stop, step, axis in (
        *((0, 256, 2, 1), (255, -(2**40), -1, 1), (0, 1, 1, 1), (0, 256, 2, 0), (7, 249, 16, 1)),
        *((255, -(2**40), -3, 0), (1, 255, 1, 1)),
    ):
        places = (int64(start), int64(stop), int64(axis), int64(step))
        form = f"{kind} axis {axis} by {step}"
        yield hunted("Slice", f"{form} to {stop}", rows, *places, constants=(1, 2, 3, 4))
    everything = (int64(0), int64(3), int64(1), int64(1))
    yield hunted("Slice", f"{kind} 3 of 4", tall, *everything, constants=(1, 2, 3, 4))
    columns = [of_kind(kind, 1024, 1)] * 64
    yield hunted("Concat", f"64 columns {kind}", *columns, axis=1)
    yield hunted("Concat", f"64 ones {kind}", *[of_kind(kind, 1)] * 64, axis=0)
    yield hunted("Concat", f"rows of 2 {kind}", *[of_kind(kind, 2**14, 2)] * 2, axis=1)
    wide = of_kind(kind, 1024, 64)
    yield hunted("Split", f"64 columns {kind}", wide, axis=1, num_outputs=64, outputs=64)
    yield hunted(
        "Split", f"2 of 2 {kind}", of_kind(kind, 2**15, 2), axis=1, num_outputs=2, outputs=2
    )
    for edges, shape in (
        ((0, 1, 0, 1), (2**13, 2)),
        ((0, 40, 0, 40), (512, 1)),
        ((9, 9, 9, 9), (2, 2)),
    ):
        for mode in ("constant", "edge", "wrap", "reflect"):
            if mode == "reflect" and max(edges) >= min(shape):
                continue
            form = f"{form_of(*shape)} {kind} {mode} {edges}"
            yield hunted(
                "Pad", form, of_kind(kind, *shape), int64(*edges), constants=(1,), mode=mode
            )
    for shape in ((2**13, 2, 2), (256, 256), (2**14, 1, 4), (64, 33, 33)):
        yield hunted("Trilu", f"{form_of(*shape)} {kind}", of_kind(kind, *shape))


def stretched(kind: str) -> Iterator[GasCase]:
    """Make repeated elements, blocks that move, and images of other sizes."""
    shape: Shape
    for shape, times in (
        *(((2**14, 1), (1, 4)), ((2**14, 2), (1, 2)), ((1, 1), (2**12, 16)), ((3,), (2**14,))),
        *(((8, 1, 8), (1, 64, 1)), ((2, 2, 2, 2, 2, 2), (2, 3, 2, 3, 2, 3))),
    ):
        made = tuple(n * t for n, t in zip(shape, times, strict=True))
        x, form = of_kind(kind, *shape), f"{form_of(*shape)} to {form_of(*made)} {kind}"
        yield hunted("Tile", form, x, int64(*times), constants=(1,))
        if all(1 in pair for pair in zip(shape, times, strict=True)):
            yield hunted("Expand", form, x, int64(*made), constants=(1,))
    for block, shape in (
        (8, (1, 64, 32, 32)),
        (2, (1, 4, 128, 128)),
        (2, (1, 512, 8, 8)),
        (16, (1, 256, 16, 16)),
    ):
        form = f"{form_of(*shape)} by {block} {kind}"
        x = of_kind(kind, *shape)
        yield hunted("DepthToSpace", form, x, blocksize=block)
        yield hunted("DepthToSpace", f"{form} CRD", x, blocksize=block, mode="CRD")
        if shape[2] % block == 0:
            yield hunted("SpaceToDepth", form, x, blocksize=block)
    for shape, sizes in (
        *(((1, 4, 8, 8), (1, 4, 64, 64)), ((1, 4, 64, 64), (1, 4, 8, 8))),
        *(((1, 1, 2), (1, 1, 2**14)), ((1, 1, 2**14), (1, 1, 2)), ((2, 2, 2), (32, 32, 32))),
        *(((1, 2**12, 1, 2), (1, 2**12, 1, 3)), ((1, 64, 32, 32), (1, 64, 33, 33))),
    ):
        form = f"{form_of(*shape)} to {form_of(*sizes)}"
        inputs = (of_kind(kind, *shape), None, None, int64(*sizes))
        yield hunted("Resize", f"{form} {kind}", *inputs, constants=(3,))
        if kind == "float32":
            yield hunted("Resize", f"{form} linear", *inputs, constants=(3,), mode="linear")


def broadcasts() -> Iterator[GasCase]:
    """Make elementwise operators of operands that stretch in every pattern."""
    for first, second in PATTERNS:
        form = f"{form_of(*first)} {form_of(*second)}"
        a, b = floats(*first), floats(*second)
        for op in BROADCAST:
            if op != "PRelu" or np.broadcast_shapes(first, second) == first:
                yield hunted(op, form, np.abs(a), b)
        for kind in ("int32", "int64", "uint8"):
            left, right = integers(kind, *first), integers(kind, *second)
            for op in BROADCAST_INTEGERS:
                yield hunted(op, f"{form} {kind}", left, right)
        yield hunted("Where", form, a > 0, a, b)
        yield hunted("Where", f"{form} turned", b > 0, a, b)
        yield hunted("Where", f"{form} int64", b > 0, a.astype(np.int64), b.astype(np.int64))
        yield hunted("And", form, a > 0, b > 0)
        yield hunted("Mod", f"{form} fmod", a, b, fmod=1)
    many = [floats(2**12) for _ in range(32)]
    for op in ("Sum", "Mean", "Max", "Min"):
        yield hunted(op, "32 operands", *many)
        yield hunted(op, "32 operands that stretch", floats(2**12, 1), *[floats(4)] * 31)


def lookups() -> Iterator[GasCase]:
    """Make reads and writes at places that no cache expects."""
    rng = random()
    for rows, width, count in (
        (2**18, 1, 2**14),
        (2**16, 16, 2**12),
        (64, 1, 2**14),
        (2**10, 1024, 64),
    ):
        places = rng.integers(0, rows, count)
        for kind in KINDS:
            x, form = of_kind(kind, rows, width), f"{count} of {form_of(rows, width)} {kind}"
            yield hunted("Gather", form, x, places, axis=0)
            yield hunted("Gather", f"{form} turned", x.T.copy(), places, axis=1)
            yield hunted("GatherND", form, x, places[:, None])
            pairs = np.stack([places, rng.integers(0, width, count)], axis=1)
            yield hunted("GatherND", f"{form} pairs", x, pairs)
            matrix = rng.integers(0, rows, (count, width))
            yield hunted("GatherElements", form, x, matrix, axis=0)
            distinct = rng.permutation(rows)[: min(count, rows // 2)]
            updates = of_kind(kind, distinct.size, width)
            yield hunted("ScatterND", form, x, distinct[:, None], updates, constants=(1,))
            spread = np.repeat(np.sort(distinct)[:, None], width, axis=1)
            yield hunted("ScatterElements", form, x, spread, updates, constants=(1,), axis=0)
    flat = rng.integers(0, 4096, (4, 2**12))
    yield hunted("GatherElements", "rows of 4096", floats(4, 4096), flat, axis=1)
    deep = np.stack([rng.integers(0, 4, 2**13) for _ in range(6)], axis=1)
    yield hunted("GatherND", "six axes", floats(4, 4, 4, 4, 4, 4), deep)
    for count, depth in ((2**14, 2), (16, 4096), (1, 2**16), (2**12, 33)):
        numbers: tuple[Array, ...] = (rng.integers(0, depth, count), int64(depth)[0], floats(2))
        for axis in (-1, 0):
            form = f"{count} to {depth} axis {axis}"
            yield hunted("OneHot", form, *map(np.asarray, numbers), constants=(1, 2), axis=axis)
    for shape, axes in (((64, 1024), (0, 1)), ((1024, 64), (0, 1)), ((256, 256, 2), (1, 0))):
        lengths = np.full(shape[axes[0]], shape[axes[1]])
        names = {"batch_axis": axes[0], "time_axis": axes[1]}
        yield hunted(
            "ReverseSequence",
            form_of(*shape, *axes),
            floats(*shape),
            lengths,
            constants=(1,),
            also=names,
        )


HUNTS: dict[str, Hunt] = {"copies": copies, "broadcasts": broadcasts, "lookups": lookups}
