"""Gather, GatherElements, GatherND, ScatterND, ScatterElements: elements at indices."""

from math import prod

import numpy as np

from cvm.inference.backends.cpu.copying import dense_steps, words
from cvm.inference.backends.cpu.elementwise import Six, as_six
from cvm.inference.backends.cpu.step_builder import StepBuilder, flat
from cvm.inference.faults import InputOutOfRange
from cvm.inference.limits import MAX_RANK
from cvm.inference.operators import scatter_elements, scatter_nd
from cvm.inference.operators.gather import GatherParameters
from cvm.inference.operators.gather_nd import GatherNDParameters
from cvm.inference.operators.scatter_places import ScatterParameters
from cvm.inference.tensor_type import Array
from cvm.native_code import kernel


@kernel
def find_places(
    indices: Array, lengths: Array, per_block: int, block: int, places: Array, fault: Array
) -> None:
    """Write, for each tuple of indices, the row-major number of the place that it names.

    Part k of a tuple indexes an axis of lengths[k]; a negative one counts from the end. Tuple t
    lies in block t // per_block, and blocks are `block` places apart. `fault` becomes the first
    index that lies outside its axis and that axis' length, else its length stays 0.
    """
    depth = len(lengths)
    fault[1] = 0
    for t in range(len(places)):
        place = 0
        for k in range(depth):
            index = np.int64(indices[t * depth + k])
            if (index < -lengths[k] or index >= lengths[k]) and fault[1] == 0:
                fault[0], fault[1] = index, lengths[k]
            place = place * lengths[k] + (index + lengths[k] if index < 0 else index)
        places[t] = place + t // per_block * block


def refuse_fault(fault: Array, node: str) -> None:
    """Raise `InputOutOfRange` where `find_places` found an index outside, before anything moves."""
    if fault[1]:
        raise InputOutOfRange(node, int(fault[0]), int(fault[1]))


@kernel
def copy_slices(x: Array, outer: int, length: int, places: Array, inner: int, y: Array) -> None:
    """Write slice places[i] of `inner` elements, for each i, of each block of `length` slices."""
    count = len(places)
    if inner == 1:
        for i in range(outer * count):
            y[i] = x[i // count * length + places[i % count]]
        return
    for block in range(outer):
        for i in range(count):
            source = x[(block * length + places[i]) * inner :]
            target = y[(block * count + i) * inner :]
            for q in range(inner):
                target[q] = source[q]


@kernel
def put_slices(updates: Array, places: Array, inner: int, y: Array) -> None:
    """Write slice i of `inner` elements to slice places[i]."""
    for i in range(len(places)):
        for q in range(inner):
            y[places[i] * inner + q] = updates[i * inner + q]


@kernel
def copy_elements(
    x: Array, x_steps: Six, places: Array, axis_step: int, lengths: Six, y: Array
) -> None:
    """Write element sum(i * x_steps) + places[at] * axis_step, places row-major over `lengths`."""
    at = 0
    for i0 in range(lengths[0]):
        for i1 in range(lengths[1]):
            for i2 in range(lengths[2]):
                i = i0 * x_steps[0] + i1 * x_steps[1] + i2 * x_steps[2]
                for i3 in range(lengths[3]):
                    for i4 in range(lengths[4]):
                        row = i + i3 * x_steps[3] + i4 * x_steps[4]
                        for i5 in range(lengths[5]):
                            y[at] = x[row + i5 * x_steps[5] + places[at] * axis_step]
                            at += 1


def add_places(
    builder: StepBuilder, lengths: tuple[int, ...], node: str, blocks: int = 1, block: int = 0
) -> object:
    """Plan the check of the indices, which are input 1, and return where the places will be."""
    indices = flat(builder.operand(1))
    count = len(indices) // len(lengths)
    places, fault = builder.scratch("int64", count), np.zeros(2, np.int64)
    bounds = np.array(lengths, np.int64)
    per_block = max(count // blocks, 1)
    builder.add(find_places, indices, bounds, per_block, block, places, fault)
    builder.add(refuse_fault, fault, node)
    return places


def build_gather(builder: StepBuilder) -> None:
    """Plan a Gather."""
    parameters: GatherParameters = builder.node.parameters
    shape, axis = parameters.data_shape, parameters.axis
    places = add_places(builder, shape[axis : axis + 1], parameters.node)
    x, y = words(builder.operand(0)), words(builder.results[0])
    inner = prod(shape[axis + 1 :])
    builder.add(copy_slices, x, prod(shape[:axis]), shape[axis], places, inner, y)


def build_gather_elements(builder: StepBuilder) -> None:
    """Plan a GatherElements."""
    parameters: GatherParameters = builder.node.parameters
    shape, axis = parameters.data_shape, parameters.axis
    places = add_places(builder, shape[axis : axis + 1], parameters.node)
    steps = dense_steps(shape)
    axis_step, steps[axis] = steps[axis], 0
    front = MAX_RANK - len(shape)
    lengths = as_six((*(1,) * front, *parameters.output_shape))
    x, y = words(builder.operand(0)), words(builder.results[0])
    x_steps = as_six((*(0,) * front, *steps))
    builder.add(copy_elements, x, x_steps, places, axis_step, lengths, y)


def build_gather_nd(builder: StepBuilder) -> None:
    """Plan a GatherND: a Gather of slices of the whole tensor."""
    parameters: GatherNDParameters = builder.node.parameters
    block = prod(parameters.indexed)
    places = add_places(builder, parameters.indexed, parameters.node, parameters.batch, block)
    x, y = words(builder.operand(0)), words(builder.results[0])
    total = parameters.batch * block
    builder.add(copy_slices, x, 1, total, places, parameters.slice_size, y)


def build_scatter_nd(builder: StepBuilder) -> None:
    """Plan a ScatterND."""
    add_scatter(builder, scatter_nd.places_of(builder.node.parameters, builder.operand(1)))


def build_scatter_elements(builder: StepBuilder) -> None:
    """Plan a ScatterElements."""
    add_scatter(builder, scatter_elements.places_of(builder.node.parameters, builder.operand(1)))


def add_scatter(builder: StepBuilder, places: Array) -> None:
    """Plan a copy of the data and, over it, of the updates to constant places."""
    parameters: ScatterParameters = builder.node.parameters
    result = builder.results[0]
    builder.add(np.copyto, result, builder.operand(0))
    updates = words(builder.operand(2))
    builder.add(put_slices, updates, places, parameters.slice_size, words(result))
