// The polynomials of cvm/inference/exact, highest power first.
#pragma once
#include "exponential.cuh"

// SINH_COEFFICIENTS of hyperbolic.py, in x * x.
EXACT double hyperbolic_sine_series(double t) {
    return polynomial(t, 0x1.ae7f3e733b81fp-41, 0x1.6124613a86d09p-33, 0x1.ae64567f544e4p-26, 0x1.71de3a556c734p-19, 0x1.a01a01a01a01ap-13,
                         0x1.1111111111111p-7, 0x1.5555555555555p-3, 0x1.0000000000000p+0);
}

// SMALL of error_function.py, in x * x.
EXACT double small_error_series(double t) {
    return polynomial(t, 0x1.43f6d0dee7032p-27, -0x1.462a758d4591dp-23, 0x1.b5d3ea9fd0b5ap-20, -0x1.f4684782919e8p-17, 0x1.f99c295886f05p-14,
                         -0x1.c02d67e37081ep-11, 0x1.565bcb082cca2p-8, -0x1.b82ce3026aae0p-6, 0x1.ce2f21a000d30p-4, -0x1.812746b037352p-2,
                         0x1.20dd750429b6bp+0);
}

// LARGE of error_function.py, in x - CENTRE.
EXACT double large_error_series(double t) {
    return polynomial(t, -0x1.fb43202066e68p-33, 0x1.22bdc933319ecp-30, 0x1.3b7c95e36b479p-29, -0x1.7f71719ab3f22p-26, 0x1.a0282aaab7cd1p-26,
                         0x1.74f354354ae55p-23, -0x1.5e53121f1dedcp-21, 0x1.9e753c932d4fep-23, 0x1.3bb28e629c0c3p-18, -0x1.d8f1f9153c86bp-17,
                         0x1.580ea0ab1be79p-18, 0x1.4a910f318806cp-14, -0x1.06702bbd717eep-12, 0x1.11538ac0700a5p-12, 0x1.1c60dd4933e55p-11,
                         -0x1.6ecdb106112a2p-9, 0x1.90e81359acdfap-8, -0x1.1a89ba02de308p-7, 0x1.119da0be6de21p-7, -0x1.64e3dcc48b57ap-8,
                         0x1.1d83170ff87e2p-9, 0x1.ffcaa8f4c9768p-1);
}

// COEFFICIENTS of inverse_trigonometric.py, in u * u.
EXACT double arc_tangent_series(double t) {
    return polynomial(t, 0x1.f07c1f07c1f08p-6, -0x1.0842108421084p-5, 0x1.1a7b9611a7b96p-5, -0x1.2f684bda12f68p-5, 0x1.47ae147ae147bp-5,
                         -0x1.642c8590b2164p-5, 0x1.8618618618618p-5, -0x1.af286bca1af28p-5, 0x1.e1e1e1e1e1e1ep-5, -0x1.1111111111111p-4,
                         0x1.3b13b13b13b14p-4, -0x1.745d1745d1746p-4, 0x1.c71c71c71c71cp-4, -0x1.2492492492492p-3, 0x1.999999999999ap-3,
                         -0x1.5555555555555p-2, 0x1.0000000000000p+0);
}

// COEFFICIENTS of logarithm.py, in s * s.
EXACT double logarithm_series(double t) {
    return polynomial(t, 0x1.8618618618618p-4, 0x1.af286bca1af28p-4, 0x1.e1e1e1e1e1e1ep-4, 0x1.1111111111111p-3, 0x1.3b13b13b13b14p-3,
                         0x1.745d1745d1746p-3, 0x1.c71c71c71c71cp-3, 0x1.2492492492492p-2, 0x1.999999999999ap-2, 0x1.5555555555555p-1,
                         0x1.0000000000000p+1);
}

// SERIES_TO_ONE of logarithm.py, in s * s.
EXACT double logarithm_series_to_one(double t) {
    return polynomial(t, 0x1.0842108421084p-4, 0x1.1a7b9611a7b96p-4, 0x1.2f684bda12f68p-4, 0x1.47ae147ae147bp-4, 0x1.642c8590b2164p-4,
                         0x1.8618618618618p-4, 0x1.af286bca1af28p-4, 0x1.e1e1e1e1e1e1ep-4, 0x1.1111111111111p-3, 0x1.3b13b13b13b14p-3,
                         0x1.745d1745d1746p-3, 0x1.c71c71c71c71cp-3, 0x1.2492492492492p-2, 0x1.999999999999ap-2, 0x1.5555555555555p-1,
                         0x1.0000000000000p+1);
}

// SIN_COEFFICIENTS of trigonometric.py, in r * r.
EXACT double sine_series(double t) {
    return polynomial(t, -0x1.ae7f3e733b81fp-41, 0x1.6124613a86d09p-33, -0x1.ae64567f544e4p-26, 0x1.71de3a556c734p-19, -0x1.a01a01a01a01ap-13,
                         0x1.1111111111111p-7, -0x1.5555555555555p-3, 0x1.0000000000000p+0);
}

// COS_COEFFICIENTS of trigonometric.py, in r * r.
EXACT double cosine_series(double t) {
    return polynomial(t, -0x1.93974a8c07c9dp-37, 0x1.1eed8eff8d898p-29, -0x1.27e4fb7789f5cp-22, 0x1.a01a01a01a01ap-16, -0x1.6c16c16c16c17p-10,
                         0x1.5555555555555p-5, -0x1.0000000000000p-1, 0x1.0000000000000p+0);
}
