// The functions of cvm/inference/exact on float32: each one fixed sequence of float64 operations, rounded once, nothing fused.
#pragma once
#include "series.cuh"

#define POSITIVE_INFINITY 0x7f800000u

EXACT double f64_abs(double a) { return f64_of_bits(bits_of_f64(a) & 0x7fffffffffffffffLL); }
EXACT double f64_neg(double a) { return f64_of_bits(bits_of_f64(a) ^ (long long)0x8000000000000000ULL); }
EXACT double f64_signed(double a, bool negative) { return negative ? f64_neg(a) : a; }
EXACT float f32_abs(float a) { return f32_of_bits(bits_of_f32(a) & 0x7fffffffu); }
EXACT bool is_finite(float a) { return (bits_of_f32(a) & POSITIVE_INFINITY) != POSITIVE_INFINITY; }

// logarithm.py: ln v for normal, finite, positive v.
EXACT double log64(double v) {
    long long bits = bits_of_f64(v), k = (bits - 0x3fe6a09e667f3bcdLL) >> 52;
    double f = f64_sub(f64_of_bits(bits - (long long)((unsigned long long)k << 52)), 1.0);
    double s = f64_div(f, f64_add(f, 2.0)), exponent = f64_of_i64(k), p = logarithm_series(f64_mul(s, s));
    return f64_add(f64_add(f64_mul(exponent, LN2_LOW), f64_mul(p, s)), f64_mul(exponent, LN2_HIGH));
}
EXACT double log64_of_magnitude(float x) {
    float size = f32_abs(x);
    if (size == 0.0f) return f64_of_f32(f32_of_bits(NEGATIVE_INFINITY));
    if (!is_finite(size)) return f64_of_f32(f32_of_bits(POSITIVE_INFINITY));
    return log64(f64_of_f32(size));
}
EXACT float log32(float x) {
    return is_nan(x) || x < 0.0f ? f32_of_bits(CANONICAL_NAN) : f32_of_f64(log64_of_magnitude(x));
}
EXACT float softplus32(float x) {
    if (is_nan(x)) return f32_of_bits(CANONICAL_NAN);
    double d = f64_of_f32(x), u = exp64(clamped(f64_neg(f64_abs(d)), LOWEST, 0.0));
    double s = f64_div(u, f64_add(u, 2.0)), p = logarithm_series_to_one(f64_mul(s, s));
    return f32_of_f64(f64_add(d > 0.0 ? d : 0.0, f64_mul(p, s)));
}

// hyperbolic.py.
EXACT float tanh32(float x) {
    if (is_nan(x)) return f32_of_bits(CANONICAL_NAN);
    double d = f64_of_f32(x), a = clamped(f64_abs(d), 0.0, 20.0);
    if (a < 0x1p-10) return f32_of_f64(f64_mul(d, f64_sub(1.0, f64_mul(f64_mul(d, d), 0x1.5555555555555p-2))));
    double t = f64_sub(1.0, f64_div(2.0, f64_add(exp64(f64_add(a, a)), 1.0)));
    return f32_of_f64(f64_signed(t, d < 0.0));
}
EXACT float sigmoid32(float x) {
    if (is_nan(x)) return f32_of_bits(CANONICAL_NAN);
    return f32_of_f64(f64_div(1.0, f64_add(exp64(clamped(f64_neg(f64_of_f32(x)), -110.0, 110.0)), 1.0)));
}
EXACT float sinh32(float x) {
    if (is_nan(x)) return f32_of_bits(CANONICAL_NAN);
    double d = f64_of_f32(x), a = clamped(f64_abs(d), 0.0, HIGHEST);
    if (a < 1.0) return f32_of_f64(f64_mul(d, hyperbolic_sine_series(f64_mul(d, d))));
    double e = exp64(a), t = f64_mul(f64_sub(e, f64_div(1.0, e)), 0.5);
    return f32_of_f64(f64_signed(t, d < 0.0));
}
EXACT float cosh32(float x) {
    if (is_nan(x)) return f32_of_bits(CANONICAL_NAN);
    double e = exp64(clamped(f64_abs(f64_of_f32(x)), 0.0, HIGHEST));
    return f32_of_f64(f64_mul(f64_add(e, f64_div(1.0, e)), 0.5));
}

// error_function.py.
EXACT float erf32(float x) {
    if (is_nan(x)) return f32_of_bits(CANONICAL_NAN);
    double d = f64_of_f32(x), a = clamped(f64_abs(d), 0.0, 4.0);
    if (a < 1.0) return f32_of_f64(f64_mul(d, small_error_series(f64_mul(d, d))));
    return f32_of_f64(f64_signed(large_error_series(f64_sub(a, 2.5)), d < 0.0));
}

