"""The integer tile of a blocked convolution: some pixels by one or two blocks of channels.

Sums are exact in int32 (EXACT section 3), so their order is free. The image is uint8. A tap of
`QUADS` or `PAIRS` is four neighbouring channels, read as one word; a depthwise tap is one pixel of
a whole block.
"""

# ruff: noqa: ARG001  (an intrinsic names all its operands, but reads only some of their types)

from dataclasses import dataclass
from typing import Any

from llvmlite import ir
from numba import types

from cvm.inference.backends.cpu.feature_level import QUADS
from cvm.inference.backends.cpu.layout import BLOCK
from cvm.inference.backends.cpu.llvm_vectors import (
    FLOAT,
    INT32,
    INT64,
    are_literal,
    broadcast,
    counted_loop,
    element_pointer,
    load_vector,
    offset_by,
    vector_intrinsic,
)
from cvm.inference.backends.cpu.micro_kernel_int8 import multiply_quads
from cvm.inference.backends.cpu.pixel_tile_f32 import PixelTile, pixel_pointers
from cvm.inference.backends.cpu.scalar_operations import ROUNDING_MAGIC

INT8 = ir.IntType(8)
INT16 = ir.IntType(16)

DEPTHWISE = 1
"""Beside `QUADS` and `PAIRS`, the third way to multiply: a channel by its own weight."""

EVEN_BYTES = 0x00FF_00FF
PAIR_PRODUCTS = {8: "llvm.x86.avx2.pmadd.wd", 16: "llvm.x86.avx512.pmaddw.d.512"}


