// Conv on float32: one accumulator from +0, acc = fma(w, x, acc), in ascending (input channel, kernel position); the bias is last.
// A padded tap is skipped: adding +0 would turn a sum that has underflowed to -0 into +0.
#include "convolution.cuh"
#include "ordering.cuh"

// Stands for a padded tap in shared memory; an input NaN becomes the canonical one, so no input has these bits.
#define PADDING 0x7fffffffu

struct Term {
    typedef float Operand;
    typedef float Sum;
    EXACT_MEMBER static void add(float& sum, float w, float x) { sum = f32_fma(w, x, sum); }
};

struct PaddedTerm {
    typedef float Operand;
    typedef float Sum;
    EXACT_MEMBER static void add(float& sum, float w, float x) {
        if (bits_of_f32(x) != PADDING) sum = f32_fma(w, x, sum);
    }
};

struct Conv {
    float* y;
    const float* x;
    const float* w;
    const float* bias;  // null: nothing is added
    Convolution shape;
};

EXACT float with_bias(const Conv& work, int channel, float sum) {
    return work.bias ? f32_add(sum, work.bias[channel]) : sum;
}

// Past the last k the operands are +0 and -0: their product -0 leaves every sum alone, a sum of -0 too.
template <class T, int ROWS, int COLUMNS> EXACT void convolve(const Conv work, Tile<float, ROWS, COLUMNS>& tile) {
    const Convolution& shape = work.shape;
    int rows = (int)shape.rows, columns = (int)shape.columns, depth = (int)shape.depth;
    BlockPlace place = block_place<ROWS, COLUMNS>(rows, columns);
    int group = place.matrix, loaded = place.column + loaded_column<COLUMNS>();
    bool has_column = loaded < columns;
    Pixel pixel = pixel_of(shape, group, has_column ? loaded : 0);
    const float* x = work.x;
    const float* w = work.w + (long long)group * rows * depth;
    const Tap* taps = shape.taps;
    DotTile<T, ROWS, COLUMNS> dots = {tile};
    dots.run([=](int row, int k) { return place.row + row < rows && k < depth ? w[(place.row + row) * depth + k] : 0.0f; },
             [&](int k) {
                 if (!has_column || k >= depth) return -0.0f;
                 Tap tap = taps[k];
                 if (is_padding(shape, pixel, tap)) return f32_of_bits(PADDING);
                 float value = x[input_offset(pixel, tap)];
                 return is_nan(value) ? f32_of_bits(CANONICAL_NAN) : value;
             }, depth);
    dots.finish(place, rows, columns, [&](int row, int column, float sum) {
        work.y[output_offset(shape, group, row, column)] = with_bias(work, group * rows + row, sum);
    });
}

extern "C" __global__ void __launch_bounds__(THREADS, 2) conv_f32_wide(const Conv* work) {
    __shared__ Tile<float, 8, 8> tile;
    convolve<Term>(*work, tile);
}
extern "C" __global__ void __launch_bounds__(THREADS, 2) conv_f32_wide_padded(const Conv* work) {
    __shared__ Tile<float, 8, 8> tile;
    convolve<PaddedTerm>(*work, tile);
}
extern "C" __global__ void __launch_bounds__(THREADS) conv_f32_small(const Conv* work) {
    __shared__ Tile<float, 2, 2> tile;
    convolve<Term>(*work, tile);
}
extern "C" __global__ void __launch_bounds__(THREADS) conv_f32_small_padded(const Conv* work) {
    __shared__ Tile<float, 2, 2> tile;
    convolve<PaddedTerm>(*work, tile);
}

// For groups of few outputs: one thread makes one output.
extern "C" __global__ void conv_f32_direct(const Conv* work) {
    const Convolution& shape = work->shape;
    int i = global_thread(), columns = (int)shape.columns, rows = (int)shape.rows, channels = (int)shape.group_channels;
    if (i >= columns * rows * (int)shape.groups) return;
    int column = i % columns, channel = i / columns, plane = spatial_size(shape.window.input);
    int outputs = spatial_size(shape.window.output), kernel = spatial_size(shape.window.kernel);
    Position start = window_start(shape.window, column % outputs);
    const float* x = work->x + ((long long)(column / outputs) * shape.groups + channel / rows) * channels * plane;
    const float* w = work->w + (long long)channel * channels * kernel;
    float sum = 0.0f;
    for (int c = 0; c < channels; c++, x += plane, w += kernel)
        for_taps(shape.window, start, [&](int tap, int at) { sum = f32_fma(w[tap], x[at], sum); });
    work->y[output_offset(shape, channel / rows, channel % rows, column)] = with_bias(*work, channel, sum);
}
