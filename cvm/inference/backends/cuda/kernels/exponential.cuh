// exp for float32: the sequence of float64 operations of cvm/inference/exact/exponential.py, nothing fused.
#pragma once
#include "ordering.cuh"

#define LOWEST -110.0
#define HIGHEST 90.0
#define INVERSE_LN2 0x1.71547652b82fep+0
#define LN2_HIGH 0x1.62e42feep-1
#define LN2_LOW 0x1.a39ef35793c76p-33

// A polynomial, highest power first: p, then p * r + coefficient, rounded twice, for each further coefficient.
EXACT double polynomial(double, double p) { return p; }
template <class... Rest> EXACT double polynomial(double r, double p, double coefficient, Rest... rest) {
    return polynomial(r, f64_add(f64_mul(p, r), coefficient), rest...);
}

// d moved to the nearer end of [low, high]; NaN gives 0.
EXACT double clamped(double d, double low, double high) {
    if (d != d) return 0.0;
    return d > high ? high : d < low ? low : d;
}

// e^d for |d| up to 128.
EXACT double exp64(double d) {
    double n = f64_rint(f64_mul(d, INVERSE_LN2));
    double r = f64_sub(f64_sub(d, f64_mul(n, LN2_HIGH)), f64_mul(n, LN2_LOW));
    // 1 / 11!, 1 / 10! ... 1 / 0!
    double p = polynomial(r, 0x1.ae64567f544e4p-26, 0x1.27e4fb7789f5cp-22, 0x1.71de3a556c734p-19, 0x1.a01a01a01a01ap-16, 0x1.a01a01a01a01ap-13,
                             0x1.6c16c16c16c17p-10, 0x1.1111111111111p-7, 0x1.5555555555555p-5, 0x1.5555555555555p-3, 0x1.0000000000000p-1,
                             0x1.0000000000000p+0, 0x1.0000000000000p+0);
    return f64_mul(p, f64_of_bits((i64_of_f64(n) + 1023) << 52));
}

EXACT float exp32(float x) {
    if (is_nan(x)) return f32_of_bits(CANONICAL_NAN);
    return f32_of_f64(exp64(clamped(f64_of_f32(x), LOWEST, HIGHEST)));
}
