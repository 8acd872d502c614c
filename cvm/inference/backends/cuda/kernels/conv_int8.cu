// ConvInteger and QLinearConv: an implicit matrix product by dp4a; weights are packed into words of four k when planning.
#include "convolution.cuh"
#include "integer_sums.cuh"

struct IntegerConv {
    const unsigned char* x;
    const int* w;       // (groups * rows, words)
    word words, flip, x_zero;  // flip: SIGN_BITS for uint8, else 0; a padded tap is the byte x_zero, both after flipping
    Convolution shape;
    Correction correction;
    Result result;
};

// The bytes of terms 4 k .. 4 k + 3 for one pixel; past the last they are 0.
EXACT int pixel_word(const IntegerConv& work, const Pixel& pixel, int k) {
    unsigned packed = 0;
    UNROLL
    for (int j = 0; j < 4; j++) {
        if (4 * k + j >= (int)work.shape.depth) break;
        Tap tap = work.shape.taps[4 * k + j];
        unsigned byte = (unsigned)work.x_zero & 0xff;
        if (!is_padding(work.shape, pixel, tap)) byte = work.x[input_offset(pixel, tap)] ^ (unsigned)work.flip;
        packed |= byte << 8 * j;
    }
    return (int)packed;
}

EXACT void store_output(const IntegerConv& work, int group, int row, int column, int sum) {
    int channel = group * (int)work.shape.rows + row;
    int exact = corrected(work.correction, sum, channel, channel, column, group * (int)work.shape.columns + column);
    store(work.result, output_offset(work.shape, group, row, column), exact, channel);
}

template <int ROWS, int COLUMNS> EXACT void convolve(const IntegerConv work, Tile<int, ROWS, COLUMNS>& tile) {
    int rows = (int)work.shape.rows, columns = (int)work.shape.columns, words = (int)work.words;
    BlockPlace place = block_place<ROWS, COLUMNS>(rows, columns);
    int group = place.matrix, loaded = place.column + loaded_column<COLUMNS>();
    bool has_column = loaded < columns;
    Pixel pixel = pixel_of(work.shape, group, has_column ? loaded : 0);
    const int* w = work.w + (long long)group * rows * words;
    DotTile<IntegerTerm, ROWS, COLUMNS> dots = {tile};
    dots.run([=](int row, int k) { return place.row + row < rows && k < words ? w[(place.row + row) * words + k] : 0; },
             [&](int k) { return has_column && k < words ? pixel_word(work, pixel, k) : 0; }, words);
    dots.finish(place, rows, columns, [&](int row, int column, int sum) { store_output(work, group, row, column, sum); });
}

extern "C" __global__ void __launch_bounds__(THREADS, 2) conv_int8_wide(const IntegerConv* work) {
    __shared__ Tile<int, 8, 8> tile;
    convolve(*work, tile);
}
extern "C" __global__ void __launch_bounds__(THREADS) conv_int8_small(const IntegerConv* work) {
    __shared__ Tile<int, 2, 2> tile;
    convolve(*work, tile);
}

// For groups of few outputs, whose weights are not packed: one thread makes one output.
struct DirectConv {
    const unsigned char* x;
    const unsigned char* w;
    const int* w_zeros;  // by output channel, after flipping as x_zero
    const int* bias;     // or null
    word x_flip, w_flip, x_zero;
    Convolution shape;
    Result result;
};

EXACT unsigned centred(unsigned char byte, word flip, int zero) { return (unsigned)((signed char)(byte ^ flip) - zero); }

extern "C" __global__ void conv_int8_direct(const DirectConv* work) {
    const Convolution& shape = work->shape;
    int i = global_thread(), columns = (int)shape.columns, rows = (int)shape.rows, channels = (int)shape.group_channels;
    if (i >= columns * rows * (int)shape.groups) return;
    int column = i % columns, channel = i / columns, plane = spatial_size(shape.window.input);
    int outputs = spatial_size(shape.window.output), kernel = spatial_size(shape.window.kernel);
    int x_zero = (int)work->x_zero, w_zero = work->w_zeros[channel];
    Position start = window_start(shape.window, column % outputs);
    const unsigned char* x = work->x + ((long long)(column / outputs) * shape.groups + channel / rows) * channels * plane;
    const unsigned char* w = work->w + (long long)channel * channels * kernel;
    unsigned sum = work->bias ? (unsigned)work->bias[channel] : 0u;
    for (int c = 0; c < channels; c++, x += plane, w += kernel)
        for_taps(shape.window, start, [&](int tap, int at) {
            sum += centred(x[at], work->x_flip, x_zero) * centred(w[tap], work->w_flip, w_zero);
        });
    store(work->result, output_offset(shape, channel / rows, channel % rows, column), (int)sum, channel);
}

// The sum of the bytes under each window, padded taps included: (groups, columns).
struct WindowSums {
    int* y;
    IntegerConv conv;
};

extern "C" __global__ void window_sums(const WindowSums* work) {
    const IntegerConv& conv = work->conv;
    int i = global_thread(), columns = (int)conv.shape.columns, sum = 0;
    if (i >= columns * (int)conv.shape.groups) return;
    Pixel pixel = pixel_of(conv.shape, i / columns, i % columns);
    for (int k = 0; k < (int)conv.words; k++) sum = dot4(pixel_word(conv, pixel, k), ONES, sum);
    work->y[i] = sum;
}
