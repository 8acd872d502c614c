// Elementwise work on operands that stretch to y by steps of 0; axes that need no division have been merged by the planner.
#pragma once
#include "ordering.cuh"

#define MAX_RANK 6

template <class Y, class A, class B> struct Broadcast {
    Y* y;
    const A* a;
    const B* b;
    word size, rank, lengths[MAX_RANK], a_steps[MAX_RANK], b_steps[MAX_RANK];
};

template <class Y, class A, class B, class Operation>
EXACT void broadcast(const Broadcast<Y, A, B>& work, Operation operation) {
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

// Y is the element type of the result, T that of both operands.
#define BROADCAST(NAME, Y, T, EXPRESSION) \
    extern "C" __global__ void NAME(const Broadcast<Y, T, T>* work) { \
        broadcast(*work, [](T a, T b) { return (Y)(EXPRESSION); }); \
    }

// One operand as long as y, and the bits of up to three float32 arguments.
template <class Y, class X> struct Map {
    Y* y;
    const X* x;
    word size, arguments[3];
};

template <class Y, class X, class Operation> EXACT void map(const Map<Y, X>& work, Operation operation) {
    int i = global_thread();
    if (i < work.size) work.y[i] = operation(work.x[i]);
}

#define MAP(NAME, Y, X, EXPRESSION) \
    extern "C" __global__ void NAME(const Map<Y, X>* work) { \
        map(*work, [](X x) { return (Y)(EXPRESSION); }); \
    }

// p, q: the first two arguments.
#define MAP_WITH(NAME, Y, X, EXPRESSION) \
    extern "C" __global__ void NAME(const Map<Y, X>* work) { \
        float p = f32_of_bits((unsigned)work->arguments[0]), q = f32_of_bits((unsigned)work->arguments[1]); \
        map(*work, [p, q](X x) { return (void)p, (void)q, (Y)(EXPRESSION); }); \
    }
