// GlobalAveragePool, Softmax and ArgMax along one axis: element (o, i, n) of (outer, length, inner) lies at (o * length + i) * inner + n.
// A fold runs in two launches: one thread per chunk of 256, then one per slice that folds the chunk results, both ascending.
#include "exponential.cuh"
#include "ordering.cuh"

#define CHUNK 256

struct Fold {
    float* y;        // chunk results (outer, chunks, inner), or slices (outer, inner)
    const float* x;
    word size, length, inner;
};

// The range of one axis that a thread folds; `at` is its first element.
struct Run {
    const float* at;
    int count, step;
};

EXACT Run chunk_of(const Fold& work, int i) {
    int inner = (int)work.inner, length = (int)work.length, chunks = (length + CHUNK - 1) / CHUNK;
    int n = i % inner, first = i / inner % chunks * CHUNK, outer = i / inner / chunks;
    return {work.x + ((long long)outer * length + first) * inner + n, length - first < CHUNK ? length - first : CHUNK, inner};
}

EXACT float sum(const Run& run) {
    float total = 0.0f;
    for (int i = 0; i < run.count; i++) total = f32_add(total, run.at[(long long)i * run.step]);
    return total;
}

EXACT float maximum(const Run& run) {
    float largest = f32_of_bits(NEGATIVE_INFINITY);
    for (int i = 0; i < run.count; i++) largest = larger(largest, run.at[(long long)i * run.step]);
    return largest;
}

EXACT Run slice_of(const Fold& work, int i) {
    int inner = (int)work.inner;
    return {work.x + (long long)(i / inner) * work.length * inner + i % inner, (int)work.length, inner};
}

extern "C" __global__ void chunk_sums(const Fold* work) {
    int i = global_thread();
    if (i < work->size) work->y[i] = sum(chunk_of(*work, i));
}
extern "C" __global__ void chunk_maxima(const Fold* work) {
    int i = global_thread();
    if (i < work->size) work->y[i] = maximum(chunk_of(*work, i));
}
extern "C" __global__ void slice_sums(const Fold* work) {
    int i = global_thread();
    if (i < work->size) work->y[i] = sum(slice_of(*work, i));
}
extern "C" __global__ void slice_maxima(const Fold* work) {
    int i = global_thread();
    if (i < work->size) work->y[i] = maximum(slice_of(*work, i));
}

struct Mean {
    float* y;
    const float* chunk_sums;
    word size, chunks, count;
};

extern "C" __global__ void slice_means(const Mean* work) {
    int i = global_thread();
    if (i >= work->size) return;
    float total = sum({work->chunk_sums + (long long)i * work->chunks, (int)work->chunks, 1});
    work->y[i] = f32_div(total, f32_of_i64(work->count));
}

// Softmax: y = exp(x - maximum), and after the sums y = y / sum.
struct PerSlice {
    float* y;
    const float* x;
    const float* slices;
    word size, length, inner;
};

EXACT float slice_value(const PerSlice& work, int i) {
    int inner = (int)work.inner;
    return work.slices[i / inner / (int)work.length * inner + i % inner];
}

extern "C" __global__ void exponentials(const PerSlice* work) {
    int i = global_thread();
    if (i < work->size) work->y[i] = exp32(f32_sub(work->x[i], slice_value(*work, i)));
}
extern "C" __global__ void quotients(const PerSlice* work) {
    int i = global_thread();
    if (i < work->size) work->y[i] = f32_div(work->x[i], slice_value(*work, i));
}

template <class T> struct ArgMax {
    long long* y;
    const T* x;
    word size, length, inner, select_last;
};

// NaN stands above everything and all NaN are equal; -0 equals +0.
template <class T> EXACT void argmax(const ArgMax<T>& work) {
    int i = global_thread(), inner = (int)work.inner, index = 0;
    if (i >= work.size) return;
    const T* x = work.x + (long long)(i / inner) * work.length * inner + i % inner;
    T best = x[0];
    for (int at = 1; at < (int)work.length; at++) {
        T value = x[(long long)at * inner];
        bool wins = value > best || (is_nan(value) && !is_nan(best));
        if (work.select_last) wins = wins || value == best || (is_nan(value) && is_nan(best));
        best = wins ? value : best;
        index = wins ? at : index;
    }
    work.y[i] = index;
}

extern "C" __global__ void argmax_float32(const ArgMax<float>* work) { argmax(*work); }
extern "C" __global__ void argmax_int8(const ArgMax<signed char>* work) { argmax(*work); }
extern "C" __global__ void argmax_uint8(const ArgMax<unsigned char>* work) { argmax(*work); }
extern "C" __global__ void argmax_int32(const ArgMax<int>* work) { argmax(*work); }
