// Add, Sub, Mul, Relu and Clip: one thread makes one element.
#include "broadcast.cuh"

// Unsigned arithmetic wraps around, and its low bits are those of two's complement.
BROADCAST(add_f32, float, float, f32_add(a, b))
BROADCAST(add_8, unsigned char, unsigned char, a + b)
BROADCAST(add_32, unsigned, unsigned, a + b)
BROADCAST(add_64, unsigned long long, unsigned long long, a + b)
BROADCAST(sub_f32, float, float, f32_sub(a, b))
BROADCAST(sub_8, unsigned char, unsigned char, a - b)
BROADCAST(sub_32, unsigned, unsigned, a - b)
BROADCAST(sub_64, unsigned long long, unsigned long long, a - b)
BROADCAST(mul_f32, float, float, f32_mul(a, b))
BROADCAST(mul_8, unsigned char, unsigned char, a * b)
BROADCAST(mul_32, unsigned, unsigned, a * b)
BROADCAST(mul_64, unsigned long long, unsigned long long, a * b)

// Min(Max(x, low), high); a bound that is absent is a null pointer and no step at all.
template <class T> struct Clip {
    T* y;
    const T* x;
    const T* low;
    const T* high;
    word size;
};

template <class T> EXACT void clip(const Clip<T>& work) {
    int i = global_thread();
    if (i >= work.size) return;
    T x = work.x[i];
    if (work.low) x = larger(x, *work.low);
    if (work.high) x = smaller(x, *work.high);
    work.y[i] = x;
}

extern "C" __global__ void clip_float32(const Clip<float>* work) { clip(*work); }
extern "C" __global__ void clip_int8(const Clip<signed char>* work) { clip(*work); }
extern "C" __global__ void clip_uint8(const Clip<unsigned char>* work) { clip(*work); }
extern "C" __global__ void clip_int32(const Clip<int>* work) { clip(*work); }
extern "C" __global__ void clip_int64(const Clip<long long>* work) { clip(*work); }
