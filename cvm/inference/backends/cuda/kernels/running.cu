// Work along one axis, one thread for each slice, and linear interpolation along an axis.
#include "ordering.cuh"

#define CHUNK 256

// CumSum: the total starts at +0 and takes one element at a time.
template <class T> struct RunningSum {
    T* y;
    const T* x;
    word size, length, inner, exclusive, reverse;
};
EXACT float sum_of(float a, float b) { return f32_add(a, b); }
template <class T> EXACT T sum_of(T a, T b) { return a + b; }
template <class T> EXACT void running_sums(const RunningSum<T>& work) {
    int i = global_thread(), inner = (int)work.inner, length = (int)work.length;
    if (i >= work.size) return;
    long long first = (long long)(i / inner) * length * inner + i % inner;
    T total = 0;
    for (int step = 0; step < length; step++) {
        long long at = first + (long long)(work.reverse ? length - 1 - step : step) * inner;
        T before = total;
        total = sum_of(total, work.x[at]);
        work.y[at] = work.exclusive ? before : total;
    }
}
extern "C" __global__ void running_sums_float32(const RunningSum<float>* work) { running_sums(*work); }
extern "C" __global__ void running_sums_32(const RunningSum<unsigned>* work) { running_sums(*work); }
extern "C" __global__ void running_sums_64(const RunningSum<unsigned long long>* work) { running_sums(*work); }

// TopK: a heap of the first k of each slice. The rank of an element is less where it comes first: order_keys of exact/ordering.py.
template <class T> struct TopK {
    long long* y;  // where they stand, (outer, k, inner)
    const T* x;
    long long* ranks;  // (slices, k)
    int* places;
    word size, length, inner, k, largest;
};
EXACT long long order_key(float value) {
    if (is_nan(value)) return 1LL << 31;
    long long magnitude = bits_of_f32(value) & 0x7fffffffu;
    return sign_bit(value) ? -magnitude : magnitude;
}
EXACT long long order_key(long long value) { return value; }
EXACT long long order_key(int value) { return value; }
EXACT long long order_key(signed char value) { return value; }
EXACT long long order_key(unsigned char value) { return value; }

// Puts an element at or below `root` of a heap, whose root comes after all below it.
EXACT void sift_down(long long* ranks, int* places, int root, int size, long long rank, int place) {
    int hole = root;
    for (int child = 2 * hole + 1; child < size; child = 2 * hole + 1) {
        int right = child + 1;
        if (right < size && (ranks[right] > ranks[child] || (ranks[right] == ranks[child] && places[right] > places[child])))
            child = right;
        if (ranks[child] < rank || (ranks[child] == rank && places[child] < place)) break;
        ranks[hole] = ranks[child], places[hole] = places[child];
        hole = child;
    }
    ranks[hole] = rank, places[hole] = place;
}

template <class T> EXACT void top_k(const TopK<T>& work) {
    int slice = global_thread(), inner = (int)work.inner, length = (int)work.length, k = (int)work.k;
    if (slice >= work.size) return;
    const T* x = work.x + (long long)(slice / inner) * length * inner + slice % inner;
    long long* ranks = work.ranks + (long long)slice * k;
    int* places = work.places + (long long)slice * k;
    for (int i = 0; i < length; i++) {
        long long key = order_key(x[(long long)i * inner]), rank = work.largest ? ~key : key;
        if (i < k) ranks[i] = rank, places[i] = i;
        if (i == k - 1)
            for (int root = k / 2 - 1; root >= 0; root--) sift_down(ranks, places, root, k, ranks[root], places[root]);
        if (i >= k && rank < ranks[0]) sift_down(ranks, places, 0, k, rank, i);
    }
    for (int last = k - 1; last >= 0; last--) {
        work.y[((long long)(slice / inner) * k + last) * inner + slice % inner] = places[0];
        sift_down(ranks, places, 0, last, ranks[last], places[last]);
    }
}
extern "C" __global__ void top_k_float32(const TopK<float>* work) { top_k(*work); }
extern "C" __global__ void top_k_int8(const TopK<signed char>* work) { top_k(*work); }
extern "C" __global__ void top_k_uint8(const TopK<unsigned char>* work) { top_k(*work); }
extern "C" __global__ void top_k_int32(const TopK<int>* work) { top_k(*work); }
extern "C" __global__ void top_k_int64(const TopK<long long>* work) { top_k(*work); }

