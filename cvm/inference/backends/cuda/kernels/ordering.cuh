// The Max and Min rules of cvm/inference/exact/ordering.py.
#pragma once
#include "ieee.cuh"

#define CANONICAL_NAN 0x7fc00000u
#define NEGATIVE_INFINITY 0xff800000u

EXACT bool sign_bit(float a) { return bits_of_f32(a) >> 31; }

EXACT float larger(float a, float b) {
    if (is_nan(a) || is_nan(b)) return f32_of_bits(CANONICAL_NAN);
    return a > b || (a == b && !sign_bit(a)) ? a : b;
}
EXACT float smaller(float a, float b) {
    if (is_nan(a) || is_nan(b)) return f32_of_bits(CANONICAL_NAN);
    return a < b || (a == b && sign_bit(a)) ? a : b;
}
template <class T> EXACT T larger(T a, T b) { return a > b ? a : b; }
template <class T> EXACT T smaller(T a, T b) { return a < b ? a : b; }
