// What float32 and 8-bit convolutions share: a matrix product per group whose right operand is read through a table of taps.
#pragma once
#include "dot_tile.cuh"
#include "window.cuh"

// Term k of a sum reads the input at the window's start moved by (z, y, x), in input channel k / taps of the group.
// `offset` is the move in elements, channel included, modulo 2^32: an offset that would not fit is of a tap that no output has.
struct Tap {
    int offset, z, y, x;
};

struct Convolution {
    const Tap* taps;
    word groups, rows, depth, columns, group_channels;  // rows: output channels of a group; columns: outputs of all images
    Window window;
};

// The window of one column: where it starts, and that place in the input of the group, modulo 2^32.
struct Pixel {
    Position start;
    unsigned base;
};

EXACT Pixel pixel_of(const Convolution& shape, int group, int column) {
    int outputs = spatial_size(shape.window.output), image = column / outputs;
    Position start = window_start(shape.window, column % outputs);
    unsigned channel = ((unsigned)image * (unsigned)shape.groups + (unsigned)group) * (unsigned)shape.group_channels;
    unsigned z = channel * (unsigned)shape.window.input[0] + (unsigned)start.z;
    unsigned y = z * (unsigned)shape.window.input[1] + (unsigned)start.y;
    return {start, y * (unsigned)shape.window.input[2] + (unsigned)start.x};
}

EXACT bool is_padding(const Convolution& shape, const Pixel& pixel, const Tap& tap) {
    return !is_inside(shape.window, pixel.start.z + tap.z, pixel.start.y + tap.y, pixel.start.x + tap.x);
}

// Only for a tap that is no padding.
EXACT int input_offset(const Pixel& pixel, const Tap& tap) { return (int)(pixel.base + (unsigned)tap.offset); }

// Where output `row` of a group lies for a column.
EXACT long long output_offset(const Convolution& shape, int group, int row, int column) {
    int outputs = spatial_size(shape.window.output), image = column / outputs;
    long long channel = ((long long)image * shape.groups + group) * shape.rows + row;
    return channel * outputs + column % outputs;
}
