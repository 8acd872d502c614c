// Every float operation that a kernel may use: one IEEE 754 operation each, rounded to nearest even, subnormals kept.
// On a device they are intrinsics that no compiler fuses or approximates; the CPU build of the tests (shim.h) defines them in C++.
#pragma once
#ifdef __CUDACC__
#define EXACT static __device__ __forceinline__
#define EXACT_MEMBER __device__ __forceinline__
#define UNROLL _Pragma("unroll")

EXACT float f32_add(float a, float b) { return __fadd_rn(a, b); }
EXACT float f32_sub(float a, float b) { return __fsub_rn(a, b); }
EXACT float f32_mul(float a, float b) { return __fmul_rn(a, b); }
EXACT float f32_div(float a, float b) { return __fdiv_rn(a, b); }
EXACT float f32_fma(float a, float b, float c) { return __fmaf_rn(a, b, c); }
EXACT float f32_rint(float a) { return rintf(a); }
EXACT float f32_floor(float a) { return floorf(a); }
EXACT float f32_ceil(float a) { return ceilf(a); }
EXACT float f32_sqrt(float a) { return __fsqrt_rn(a); }
EXACT float f32_of_f64(double a) { return __double2float_rn(a); }
EXACT float f32_of_i32(int a) { return __int2float_rn(a); }
EXACT float f32_of_i64(long long a) { return __ll2float_rn(a); }
EXACT float f32_of_bits(unsigned a) { return __uint_as_float(a); }
EXACT unsigned bits_of_f32(float a) { return __float_as_uint(a); }
EXACT int i32_of_f32(float a) { return __float2int_rn(a); }
EXACT long long i64_of_truncated(float a) { return __float2ll_rz(a); }

EXACT double f64_add(double a, double b) { return __dadd_rn(a, b); }
EXACT double f64_sub(double a, double b) { return __dsub_rn(a, b); }
EXACT double f64_mul(double a, double b) { return __dmul_rn(a, b); }
EXACT double f64_div(double a, double b) { return __ddiv_rn(a, b); }
EXACT double f64_sqrt(double a) { return __dsqrt_rn(a); }
EXACT double f64_of_i64(long long a) { return __ll2double_rn(a); }
EXACT long long bits_of_f64(double a) { return __double_as_longlong(a); }
EXACT double f64_rint(double a) { return rint(a); }
EXACT double f64_of_f32(float a) { return (double)a; }
EXACT double f64_of_bits(long long a) { return __longlong_as_double(a); }
EXACT long long i64_of_f64(double a) { return __double2ll_rn(a); }

// The sum of four products of signed bytes and an int32, modulo 2^32.
EXACT int dot4(int a, int b, int c) { return __dp4a(a, b, c); }
#else
#include "shim.h"
#endif

#define THREADS 256

// Numbers for lengths and offsets are 64-bit words in a launch record; every one of them fits an int.
typedef long long word;

EXACT int global_thread() { return (int)(blockIdx.x * blockDim.x + threadIdx.x); }

EXACT bool is_nan(float a) { return a != a; }
template <class T> EXACT bool is_nan(T) { return false; }
