// Operators of two operands of one dtype: cvm/inference/exact/division.py, power.py and ordering.py.
#include "broadcast.cuh"

template <class T> EXACT bool is_negative(T a) { return a < (T)1 && a != (T)0; }
template <class T> EXACT bool is_minus_one(T a) { return is_negative(a) && a == (T)-1; }

EXACT float quotient(float a, float b) { return f32_div(a, b); }
template <class T> EXACT T quotient(T a, T b) {
    if (b == (T)0) return (T)0;
    return is_minus_one(b) ? (T)(0ULL - (unsigned long long)a) : (T)(a / b);
}

template <class T> EXACT T truncated_remainder(T a, T b) { return b == (T)0 || is_minus_one(b) ? (T)0 : (T)(a % b); }
template <class T> EXACT T floored_remainder(T a, T b) {
    T remainder = truncated_remainder(a, b);
    return remainder != (T)0 && is_negative(remainder) != is_negative(b) ? (T)(remainder + b) : remainder;
}

// |value| = integer * 2^exponent; a subnormal has the least exponent.
struct Parts {
    long long integer;
    int exponent;
};
EXACT Parts parts_of(float value) {
    unsigned bits = bits_of_f32(value);
    int biased = (int)(bits >> 23 & 0xff), fraction = (int)(bits & 0x7fffffu);
    return {biased > 0 ? fraction | 0x800000 : fraction, (biased > 0 ? biased - 1 : 0) - 149};
}
EXACT float power_of_two(int exponent) {
    return f32_of_bits(exponent >= -126 ? (unsigned)(exponent + 127) << 23 : 1u << (exponent + 149));
}
// The remainder is found in integers, at most 39 places at a time, and is exact; it has the sign of x.
EXACT float truncated_remainder(float x, float y) {
    float size = f32_of_bits(bits_of_f32(x) & 0x7fffffffu), divisor = f32_of_bits(bits_of_f32(y) & 0x7fffffffu);
    if (is_nan(x) || is_nan(y) || bits_of_f32(size) == 0x7f800000u || y == 0.0f) return f32_of_bits(CANONICAL_NAN);
    if (bits_of_f32(divisor) == 0x7f800000u || size < divisor) return x;
    Parts a = parts_of(size), b = parts_of(divisor);
    long long remainder = a.integer % b.integer;
    for (int places = a.exponent - b.exponent; places > 0; places -= 39)
        remainder = (remainder << (places < 39 ? places : 39)) % b.integer;
    float exact = f32_mul(f32_of_i64(remainder), power_of_two(b.exponent));
    return f32_of_bits(bits_of_f32(exact) | (bits_of_f32(x) & 0x80000000u));
}

EXACT float sloped(float x, float slope) { return x < 0.0f ? f32_mul(slope, x) : x; }
template <class T> EXACT T sloped(T x, T slope) { return x < 0 ? (T)((unsigned long long)slope * (unsigned long long)x) : x; }

// An exponent below zero gives the integer quotient of 1 and the power.
template <class T> EXACT T integer_power(T x, long long y) {
    if (y < 0) return x == 1 ? 1 : x == -1 ? (T)(y & 1 ? -1 : 1) : 0;
    unsigned long long result = 1, square = (unsigned long long)x;
    for (; y > 0; y >>= 1, square *= square)
        if (y & 1) result *= square;
    return (T)result;
}

#define OF_NUMBERS(NAME, FUNCTION) \
    BROADCAST(NAME##_float32, float, float, FUNCTION(a, b)) \
    BROADCAST(NAME##_int8, signed char, signed char, FUNCTION(a, b)) \
    BROADCAST(NAME##_uint8, unsigned char, unsigned char, FUNCTION(a, b)) \
    BROADCAST(NAME##_int32, int, int, FUNCTION(a, b)) \
    BROADCAST(NAME##_int64, long long, long long, FUNCTION(a, b))
OF_NUMBERS(div, quotient)
OF_NUMBERS(max, larger)
OF_NUMBERS(min, smaller)
OF_NUMBERS(remainder, truncated_remainder)
BROADCAST(modulo_int8, signed char, signed char, floored_remainder(a, b))
BROADCAST(modulo_uint8, unsigned char, unsigned char, floored_remainder(a, b))
BROADCAST(modulo_int32, int, int, floored_remainder(a, b))
BROADCAST(modulo_int64, long long, long long, floored_remainder(a, b))
BROADCAST(prelu_float32, float, float, sloped(a, b))
BROADCAST(prelu_int32, int, int, sloped(a, b))
BROADCAST(prelu_int64, long long, long long, sloped(a, b))

extern "C" __global__ void pow_int32(const Broadcast<int, int, long long>* work) {
    broadcast(*work, [](int x, long long y) { return integer_power(x, y); });
}
extern "C" __global__ void pow_int64(const Broadcast<long long, long long, long long>* work) {
    broadcast(*work, [](long long x, long long y) { return integer_power(x, y); });
}

// A truth value is a byte, 0 or 1. NaN compares false; -0 equals +0.
#define COMPARISON(NAME, OPERATOR) \
    BROADCAST(NAME##_float32, unsigned char, float, a OPERATOR b) \
    BROADCAST(NAME##_int8, unsigned char, signed char, a OPERATOR b) \
    BROADCAST(NAME##_uint8, unsigned char, unsigned char, a OPERATOR b) \
    BROADCAST(NAME##_int32, unsigned char, int, a OPERATOR b) \
    BROADCAST(NAME##_int64, unsigned char, long long, a OPERATOR b)
COMPARISON(equal, ==)
COMPARISON(less, <)
COMPARISON(less_or_equal, <=)
COMPARISON(greater, >)
COMPARISON(greater_or_equal, >=)

#define BITWISE(NAME, OPERATOR) \
    BROADCAST(NAME##_8, unsigned char, unsigned char, a OPERATOR b) \
    BROADCAST(NAME##_32, unsigned, unsigned, a OPERATOR b) \
    BROADCAST(NAME##_64, unsigned long long, unsigned long long, a OPERATOR b)
BITWISE(and, &)
BITWISE(or, |)
BITWISE(xor, ^)
BROADCAST(shift_left, unsigned char, unsigned char, b < 8 ? a << b : 0)
BROADCAST(shift_right, unsigned char, unsigned char, b < 8 ? a >> b : 0)
