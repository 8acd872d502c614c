// The one rounding rule of the quantised operators: cvm/inference/operators/quantisation.py.
#pragma once
#include "ieee.cuh"

struct Saturation {
    word zero, low, high;
};

// clip(rint(value), low - zero, high - zero) + zero; halves go to the even integer, NaN gives the zero point.
EXACT int saturate(float value, int zero, int low, int high) {
    float least = f32_of_i32(low - zero), greatest = f32_of_i32(high - zero), rounded = f32_rint(value);
    rounded = rounded < least ? least : rounded;
    rounded = rounded > greatest ? greatest : rounded;
    rounded = is_nan(value) ? 0.0f : rounded;
    return i32_of_f32(rounded) + zero;
}

EXACT int requantise(int sum, float multiplier, const Saturation& to) {
    return saturate(f32_mul(f32_of_i32(sum), multiplier), (int)to.zero, (int)to.low, (int)to.high);
}