@vector_intrinsic
def pixel_tile_int8(
    typing_context: Any,
    kind: Any,
    lanes: Any,
    blocks: Any,
    pixels: Any,
    x: Any,
    x_offset: Any,
    x_pixels: Any,
    taps: Any,
    depth: Any,
    weights: Any,
    weights_offset: Any,
    terms: Any,
    multipliers: Any,
    channel: Any,
    low: Any,
    high: Any,
    zero: Any,
    y: Any,
    y_offset: Any,
    y_pixels: Any,
    y_first: Any,
    y_plane: Any,
    first: Any,
) -> Any:
    """Write a tile of pixels from `first` on: int32 sums + terms, or those requantised to bytes.

    Operands lie as for `pixel_tile_f32`; `weights` has (block, depth, BLOCK) words of four int8
    (`QUADS`), twice as many of two int16, channels 0 and 2 before 1 and 3 (`PAIRS`), or int32
    (`DEPTHWISE`). Bytes are clip(rint(float32(sum) * multiplier), low, high) + zero.
    """
    if not are_literal(kind, lanes, blocks, pixels):
        return None
    at, number = types.intp, types.float32
    signature = types.void(
        *(kind, lanes, blocks, pixels, x, at, x_pixels, taps, at, weights, at, terms),
        *(multipliers, at, number, number, types.int32, y, at, y_pixels, at, at, at),
    )
    way = kind.literal_value
    tile = PixelTile(
        lanes.literal_value, blocks.literal_value, pixels.literal_value, way == DEPTHWISE
    )

    def codegen(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        def pointer(index: int, offset: Any) -> Any:
            return element_pointer(context, builder, signature.args[index], values[index], offset)

        start = ir.Constant(INT64, 0)
        rows = pixel_pointers(builder, tile, pointer(4, values[5]), pointer(6, values[22]))
        sums = emit_sums(
            builder, tile, way, rows, pointer(7, start), values[8], pointer(9, values[10])
        )
        sums = add_terms(builder, tile, sums, pointer(11, values[13]))
        if y.dtype != types.int32:
            bounds = Bounds(*values[14:17])
            sums = requantised(builder, tile, sums, pointer(12, values[13]), bounds)
        outs = pixel_pointers(builder, tile, pointer(17, values[18]), pointer(19, values[20]))
        emit_stores(builder, tile, sums, outs, values[21])
        return context.get_dummy_value()

    return signature, codegen


def emit_sums(
    builder: Any, tile: PixelTile, way: int, rows: list[Any], taps: Any, depth: Any, weights: Any
) -> list[Any]:
    """Emit the loop over taps; return the int32 sums by pixel and vector."""
    vector = ir.VectorType(INT32, tile.lanes)
    parts = 1 if way in (QUADS, DEPTHWISE) else 2
    block_size = builder.mul(depth, ir.Constant(INT64, parts * BLOCK))
    starts = [offset_by(builder, weights, 0), builder.gep(weights, [block_size])]
    count = len(tile.vectors)

    def step(k: Any, sums: list[Any]) -> list[Any]:
        tap = builder.load(builder.gep(taps, [k]))
        row = builder.mul(k, ir.Constant(INT64, parts * BLOCK))
        updated = list(sums)
        for part in range(parts):
            columns = [
                load_vector(
                    builder,
                    offset_by(builder, builder.gep(starts[block], [row]), part * BLOCK + lane),
                    vector,
                )
                for block, lane in tile.vectors
            ]
            for pixel in range(tile.pixels):
                at = builder.gep(rows[pixel], [tap])
                factors = emit_factors(builder, tile, way, part, at)
                for v in range(count):
                    total = updated[pixel * count + v]
                    updated[pixel * count + v] = emit_product(
                        builder, way, total, factors[v], columns[v], tile.lanes
                    )
        return updated

    zero = ir.Constant(vector, [0] * tile.lanes)
    return counted_loop(builder, depth, [zero] * (tile.pixels * count), step)


def emit_factors(builder: Any, tile: PixelTile, way: int, part: int, at: Any) -> list[Any]:
    """Return what each vector of weights is multiplied by: words of the image at a tap."""
    vector = ir.VectorType(INT32, tile.lanes)
    if way == DEPTHWISE:
        narrow = ir.VectorType(INT8, tile.lanes)
        return [
            builder.zext(load_bytes(builder, offset_by(builder, at, lane), narrow), vector)
            for _, lane in tile.vectors
        ]
    words = broadcast(builder, load_bytes(builder, at, INT32), tile.lanes)
    if way != QUADS:
        if part == 1:
            words = builder.lshr(words, ir.Constant(vector, [8] * tile.lanes))
        words = builder.and_(words, ir.Constant(vector, [EVEN_BYTES] * tile.lanes))
    return [words] * len(tile.vectors)


def load_bytes(builder: Any, pointer: Any, kind: Any) -> Any:
    """Load a word or a vector from any address."""
    return builder.load(builder.bitcast(pointer, kind.as_pointer()), align=1)


def emit_product(builder: Any, way: int, total: Any, factor: Any, column: Any, lanes: int) -> Any:
    """Return total + the products of the values in each word."""
    if way == QUADS:
        return multiply_quads(builder, total, factor, column, lanes)
    if lanes not in PAIR_PRODUCTS:
        return builder.add(total, emit_plain_product(builder, way, factor, column, lanes))
    pairs = ir.VectorType(INT16, 2 * lanes)
    function = builder.module.declare_intrinsic(
        PAIR_PRODUCTS[lanes], (), ir.FunctionType(factor.type, [pairs, pairs])
    )
    operands = [builder.bitcast(factor, pairs), builder.bitcast(column, pairs)]
    return builder.add(total, builder.call(function, operands))


def emit_plain_product(builder: Any, way: int, factor: Any, column: Any, lanes: int) -> Any:
    """Return the products of the values in each word by plain arithmetic."""
    if way == DEPTHWISE:
        return builder.mul(factor, column)
    word = ir.VectorType(INT32, lanes)
    half = ir.Constant(word, [16] * lanes)
    low = builder.mul(
        builder.and_(factor, ir.Constant(word, [0xFFFF] * lanes)),
        builder.ashr(builder.shl(column, half), half),
    )
    return builder.add(low, builder.mul(builder.lshr(factor, half), builder.ashr(column, half)))


def add_terms(builder: Any, tile: PixelTile, sums: list[Any], terms: Any) -> list[Any]:
    """Return the sums plus the term of each channel."""
    vector = ir.VectorType(INT32, tile.lanes)
    loaded = [
        load_vector(builder, offset_by(builder, terms, block * BLOCK + lane), vector)
        for block, lane in tile.vectors
    ]
    return [builder.add(total, loaded[i % len(loaded)]) for i, total in enumerate(sums)]


@dataclass(frozen=True, slots=True)
class Bounds:
    """LLVM values: the least and greatest rounded value, and what is added to it."""

    low: Any
    high: Any
    zero: Any


def requantised(
    builder: Any, tile: PixelTile, sums: list[Any], multipliers: Any, bounds: Bounds
) -> list[Any]:
    """Return bytes: clip(rint(float32(sum) * multiplier), low, high) + zero.

    Bounds are integers, so that clipping before rounding gives the same value.
    """
    numbers = ir.VectorType(FLOAT, tile.lanes)
    words, narrow = ir.VectorType(INT32, tile.lanes), ir.VectorType(INT8, tile.lanes)
    low, high, zero = (
        broadcast(builder, value, tile.lanes) for value in (bounds.low, bounds.high, bounds.zero)
    )
    magic = ir.Constant(numbers, [float(ROUNDING_MAGIC)] * tile.lanes)
    factors = [
        load_vector(builder, offset_by(builder, multipliers, block * BLOCK + lane), numbers)
        for block, lane in tile.vectors
    ]
    made: list[Any] = []
    for i, total in enumerate(sums):
        value = builder.fmul(builder.sitofp(total, numbers), factors[i % len(factors)])
        value = builder.select(builder.fcmp_ordered("<", value, low), low, value)
        value = builder.select(builder.fcmp_ordered(">", value, high), high, value)
        value = builder.fsub(builder.fadd(value, magic), magic)
        word = builder.add(builder.fptosi(value, words), zero)
        made.append(builder.trunc(word, narrow))
    return made


def emit_stores(
    builder: Any, tile: PixelTile, sums: list[Any], outs: list[Any], plane: Any
) -> None:
    """Store the vectors of every pixel."""
    for i, value in enumerate(sums):
        block, lane = tile.vectors[i % len(tile.vectors)]
        at = builder.mul(plane, ir.Constant(INT64, block))
        place = offset_by(builder, builder.gep(outs[i // len(tile.vectors)], [at]), lane)
        size = value.type.element.width // 8
        builder.store(value, builder.bitcast(place, value.type.as_pointer()), align=size)
