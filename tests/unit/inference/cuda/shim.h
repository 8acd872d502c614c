// Runs CUDA C++ kernels on a CPU. The threads of a block are fibers, so that any schedule can be forced (forward, reverse,
// shuffled); every schedule must give the same bytes. Shared memory holds 0xFF (a NaN) before each block, and a barrier that
// some thread of a block never reaches is an error. Needs g++ -ffp-contract=off.
#pragma once
#include <ucontext.h>

#include <cfloat>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <memory>
#include <vector>

static_assert(FLT_EVAL_METHOD == 0, "float arithmetic must not carry excess precision");

#define EXACT static inline
#define EXACT_MEMBER inline
#define UNROLL
#define __global__
#define __launch_bounds__(...)
#define __shared__ static __attribute__((section("shared_memory"), aligned(16)))

EXACT float f32_add(float a, float b) { return a + b; }
EXACT float f32_sub(float a, float b) { return a - b; }
EXACT float f32_mul(float a, float b) { return a * b; }
EXACT float f32_div(float a, float b) { return a / b; }
EXACT float f32_fma(float a, float b, float c) { return std::fma(a, b, c); }
EXACT float f32_rint(float a) { return std::nearbyint(a); }
EXACT float f32_floor(float a) { return std::floor(a); }
EXACT float f32_ceil(float a) { return std::ceil(a); }
EXACT float f32_sqrt(float a) { return std::sqrt(a); }
EXACT float f32_of_f64(double a) { return (float)a; }
EXACT float f32_of_i32(int a) { return (float)a; }
EXACT float f32_of_i64(long long a) { return (float)a; }
EXACT float f32_of_bits(unsigned a) {
    float result;
    std::memcpy(&result, &a, sizeof result);
    return result;
}
EXACT unsigned bits_of_f32(float a) {
    unsigned result;
    std::memcpy(&result, &a, sizeof result);
    return result;
}
EXACT int i32_of_f32(float a) { return (int)std::nearbyint(a); }
EXACT long long i64_of_truncated(float a) { return (long long)a; }

EXACT double f64_add(double a, double b) { return a + b; }
EXACT double f64_sub(double a, double b) { return a - b; }
EXACT double f64_mul(double a, double b) { return a * b; }
EXACT double f64_div(double a, double b) { return a / b; }
EXACT double f64_sqrt(double a) { return std::sqrt(a); }
EXACT double f64_of_i64(long long a) { return (double)a; }
EXACT long long bits_of_f64(double a) {
    long long result;
    std::memcpy(&result, &a, sizeof result);
    return result;
}
EXACT double f64_rint(double a) { return std::nearbyint(a); }
EXACT double f64_of_f32(float a) { return (double)a; }
EXACT double f64_of_bits(long long a) {
    double result;
    std::memcpy(&result, &a, sizeof result);
    return result;
}
EXACT long long i64_of_f64(double a) { return (long long)std::nearbyint(a); }

EXACT int dot4(int a, int b, int c) {
    unsigned sum = (unsigned)c;
    for (int i = 0; i < 32; i += 8) sum += (unsigned)((int8_t)(a >> i) * (int8_t)(b >> i));
    return (int)sum;
}

struct Place {
    unsigned x;
};
static Place threadIdx, blockIdx, blockDim;

void __syncthreads();
