"""Operators that choose elements by indices, as launches of `kernels/movement.cu`."""

from collections.abc import Callable
from math import prod
from types import MappingProxyType

import numpy as np

from cvm.inference.backends.cuda.composition import Composer, Tensor, dense_steps
from cvm.inference.backends.cuda.elementwise import walk_words
from cvm.inference.backends.cuda.launch_builder import LaunchBuilder, Word
from cvm.inference.limits import MAX_RANK
from cvm.inference.operators import scatter_elements, scatter_nd
from cvm.inference.operators.gather import GatherParameters
from cvm.inference.operators.gather_nd import GatherNDParameters
from cvm.inference.operators.one_hot import OneHotParameters
from cvm.inference.operators.reverse_sequence import ReverseSequenceParameters
from cvm.inference.operators.scatter_places import ScatterParameters
from cvm.inference.operators.topk import TopKParameters
from cvm.inference.tensor_type import Array, Shape

Builder = Callable[[LaunchBuilder], None]

SOURCE = "movement"


def found_places(
    composer: Composer, indices: Tensor, lengths: Shape, blocks: int = 1, block: int = 0
) -> Tensor:
    """Append the check of tuples of indices, and return the int32 places that they name.

    Part k of a tuple counts along an axis of lengths[k]. The tuples belong to `blocks` blocks
    of the data that are `block` places apart.
    """
    depth = len(lengths)
    count = indices.size // depth
    places = composer.scratch("int32", count)
    composer.launch(
        SOURCE,
        f"find_places_{indices.dtype}",
        count,
        *(places.place, indices.place, composer.builder.fault()),
        *(count, depth, max(count // blocks, 1), block),
        *(*lengths, *(0,) * (MAX_RANK - depth)),
    )
    return places


def add_slices(
    composer: Composer, x: Tensor, extents: tuple[int, int], places: Tensor, y: Tensor
) -> None:
    """Append the copy of slices places[i] of each block.

    The extents are the length of a block and the elements of a slice.
    """
    length, inner = extents
    words = (y.place, x.place, places.place, y.size, length, places.size, inner)
    composer.launch(SOURCE, f"choose_slices_{y.width}", y.size, *words)


def add_elements(composer: Composer, x: Tensor, axis: int, places: Tensor, y: Tensor) -> None:
    """Append the copy, for each place of y, of the element at its place along one axis of x."""
    steps = [*dense_steps(x.shape)]
    axis_step, steps[axis] = steps[axis], 0
    words: list[Word] = [y.place, x.place, places.place, y.size]
    words += [*walk_words(y.shape, steps), axis_step]
    composer.launch(SOURCE, f"choose_elements_{y.width}", y.size, *words)


def build_gather(builder: LaunchBuilder) -> None:
    """Launch Gather-13 or ArrayFeatureExtractor-1."""
    composer = Composer(builder)
    by: GatherParameters = builder.node.parameters
    length, inner = by.data_shape[by.axis], prod(by.data_shape[by.axis + 1 :])
    places = found_places(composer, composer.operand(1), (length,))
    add_slices(composer, composer.operand(0), (length, inner), places, composer.result())


def build_gather_elements(builder: LaunchBuilder) -> None:
    """Launch GatherElements-13."""
    composer = Composer(builder)
    by: GatherParameters = builder.node.parameters
    x, y = composer.operand(0), composer.result()
    places = found_places(composer, composer.operand(1), (x.shape[by.axis],))
    add_elements(composer, x, by.axis, places, y)


def build_gather_nd(builder: LaunchBuilder) -> None:
    """Launch GatherND-13: a choice of slices of the whole tensor."""
    composer = Composer(builder)
    by: GatherNDParameters = builder.node.parameters
    block = prod(by.indexed)
    places = found_places(composer, composer.operand(1), by.indexed, by.batch, block)
    extents = (by.batch * block, by.slice_size)
    add_slices(composer, composer.operand(0), extents, places, composer.result())


def build_scatter_nd(builder: LaunchBuilder) -> None:
    """Launch ScatterND-18."""
    _add_scatter(builder, scatter_nd.places_of)


def build_scatter_elements(builder: LaunchBuilder) -> None:
    """Launch ScatterElements-18."""
    _add_scatter(builder, scatter_elements.places_of)


def _add_scatter(
    builder: LaunchBuilder, places_of: Callable[[ScatterParameters, Array], Array]
) -> None:
    """Append a copy of the data and, over it, of the updates to constant places."""
    composer = Composer(builder)
    by: ScatterParameters = builder.node.parameters
    indices = builder.constant(1)
    if indices is None:
        raise TypeError(f"{builder.node.name!r}: the indices are no initializer")
    places = composer.constant(places_of(by, indices).astype(np.int32))
    y, updates = composer.result(), composer.operand(2)
    composer.copy(composer.operand(0), y)
    words = (y.place, updates.place, places.place, updates.size, by.slice_size)
    composer.launch(SOURCE, f"put_slices_{y.width}", updates.size, *words)


def build_one_hot(builder: LaunchBuilder) -> None:
    """Launch OneHot-11: where the index is a place, then one of two values."""
    composer = Composer(builder)
    by: OneHotParameters = builder.node.parameters
    indices, y = composer.operand(0), composer.result()
    if indices.dtype != "float32":
        indices = composer.cast(indices, "int64")
    hot = composer.scratch("bool", *y.shape)
    words = (hot.place, indices.place, hot.size, by.depth, prod(y.shape[by.axis + 1 :]))
    composer.launch(SOURCE, f"mark_{indices.dtype}", hot.size, *words)
    values = composer.operand(2)
    composer.where(hot, values.part(1), values.part(0), y)


def build_reverse_sequence(builder: LaunchBuilder) -> None:
    """Launch ReverseSequence-10 by a table of the places that its definition gives."""
    composer = Composer(builder)
    by: ReverseSequenceParameters = builder.node.parameters
    outer = by.shape[0] * by.shape[1]
    numbers = np.arange(outer, dtype=np.int32).reshape(by.shape[:2])
    (table,) = builder.node.spec.run(by, numbers, None)
    places = composer.constant(np.asarray(table, np.int32).reshape(-1))
    extents = (outer, prod(by.shape[2:]))
    add_slices(composer, composer.operand(0), extents, places, composer.result())


def build_topk(builder: LaunchBuilder) -> None:
    """Launch TopK-11: where the first k stand, then a choice of these elements."""
    composer = Composer(builder)
    by: TopKParameters = builder.node.parameters
    x, y, indices = composer.operand(0), composer.result(0), composer.result(1)
    length, inner = x.shape[by.axis], prod(x.shape[by.axis + 1 :])
    slices = x.size // length
    ranks = composer.scratch("int64", slices, by.k)
    heap = composer.scratch("int32", slices, by.k)
    words = (indices.place, x.place, ranks.place, heap.place)
    extents = (slices, length, inner, by.k, int(by.largest))
    composer.launch("running", f"top_k_{x.dtype}", slices, *words, *extents)
    places = composer.cast(indices, "int32")
    add_elements(composer, x, by.axis, places, y)


BUILDERS = MappingProxyType[str, Builder](
    {
        "Gather": build_gather,
        "GatherElements": build_gather_elements,
        "GatherND": build_gather_nd,
        "OneHot": build_one_hot,
        "ReverseSequence": build_reverse_sequence,
        "ScatterElements": build_scatter_elements,
        "ScatterND": build_scatter_nd,
        "TopK": build_topk,
    }
)
