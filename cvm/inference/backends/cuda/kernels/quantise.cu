// QuantizeLinear and DequantizeLinear. Element i uses entry (i / inner) % channels of the scales and zero points.
#include "quantisation.cuh"

struct Quantise {
    unsigned char* y;  // the bytes of an int8 are those of the uint8 with the same low bits
    const float* x;
    const float* scales;
    const int* zeros;
    word size, inner, channels, low, high;
};

extern "C" __global__ void quantise(const Quantise* work) {
    int i = global_thread();
    if (i >= work->size) return;
    int channel = i / (int)work->inner % (int)work->channels;
    float quotient = f32_div(work->x[i], work->scales[channel]);
    work->y[i] = (unsigned char)saturate(quotient, work->zeros[channel], (int)work->low, (int)work->high);
}

template <class T> struct Dequantise {
    float* y;
    const T* x;
    const float* scales;
    const int* zeros;
    word size, inner, channels;
};

template <class T> EXACT void dequantise(const Dequantise<T>& work) {
    int i = global_thread();
    if (i >= work.size) return;
    int channel = i / (int)work.inner % (int)work.channels;
    int difference = (int)((unsigned)(int)work.x[i] - (unsigned)work.zeros[channel]);
    work.y[i] = f32_mul(f32_of_i32(difference), work.scales[channel]);
}

extern "C" __global__ void dequantise_int8(const Dequantise<signed char>* work) { dequantise(*work); }
extern "C" __global__ void dequantise_uint8(const Dequantise<unsigned char>* work) { dequantise(*work); }
extern "C" __global__ void dequantise_int32(const Dequantise<int>* work) { dequantise(*work); }
