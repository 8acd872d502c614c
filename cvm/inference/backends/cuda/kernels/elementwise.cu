// Add, Mul, Relu and Clip: one thread makes one element.
#include "ordering.cuh"

#define MAX_RANK 6

// Both operands stretch to y by steps of 0; axes that need no division have been merged by the planner.
template <class T> struct Broadcast {
    T* y;
    const T* a;
    const T* b;
    word size, rank, lengths[MAX_RANK], a_steps[MAX_RANK], b_steps[MAX_RANK];
};

template <class T, class Operation> EXACT void broadcast(const Broadcast<T>& work, Operation operation) {
    int i = global_thread(), rest = i, a = 0, b = 0;
    if (i >= work.size) return;
    for (int axis = (int)work.rank - 1; axis >= 0; axis--) {
        int length = (int)work.lengths[axis], at = rest % length;
        rest /= length;
        a += at * (int)work.a_steps[axis];
        b += at * (int)work.b_steps[axis];
    }
    work.y[i] = operation(work.a[a], work.b[b]);
}

// Unsigned arithmetic wraps around, and its low bits are those of two's complement.
#define BROADCAST(NAME, TYPE, EXPRESSION) \
    extern "C" __global__ void NAME(const Broadcast<TYPE>* work) { \
        broadcast(*work, [](TYPE a, TYPE b) { return (TYPE)(EXPRESSION); }); \
    }
BROADCAST(add_f32, float, f32_add(a, b))
BROADCAST(add_8, unsigned char, a + b)
BROADCAST(add_32, unsigned, a + b)
BROADCAST(add_64, unsigned long long, a + b)
BROADCAST(mul_f32, float, f32_mul(a, b))
BROADCAST(mul_8, unsigned char, a * b)
BROADCAST(mul_32, unsigned, a * b)
BROADCAST(mul_64, unsigned long long, a * b)

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
