// MaxPool and AveragePool: one thread makes one output.
#include "ordering.cuh"
#include "window.cuh"

#define CHUNK 256

template <class T> struct MaxPool {
    T* y;
    const T* x;
    word size;  // outputs of all images and channels
    Window window;
};

template <class T> EXACT void max_pool(const MaxPool<T>& work, T lowest) {
    int i = global_thread();
    if (i >= work.size) return;
    int outputs = spatial_size(work.window.output), plane = i / outputs;
    const T* x = work.x + (long long)plane * spatial_size(work.window.input);
    T largest = lowest;
    for_taps(work.window, window_start(work.window, i % outputs), [&](int, int at) { largest = larger(largest, x[at]); });
    work.y[i] = largest;
}

extern "C" __global__ void max_pool_float32(const MaxPool<float>* work) { max_pool(*work, f32_of_bits(NEGATIVE_INFINITY)); }
extern "C" __global__ void max_pool_int8(const MaxPool<signed char>* work) { max_pool(*work, (signed char)-128); }
extern "C" __global__ void max_pool_uint8(const MaxPool<unsigned char>* work) { max_pool(*work, (unsigned char)0); }

struct AveragePool {
    float* y;
    const float* x;
    word size, count_include_pad;
    Window window;
};

// The taps of one axis that the mean divides by.
EXACT long long counted_taps(const AveragePool& work, int axis, int start) {
    const Window& window = work.window;
    long long count = 0;
    for (int tap = 0; tap < (int)window.kernel[axis]; tap++) {
        int at = start + tap * (int)window.dilations[axis];
        if (work.count_include_pad)
            count += at < window.input[axis] + window.pads_end[axis];
        else
            count += at >= 0 && at < window.input[axis];
    }
    return count;
}

// An ordered sum whose chunks are cut by the place in the kernel.
EXACT float pooled_sum(const Window& window, const float* planes, int i) {
    int outputs = spatial_size(window.output), plane = i / outputs, chunk = 0;
    const float* x = planes + (long long)plane * spatial_size(window.input);
    float total = 0.0f, partial = 0.0f;
    for_taps(window, window_start(window, i % outputs), [&](int tap, int at) {
        if (tap / CHUNK != chunk) {
            chunk = tap / CHUNK;
            total = f32_add(total, partial);
            partial = 0.0f;
        }
        partial = f32_add(partial, x[at]);
    });
    return f32_add(total, partial);
}

extern "C" __global__ void average_pool(const AveragePool* work) {
    int i = global_thread();
    if (i >= work->size) return;
    Position start = window_start(work->window, i % spatial_size(work->window.output));
    long long count = counted_taps(*work, 0, start.z) * counted_taps(*work, 1, start.y) * counted_taps(*work, 2, start.x);
    work->y[i] = f32_div(pooled_sum(work->window, work->x, i), f32_of_i64(count));
}

struct SumPool {
    float* y;
    const float* x;
    word size;
    Window window;
};

// LpPool, between its powers and its roots.
extern "C" __global__ void sum_pool(const SumPool* work) {
    int i = global_thread();
    if (i < work->size) work->y[i] = pooled_sum(work->window, work->x, i);
}
