"""How often an inner loop starts: short rows, tiny pieces and stretched axes cost by the run."""

from collections.abc import Iterable, Sequence
from itertools import groupby
from math import prod

from cvm.inference.cost import RUN
from cvm.inference.graph import NodeView
from cvm.inference.tensor_type import Shape, TensorType


def merged_lengths(lengths: Sequence[int], kinds: Sequence[object]) -> list[int]:
    """Return the lengths of neighbouring axes of one kind as one; axes of length 1 fall out."""
    axes = [(kind, length) for kind, length in zip(kinds, lengths, strict=True) if length > 1]
    groups = groupby(axes, key=lambda axis: axis[0])
    return [prod(length for _, length in members) for _, members in groups]


def broadcast_runs(shapes: Iterable[Shape], output: Shape) -> int:
    """Return the runs of an elementwise loop: no two axes merge that one operand stretches over."""
    aligned = [(1,) * (len(output) - len(shape)) + shape for shape in shapes]
    kinds = [tuple(shape[axis] == 1 for shape in aligned) for axis in range(len(output))]
    return prod(merged_lengths(output, kinds)[:-1])


def broadcast_steps(view: NodeView, output: TensorType) -> int:
    """Return the steps of the runs of an elementwise operator; one run is free."""
    shapes = [entry.shape for entry in view.types if entry is not None]
    return RUN * (broadcast_runs(shapes, output.shape) - 1)


def is_stretched(view: NodeView, output: TensorType) -> bool:
    """Say whether an operand repeats one element along a whole inner loop."""
    rank = len(output.shape)
    inner = max((axis for axis, length in enumerate(output.shape) if length > 1), default=-1)
    shapes = [(1,) * (rank - len(entry.shape)) + entry.shape for entry in view.types if entry]
    return inner >= 0 and any(shape[inner] == 1 for shape in shapes)


def turned_axes(shape: Shape, order: Sequence[int]) -> list[int]:
    """Return the lengths of the axes in another order; those that stay neighbours count as one."""
    kept = [axis for axis in order if shape[axis] > 1]
    ranks = {axis: rank for rank, axis in enumerate(sorted(kept))}
    kinds = [ranks[axis] - place for place, axis in enumerate(kept)]
    return merged_lengths([shape[axis] for axis in kept], kinds)


def piece_runs(shape: Shape, axis: int) -> int:
    """Return the runs of a copy that cuts or joins along one axis: one for each index before it."""
    return prod(shape[:axis])
