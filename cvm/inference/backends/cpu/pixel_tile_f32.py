"""The float32 tile of a blocked convolution: some pixels by one or two blocks of channels.

Each output has one accumulator, `acc = fma(x, w, acc)` from +0, index ascending (EXACT section 2);
then the bias, the addend and the bounds are applied in registers, each step rounded once.
"""

# ruff: noqa: ARG001  (an intrinsic names all its operands, but reads only some of their types)

from dataclasses import dataclass
from typing import Any

from llvmlite import ir
from numba import types

from cvm.inference.backends.cpu.layout import BLOCK
from cvm.inference.backends.cpu.llvm_vectors import (
    FLOAT,
    INT64,
    are_literal,
    broadcast,
    counted_loop,
    element_pointer,
    load_vector,
    offset_by,
    store_vector,
    vector_intrinsic,
)


@dataclass(frozen=True, slots=True)
class PixelTile:
    """A tile of `pixels` by `blocks` blocks of channels, in vectors of `lanes`.

    With `is_depthwise` channel c of the output reads channel c of the input alone.
    """

    lanes: int
    blocks: int
    pixels: int
    is_depthwise: bool

    @property
    def vectors(self) -> list[tuple[int, int]]:
        """Return block and first lane of each vector of a pixel."""
        return [
            (block, lane) for block in range(self.blocks) for lane in range(0, BLOCK, self.lanes)
        ]


@vector_intrinsic
def pixel_tile_f32(
    typing_context: Any,
    lanes: Any,
    blocks: Any,
    pixels: Any,
    is_depthwise: Any,
    x: Any,
    x_offset: Any,
    x_pixels: Any,
    taps: Any,
    depth: Any,
    weights: Any,
    weights_offset: Any,
    bias: Any,
    bias_offset: Any,
    addend: Any,
    addend_offset: Any,
    addend_pixels: Any,
    addend_first: Any,
    addend_plane: Any,
    low: Any,
    high: Any,
    y: Any,
    y_offset: Any,
    y_pixels: Any,
    y_first: Any,
    y_plane: Any,
    first: Any,
) -> Any:
    """Write y = Min(Max((dot + bias) + addend, low), high) for a tile of pixels from `first` on.

    Pixel p of x lies at `x_offset + x_pixels[first + p]`, its tap k `taps[k]` further. `weights`
    has (block, depth, BLOCK) values from `weights_offset` on. Pixel p of y lies at `y_offset +
    y_pixels[y_first + p]`, its next block `y_plane` further; so does the addend. An addend and a
    bias of -0 change no bit, and neither do bounds that are infinite; no bound is a NaN or -0, and
    `high` is no zero.
    """
    if not are_literal(lanes, blocks, pixels, is_depthwise):
        return None
    at, number = types.intp, types.float32
    signature = types.void(
        *(lanes, blocks, pixels, is_depthwise, x, at, x_pixels, taps, at, weights, at, bias, at),
        *(addend, at, addend_pixels, at, at, number, number, y, at, y_pixels, at, at, at),
    )
    tile = PixelTile(
        lanes.literal_value, blocks.literal_value, pixels.literal_value, is_depthwise.literal_value
    )

    def codegen(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        def pointer(index: int, offset: Any) -> Any:
            return element_pointer(context, builder, signature.args[index], values[index], offset)

        rows = pixel_pointers(builder, tile, pointer(4, values[5]), pointer(6, values[25]))
        sums = emit_dot_products(
            builder, tile, rows, pointer(7, ir.Constant(INT64, 0)), values[8],
            pointer(9, values[10]),
        )  # fmt: skip
        addends = pixel_pointers(builder, tile, pointer(13, values[14]), pointer(15, values[16]))
        outs = pixel_pointers(builder, tile, pointer(20, values[21]), pointer(22, values[23]))
        finish = Finish(pointer(11, values[12]), addends, values[17], values[18], values[19])
        emit_results(builder, tile, sums, finish, outs, values[24])
        return context.get_dummy_value()

    return signature, codegen


@dataclass(frozen=True, slots=True)
class Finish:
    """LLVM values of what follows the dot product."""

    bias: Any
    addends: list[Any]
    addend_plane: Any
    low: Any
    high: Any


def pixel_pointers(builder: Any, tile: PixelTile, base: Any, offsets: Any) -> list[Any]:
    """Return a pointer to each pixel of a tile: base moved by the next offsets."""
    return [
        builder.gep(base, [builder.load(offset_by(builder, offsets, pixel))])
        for pixel in range(tile.pixels)
    ]


def emit_dot_products(
    builder: Any, tile: PixelTile, rows: list[Any], taps: Any, depth: Any, weights: Any
) -> list[Any]:
    """Emit the loop over taps; return the sums by pixel and vector."""
    vector = ir.VectorType(FLOAT, tile.lanes)
    fma = builder.module.declare_intrinsic(
        f"llvm.fma.v{tile.lanes}f32", (), ir.FunctionType(vector, [vector] * 3)
    )
    block_size = builder.mul(depth, ir.Constant(INT64, BLOCK))
    starts = [offset_by(builder, weights, 0), builder.gep(weights, [block_size])]

    def step(k: Any, sums: list[Any]) -> list[Any]:
        tap = builder.load(builder.gep(taps, [k]))
        row = builder.mul(k, ir.Constant(INT64, BLOCK))
        columns = [
            load_vector(
                builder, offset_by(builder, builder.gep(starts[block], [row]), lane), vector
            )
            for block, lane in tile.vectors
        ]
        updated: list[Any] = []
        for pixel in range(tile.pixels):
            at = builder.gep(rows[pixel], [tap])
            if tile.is_depthwise:
                factors = [
                    load_vector(builder, offset_by(builder, at, lane), vector)
                    for _, lane in tile.vectors
                ]
            else:
                factors = [broadcast(builder, builder.load(at), tile.lanes)] * len(tile.vectors)
            own = sums[pixel * len(tile.vectors) : (pixel + 1) * len(tile.vectors)]
            updated += [
                builder.call(fma, operands) for operands in zip(factors, columns, own, strict=True)
            ]
        return updated

    zero = ir.Constant(vector, [0.0] * tile.lanes)
    return counted_loop(builder, depth, [zero] * (tile.pixels * len(tile.vectors)), step)


def emit_results(
    builder: Any, tile: PixelTile, sums: list[Any], finish: Finish, outs: list[Any], plane: Any
) -> None:
    """Emit bias, addend, bounds and the stores."""
    vector = ir.VectorType(FLOAT, tile.lanes)
    low = broadcast(builder, finish.low, tile.lanes)
    high = broadcast(builder, finish.high, tile.lanes)
    for v, (block, lane) in enumerate(tile.vectors):
        bias = load_vector(builder, offset_by(builder, finish.bias, block * BLOCK + lane), vector)
        for pixel in range(tile.pixels):
            at = builder.mul(finish.addend_plane, ir.Constant(INT64, block))
            place = offset_by(builder, builder.gep(finish.addends[pixel], [at]), lane)
            total = builder.fadd(sums[pixel * len(tile.vectors) + v], bias)
            total = builder.fadd(total, load_vector(builder, place, vector))
            total = builder.select(builder.fcmp_unordered(">", total, low), total, low)
            total = builder.select(builder.fcmp_unordered("<", total, high), total, high)
            at = builder.mul(plane, ir.Constant(INT64, block))
            store_vector(builder, total, offset_by(builder, builder.gep(outs[pixel], [at]), lane))
