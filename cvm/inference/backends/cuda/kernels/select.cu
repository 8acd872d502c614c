// Where, and the conversions of Cast: cvm/inference/exact/casting.py and conversion.py.
#include "broadcast.cuh"

template <class T> struct Where {
    T* y;
    const unsigned char* condition;
    const T* a;
    const T* b;
    word size, rank, lengths[MAX_RANK], condition_steps[MAX_RANK], a_steps[MAX_RANK], b_steps[MAX_RANK];
};

template <class T> EXACT void where(const Where<T>& work) {
    int i = global_thread(), rest = i, condition = 0, a = 0, b = 0;
    if (i >= work.size) return;
    for (int axis = (int)work.rank - 1; axis >= 0; axis--) {
        int length = (int)work.lengths[axis], at = rest % length;
        rest /= length;
        condition += at * (int)work.condition_steps[axis];
        a += at * (int)work.a_steps[axis];
        b += at * (int)work.b_steps[axis];
    }
    work.y[i] = work.condition[condition] ? work.a[a] : work.b[b];
}

extern "C" __global__ void where_8(const Where<unsigned char>* work) { where(*work); }
extern "C" __global__ void where_32(const Where<unsigned>* work) { where(*work); }
extern "C" __global__ void where_64(const Where<unsigned long long>* work) { where(*work); }

// A float is truncated toward zero and saturated by a choice before the conversion; NaN gives 0.
template <class T> EXACT T from_float(float x, T least, T greatest, float low, float high) {
    if (is_nan(x)) return (T)0;
    return x <= low ? least : x >= high ? greatest : (T)i64_of_truncated(x);
}
EXACT signed char to_int8(float x) { return from_float<signed char>(x, -128, 127, -128.0f, 128.0f); }
EXACT unsigned char to_uint8(float x) { return from_float<unsigned char>(x, 0, 255, 0.0f, 256.0f); }
EXACT int to_int32(float x) { return from_float<int>(x, -2147483647 - 1, 2147483647, -0x1p31f, 0x1p31f); }
EXACT long long to_int64(float x) {
    return from_float<long long>(x, -9223372036854775807LL - 1, 9223372036854775807LL, -0x1p63f, 0x1p63f);
}
template <class T> EXACT signed char to_int8(T x) { return (signed char)x; }
template <class T> EXACT unsigned char to_uint8(T x) { return (unsigned char)x; }
template <class T> EXACT int to_int32(T x) { return (int)x; }
template <class T> EXACT long long to_int64(T x) { return (long long)x; }
template <class T> EXACT unsigned char to_bool(T x) { return x != (T)0; }
EXACT float to_float32(float x) { return x; }
EXACT float to_float32(long long x) { return f32_of_i64(x); }
EXACT float to_float32(int x) { return f32_of_i32(x); }
EXACT float to_float32(signed char x) { return f32_of_i32(x); }
EXACT float to_float32(unsigned char x) { return f32_of_i32(x); }

// A bool is read as uint8: 0 or 1.
#define CASTS_FROM(NAME, TYPE) \
    MAP(NAME##_to_float32, float, TYPE, to_float32(x)) \
    MAP(NAME##_to_int8, signed char, TYPE, to_int8(x)) \
    MAP(NAME##_to_uint8, unsigned char, TYPE, to_uint8(x)) \
    MAP(NAME##_to_int32, int, TYPE, to_int32(x)) \
    MAP(NAME##_to_int64, long long, TYPE, to_int64(x)) \
    MAP(NAME##_to_bool, unsigned char, TYPE, to_bool(x))
CASTS_FROM(float32, float)
CASTS_FROM(int8, signed char)
CASTS_FROM(uint8, unsigned char)
CASTS_FROM(int32, int)
CASTS_FROM(int64, long long)