// LRN: bias + factor * the ordered sum of the squares of the neighbours among the channels of x (n, channels, inner).
struct Neighbours {
    float* y;
    const float* x;
    word size, channels, inner, before, after, factor_bits, bias_bits;
};
extern "C" __global__ void neighbour_sums(const Neighbours* work) {
    int i = global_thread(), inner = (int)work->inner, channels = (int)work->channels;
    if (i >= work->size) return;
    int channel = i / inner % channels;
    long long first = channel > work->before ? channel - work->before : 0, last = channel + work->after;
    if (last >= channels) last = channels - 1;
    const float* x = work->x + (long long)i - (long long)channel * inner;
    float total = 0.0f, partial = 0.0f;
    for (long long at = first; at <= last; at++) {
        if (at > first && (at - first) % CHUNK == 0) total = f32_add(total, partial), partial = 0.0f;
        partial = f32_add(partial, f32_mul(x[at * inner], x[at * inner]));
    }
    total = f32_add(total, partial);
    work->y[i] = f32_add(f32_of_bits((unsigned)work->bias_bits), f32_mul(f32_of_bits((unsigned)work->factor_bits), total));
}

// Resize in mode linear, one axis: low * low_weight + high * high_weight, or the one element where the coordinate is whole.
struct Interpolate {
    float* y;
    const float* x;
    const int* low;
    const int* high;
    const float* low_weights;
    const float* high_weights;
    const unsigned char* single;
    word size, original, length, inner;
};
extern "C" __global__ void interpolate(const Interpolate* work) {
    int i = global_thread(), inner = (int)work->inner, length = (int)work->length;
    if (i >= work->size) return;
    int place = i / inner % length;
    const float* x = work->x + (long long)(i / inner / length) * work->original * inner + i % inner;
    float low = x[(long long)work->low[place] * inner], high = x[(long long)work->high[place] * inner];
    float between = f32_add(f32_mul(low, work->low_weights[place]), f32_mul(high, work->high_weights[place]));
    work->y[i] = work->single[place] ? low : between;
}

// DynamicQuantizeLinear: the scale and the zero point of values from low to high, then the values.
struct DynamicRange {
    float* scale;
    unsigned char* zero;
    const float* low;
    const float* high;
};
EXACT float clipped_whole(float value, float low, float high) {
    if (is_nan(value)) return 0.0f;
    return f32_rint(value < low ? low : value > high ? high : value);
}
extern "C" __global__ void dynamic_range(const DynamicRange* work) {
    if (global_thread() > 0) return;
    float low = smaller(*work->low, 0.0f), scale = f32_div(f32_sub(larger(*work->high, 0.0f), low), 255.0f);
    scale = scale == 0.0f ? 1.0f : scale;
    *work->scale = scale;
    *work->zero = (unsigned char)i32_of_f32(clipped_whole(f32_sub(0.0f, f32_div(low, scale)), 0.0f, 255.0f));
}

struct DynamicQuantise {
    unsigned char* y;
    const float* x;
    const float* scale;
    const unsigned char* zero;
    word size;
};
extern "C" __global__ void dynamic_quantise(const DynamicQuantise* work) {
    int i = global_thread();
    if (i >= work->size) return;
    float zero = f32_of_i32(*work->zero);
    float whole = clipped_whole(f32_div(work->x[i], *work->scale), f32_sub(0.0f, zero), f32_sub(255.0f, zero));
    work->y[i] = (unsigned char)i32_of_f32(f32_add(whole, zero));
}
