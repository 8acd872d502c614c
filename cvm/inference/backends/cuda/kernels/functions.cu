// Operators of one or two float32 that take a transcendental function: cvm/inference/exact, then the steps of the ONNX function body.
#include "broadcast.cuh"
#include "transcendental.cuh"

MAP(acos_float32, float, float, acos32(x))
MAP(asin_float32, float, float, asin32(x))
MAP(atan_float32, float, float, atan32(x))
MAP(cos_float32, float, float, cos32(x))
MAP(cosh_float32, float, float, cosh32(x))
MAP(erf_float32, float, float, erf32(x))
MAP(exp_float32, float, float, exp32(x))
MAP(log_float32, float, float, log32(x))
MAP(mish_float32, float, float, f32_mul(x, tanh32(softplus32(x))))
MAP(sigmoid_float32, float, float, sigmoid32(x))
MAP(sin_float32, float, float, sin32(x))
MAP(sinh_float32, float, float, sinh32(x))
MAP(softplus_float32, float, float, softplus32(x))
MAP(tan_float32, float, float, tan32(x))
MAP(tanh_float32, float, float, tanh32(x))

// p: sqrt(2), or sqrt(2 / pi) and q the factor of the cube.
MAP_WITH(gelu_float32, float, float, f32_mul(f32_mul(0.5f, x), f32_add(1.0f, erf32(f32_div(x, p)))))
MAP_WITH(gelu_tanh_float32, float, float,
         f32_mul(f32_mul(0.5f, x), f32_add(1.0f, tanh32(f32_mul(p, f32_add(x, f32_mul(q, pow32(x, 3.0f))))))))

// p: alpha, q: gamma.
MAP_WITH(elu_float32, float, float, x < 0.0f ? f32_mul(p, f32_sub(exp32(x), 1.0f)) : x)
MAP_WITH(selu_float32, float, float, f32_mul(q, x < 0.0f ? f32_sub(f32_mul(p, exp32(x)), p) : x))

EXACT float elu_of_quotient(float quotient) { return quotient < 0.0f ? f32_sub(exp32(quotient), 1.0f) : quotient; }
MAP_WITH(celu_float32, float, float, f32_mul(p, elu_of_quotient(f32_div(x, p))))

BROADCAST(pow_float32, float, float, pow32(a, b))
