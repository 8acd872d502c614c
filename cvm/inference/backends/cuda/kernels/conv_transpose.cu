// ConvTranspose on float32: one accumulator from +0, acc = fma(x, w, acc), in ascending (input channel, kernel position) over the
// taps that reach an output; the bias is last. One thread makes one output.
#include "window.cuh"

struct ConvTranspose {
    float* y;
    const float* x;
    const float* w;     // (channels, maps of a group, *kernel)
    const float* bias;  // null: nothing is added
    word size, groups, group_channels, group_maps;
    Window window;  // input and output are those of the convolution that this one transposes: input is y's, output is x's
};

// The input position of one axis whose tap k reaches output `at`, or -1.
EXACT int source_of(const Window& window, int axis, int at, int k) {
    int moved = at + (int)window.pads[axis] - k * (int)window.dilations[axis], stride = (int)window.strides[axis];
    if (moved < 0 || moved % stride != 0 || moved / stride >= window.output[axis]) return -1;
    return moved / stride;
}

extern "C" __global__ void conv_transpose_f32(const ConvTranspose* work) {
    int i = global_thread();
    if (i >= work->size) return;
    const Window& window = work->window;
    int plane = spatial_size(window.input), source = spatial_size(window.output), kernel = spatial_size(window.kernel);
    int maps = (int)work->group_maps, channels = (int)work->group_channels, groups = (int)work->groups;
    int map = i / plane % (maps * groups), image = i / plane / (maps * groups), group = map / maps, at = i % plane;
    int column = at % (int)window.input[2], row = at / (int)window.input[2] % (int)window.input[1];
    int layer = at / (int)window.input[2] / (int)window.input[1];
    const float* x = work->x + ((long long)image * groups + group) * channels * source;
    const float* w = work->w + ((long long)group * channels * maps + map % maps) * kernel;
    float sum = 0.0f;
    for (int c = 0; c < channels; c++, x += source, w += (long long)maps * kernel) {
        int tap = 0;
        for (int a = 0; a < (int)window.kernel[0]; a++)
            for (int b = 0; b < (int)window.kernel[1]; b++)
                for (int d = 0; d < (int)window.kernel[2]; d++, tap++) {
                    int z = source_of(window, 0, layer, a), y = source_of(window, 1, row, b), t = source_of(window, 2, column, d);
                    if (z < 0 || y < 0 || t < 0) continue;
                    sum = f32_fma(x[(z * (int)window.output[1] + y) * (int)window.output[2] + t], w[tap], sum);
                }
    }
    work->y[i] = work->bias ? f32_add(sum, work->bias[map]) : sum;
}