// inverse_trigonometric.py: atan a for a >= 0.
EXACT double atan64(double a) {
    bool large = a > 0x1.3504f333f9de6p+1, middle = a > 0x1.a827999fcef32p-2;
    double numerator = large ? -1.0 : middle ? f64_sub(a, 1.0) : a, denominator = large ? a : middle ? f64_add(a, 1.0) : 1.0;
    double base = large ? 0x1.921fb54442d18p+0 : middle ? 0x1.921fb54442d18p-1 : 0.0;
    double u = f64_div(numerator, denominator);
    return f64_add(base, f64_mul(u, arc_tangent_series(f64_mul(u, u))));
}
EXACT float atan32(float x) {
    if (is_nan(x)) return f32_of_bits(CANONICAL_NAN);
    return f32_of_f64(f64_signed(atan64(f64_abs(f64_of_f32(x))), sign_bit(x)));
}
EXACT float asin32(float x) {
    if (!(f32_abs(x) <= 1.0f)) return f32_of_bits(CANONICAL_NAN);
    double a = f64_abs(f64_of_f32(x)), root = f64_sqrt(f64_mul(f64_sub(1.0, a), f64_add(1.0, a)));
    return f32_of_f64(f64_signed(atan64(f64_div(a, root)), sign_bit(x)));
}
EXACT float acos32(float x) {
    if (!(f32_abs(x) <= 1.0f)) return f32_of_bits(CANONICAL_NAN);
    double d = f64_of_f32(x), root = f64_sqrt(f64_div(f64_sub(1.0, d), f64_add(1.0, d)));
    return f32_of_f64(f64_mul(2.0, atan64(root)));
}

// trigonometric.py: x = n * pi/2 + r.
struct Quadrant {
    long long n;
    double r;
};

// A word of zeros, then the first 224 bits of 2/pi after the binary point.
EXACT unsigned long long turn_word(int index) {
    switch (index) {
        case 1: return 0xa2f9836eu;
        case 2: return 0x4e441529u;
        case 3: return 0xfc2757d1u;
        case 4: return 0xf534ddc0u;
        case 5: return 0xdb629599u;
        case 6: return 0x3c439041u;
        case 7: return 0xfe5163abu;
        default: return 0;
    }
}
EXACT unsigned long long turn_bits(int first) {
    int index = first >> 5, shift = first & 31;
    return (turn_word(index) << shift | turn_word(index + 1) >> (32 - shift)) & 0xffffffffu;
}

EXACT Quadrant quadrant_of_large(float x) {
    unsigned bits = bits_of_f32(x);
    unsigned long long m = (bits & 0x7fffffu) | 0x800000u;
    int start = (int)(bits >> 23 & 0xff) - 150 + 30;
    unsigned long long p2 = m * turn_bits(start + 64), p1 = m * turn_bits(start + 32) + (p2 >> 32);
    unsigned long long p0 = m * turn_bits(start) + (p1 >> 32), h0 = p0 & 0xffffffffu;
    long long n = (long long)(h0 >> 30), f = (long long)((h0 & 0x3fffffffu) << 32 | (p1 & 0xffffffffu));
    if (f >= 1LL << 61) n += 1, f -= 1LL << 62;
    double low = f64_mul(f64_of_i64((long long)(p2 & 0xffffffffu)), 0x1p-32);
    double r = f64_mul(f64_add(f64_of_i64(f), low), 0x1.921fb54442d18p-62);
    if (sign_bit(x)) n = -n, r = f64_neg(r);
    return {n, r};
}

EXACT Quadrant quadrant(float x) {
    if (f32_abs(x) > 32768.0f) return quadrant_of_large(x);
    double d = f64_of_f32(x), turns = f64_rint(f64_mul(d, 0x1.45f306dc9c883p-1));
    double r = f64_sub(f64_sub(d, f64_mul(turns, 0x1.921fb54440000p+0)), f64_mul(turns, 0x1.68c234c400000p-39));
    return {i64_of_f64(turns), f64_sub(r, f64_mul(turns, 0x1.8cc51701b839ap-72))};
}

EXACT double sin64(double r) { return f64_mul(r, sine_series(f64_mul(r, r))); }
EXACT double cos64(double r) { return cosine_series(f64_mul(r, r)); }

// sin(x + quarters * pi/2).
EXACT float turned(float x, int quarters) {
    if (!is_finite(x)) return f32_of_bits(CANONICAL_NAN);
    Quadrant place = quadrant(x);
    long long n = place.n + quarters;
    double value = n & 1 ? cos64(place.r) : sin64(place.r);
    return f32_of_f64(f64_signed(value, n & 2));
}
EXACT float sin32(float x) { return x == 0.0f ? x : turned(x, 0); }
EXACT float cos32(float x) { return turned(x, 1); }
EXACT float tan32(float x) {
    if (x == 0.0f) return x;
    if (!is_finite(x)) return f32_of_bits(CANONICAL_NAN);
    Quadrant place = quadrant(x);
    double sine = sin64(place.r), cosine = cos64(place.r);
    return f32_of_f64(place.n & 1 ? f64_div(f64_neg(cosine), sine) : f64_div(sine, cosine));
}

// power.py. An exponent of float32 is a whole number where its magnitude is 2^23 or more.
EXACT bool is_whole(float y) { return f32_floor(y) == y; }
EXACT bool is_odd(float y) { return is_finite(y) && is_whole(y) && !is_whole(f32_mul(y, 0.5f)); }
EXACT float pow32(float x, float y) {
    if (x == 1.0f || y == 0.0f) return 1.0f;
    bool fraction = is_finite(y) && !is_whole(y);
    if (is_nan(x) || is_nan(y) || (x < 0.0f && is_finite(x) && fraction)) return f32_of_bits(CANONICAL_NAN);
    double d = f64_of_f32(x), exponent = f64_of_f32(y);
    if (y == 2.0f) return f32_of_f64(f64_mul(d, d));
    if (y == 3.0f) return f32_of_f64(f64_mul(f64_mul(d, d), d));
    double p = exp64(clamped(f64_mul(exponent, log64_of_magnitude(x)), LOWEST, HIGHEST));
    return f32_of_f64(f64_signed(p, sign_bit(x) && is_odd(y)));
}
