// Operators of one operand whose steps are float32 or integer operations: one thread makes one element.
#include "broadcast.cuh"

EXACT float magnitude(float x) { return f32_of_bits(bits_of_f32(x) & 0x7fffffffu); }
EXACT float negated(float x) { return f32_of_bits(bits_of_f32(x) ^ 0x80000000u); }
EXACT bool is_positive_infinity(float x) { return bits_of_f32(x) == 0x7f800000u; }
EXACT bool is_negative_infinity(float x) { return bits_of_f32(x) == NEGATIVE_INFINITY; }
EXACT float sign_of(float x) { return x > 0.0f ? 1.0f : x < 0.0f ? -1.0f : is_nan(x) ? x : 0.0f; }
template <class T> EXACT T sign_of(T x) { return (T)((x > 0) - (x < 0)); }
template <class T> EXACT T integer_magnitude(T x) { return x < 0 ? (T)(0ULL - (unsigned long long)x) : x; }

MAP(abs_float32, float, float, magnitude(x))
MAP(abs_int8, signed char, signed char, integer_magnitude(x))
MAP(abs_int32, int, int, integer_magnitude(x))
MAP(abs_int64, long long, long long, integer_magnitude(x))
MAP(neg_float32, float, float, negated(x))
MAP(neg_8, unsigned char, unsigned char, 0u - x)
MAP(neg_32, unsigned, unsigned, 0u - x)
MAP(neg_64, unsigned long long, unsigned long long, 0ULL - x)
MAP(sign_float32, float, float, sign_of(x))
MAP(sign_int8, signed char, signed char, sign_of(x))
MAP(sign_uint8, unsigned char, unsigned char, x != 0)
MAP(sign_int32, int, int, sign_of(x))
MAP(sign_int64, long long, long long, sign_of(x))
MAP(floor_float32, float, float, f32_floor(x))
MAP(ceil_float32, float, float, f32_ceil(x))
MAP(round_float32, float, float, f32_rint(x))
MAP(root_float32, float, float, f32_sqrt(x))
MAP(reciprocal_float32, float, float, f32_div(1.0f, x))
MAP(softsign_float32, float, float, f32_div(x, f32_add(1.0f, magnitude(x))))
MAP(is_nan_float32, unsigned char, float, is_nan(x))
MAP(is_positive_infinity, unsigned char, float, is_positive_infinity(x))
MAP(is_negative_infinity, unsigned char, float, is_negative_infinity(x))
MAP(is_infinity, unsigned char, float, is_positive_infinity(magnitude(x)))
MAP(not_bool, unsigned char, unsigned char, x == 0)
MAP(invert_8, unsigned char, unsigned char, ~x)
MAP(invert_32, unsigned, unsigned, ~x)
MAP(invert_64, unsigned long long, unsigned long long, ~x)
MAP(zero_if_infinite, float, float, is_positive_infinity(magnitude(x)) ? 0.0f : x)
MAP(one_if_zero, float, float, x == 0.0f ? 1.0f : x)

EXACT float hard_sigmoid_of(float x, float alpha, float beta) {
    return larger(smaller(f32_add(f32_mul(x, alpha), beta), 1.0f), 0.0f);
}
// p: alpha, q: beta.
MAP_WITH(hard_sigmoid, float, float, hard_sigmoid_of(x, p, q))
MAP_WITH(hard_swish, float, float, f32_mul(x, hard_sigmoid_of(x, p, q)))
MAP_WITH(leaky_relu, float, float, x < 0.0f ? f32_mul(p, x) : x)
MAP_WITH(thresholded_relu, float, float, p < x ? x : 0.0f)
MAP_WITH(is_above, float, float, x > p ? 1.0f : 0.0f)
