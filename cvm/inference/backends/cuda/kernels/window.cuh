// A window that slides over three spatial axes (missing ones have length 1): cvm/inference/operators/window.py.
#pragma once
#include "ieee.cuh"

struct Window {
    word input[3], output[3], kernel[3], strides[3], pads[3], pads_end[3], dilations[3];
};

struct Position {
    int z, y, x;
};

// Where the window of an output starts, in input positions; it may lie in the padding.
EXACT Position window_start(const Window& window, int output) {
    int height = (int)window.output[1], width = (int)window.output[2];
    int x = output % width, y = output / width % height, z = output / width / height;
    return {z * (int)window.strides[0] - (int)window.pads[0], y * (int)window.strides[1] - (int)window.pads[1],
            x * (int)window.strides[2] - (int)window.pads[2]};
}

EXACT bool is_inside(const Window& window, int z, int y, int x) {
    return (unsigned)z < (unsigned)window.input[0] && (unsigned)y < (unsigned)window.input[1] &&
           (unsigned)x < (unsigned)window.input[2];
}

// Only for a position inside.
EXACT int offset_of(const Window& window, int z, int y, int x) {
    return (z * (int)window.input[1] + y) * (int)window.input[2] + x;
}

EXACT int spatial_size(const word lengths[3]) { return (int)(lengths[0] * lengths[1] * lengths[2]); }

// Calls visit(tap, offset) for the taps inside the input, row-major; tap is the place in the kernel.
template <class Visit> EXACT void for_taps(const Window& window, Position start, Visit visit) {
    int tap = 0;
    for (int i = 0; i < (int)window.kernel[0]; i++)
        for (int j = 0; j < (int)window.kernel[1]; j++)
            for (int k = 0; k < (int)window.kernel[2]; k++, tap++) {
                int z = start.z + i * (int)window.dilations[0], y = start.y + j * (int)window.dilations[1];
                int x = start.x + k * (int)window.dilations[2];
                if (is_inside(window, z, y, x)) visit(tap, offset_of(window, z, y, x));
            }
}
