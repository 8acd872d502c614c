// GlobalAveragePool, Softmax and ArgMax along one axis: element (o, i, n) of (outer, length, inner) lies at (o * length + i) * inner + n.
// A fold runs in two launches: one thread per chunk of 256, then one per slice that folds the chunk results, both ascending.
#include "exponential.cuh"
#include "ordering.cuh"

#define CHUNK 256

template <class T> struct Fold {
    T* y;        // chunk results (outer, chunks, inner), or slices (outer, inner)
    const T* x;
    word size, length, inner;
};

// The range of one axis that a thread folds; `at` is its first element.
template <class T> struct Run {
    const T* at;
    int count, step;
};

template <class T> EXACT Run<T> chunk_of(const Fold<T>& work, int i) {
    int inner = (int)work.inner, length = (int)work.length, chunks = (length + CHUNK - 1) / CHUNK;
    int n = i % inner, first = i / inner % chunks * CHUNK, outer = i / inner / chunks;
    return {work.x + ((long long)outer * length + first) * inner + n, length - first < CHUNK ? length - first : CHUNK, inner};
}

template <class T> EXACT Run<T> slice_of(const Fold<T>& work, int i) {
    int inner = (int)work.inner;
    return {work.x + (long long)(i / inner) * work.length * inner + i % inner, (int)work.length, inner};
}

template <class T, class Join> EXACT T folded(const Run<T>& run, T total, Join join) {
    for (int i = 0; i < run.count; i++) total = join(total, run.at[(long long)i * run.step]);
    return total;
}

#define FOLD(PART, NAME, T, START, EXPRESSION) \
    extern "C" __global__ void PART##_##NAME(const Fold<T>* work) { \
        int i = global_thread(); \
        if (i < work->size) work->y[i] = folded<T>(PART##_of(*work, i), START, [](T a, T b) { return (T)(EXPRESSION); }); \
    }
#define FOLDS(NAME, T, START, EXPRESSION) \
    FOLD(chunk, NAME, T, START, EXPRESSION) \
    FOLD(slice, NAME, T, START, EXPRESSION)
FOLDS(sums, float, 0.0f, f32_add(a, b))
FOLDS(sums_32, unsigned, 0u, a + b)
FOLDS(sums_64, unsigned long long, 0ULL, a + b)
FOLDS(maxima, float, f32_of_bits(NEGATIVE_INFINITY), larger(a, b))
FOLDS(maxima_int8, signed char, -128, larger(a, b))
FOLDS(maxima_uint8, unsigned char, 0, larger(a, b))
FOLDS(maxima_int32, int, -2147483647 - 1, larger(a, b))
FOLDS(maxima_int64, long long, -9223372036854775807LL - 1, larger(a, b))
FOLDS(minima, float, f32_of_bits(0x7f800000u), smaller(a, b))
FOLDS(minima_int8, signed char, 127, smaller(a, b))
FOLDS(minima_uint8, unsigned char, 255, smaller(a, b))
FOLDS(minima_int32, int, 2147483647, smaller(a, b))
FOLDS(minima_int64, long long, 9223372036854775807LL, smaller(a, b))
FOLD(slice, products, float, 1.0f, f32_mul(a, b))
FOLD(slice, products_32, unsigned, 1u, a * b)
FOLD(slice, products_64, unsigned long long, 1ULL, a * b)

struct Mean {
    float* y;
    const float* chunk_sums;
    word size, chunks, count;
};

extern "C" __global__ void slice_means(const Mean* work) {
    int i = global_thread();
    if (i >= work->size) return;
    Run<float> chunks = {work->chunk_sums + (long long)i * work->chunks, (int)work->chunks, 1};
    float total = folded(chunks, 0.0f, [](float a, float b) { return f32_add(a, b); });
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

template <class T> struct ArgExtreme {
    long long* y;
    const T* x;
    word size, length, inner, select_last;
};

template <class T, class Wins> EXACT void arg_extreme(const ArgExtreme<T>& work, Wins wins) {
    int i = global_thread(), inner = (int)work.inner, index = 0;
    if (i >= work.size) return;
    const T* x = work.x + (long long)(i / inner) * work.length * inner + i % inner;
    T best = x[0];
    for (int at = 1; at < (int)work.length; at++) {
        T value = x[(long long)at * inner];
        bool ties = value == best || (is_nan(value) && is_nan(best));
        bool replaces = wins(value, best) || (work.select_last && ties);
        best = replaces ? value : best;
        index = replaces ? at : index;
    }
    work.y[i] = index;
}

#define ARG_EXTREME(NAME, T, WINS) \
    extern "C" __global__ void NAME(const ArgExtreme<T>* work) { arg_extreme(*work, [](T value, T best) { return WINS; }); }
// NaN stands above everything in both, so for the minimum it wins only among NaN; all NaN are equal, and -0 equals +0.
#define ARG_EXTREMES(NAME, T) \
    ARG_EXTREME(argmax_##NAME, T, value > best || (is_nan(value) && !is_nan(best))) \
    ARG_EXTREME(argmin_##NAME, T, value < best || (!is_nan(value) && is_nan(best)))
ARG_EXTREMES(float32, float)
ARG_EXTREMES(int8, signed char)
ARG_EXTREMES(uint8, unsigned char)
ARG_EXTREMES(int32, int)
