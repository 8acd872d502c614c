"""erf for float32, as one fixed sequence of float64 operations."""

import numpy as np

from cvm.inference.exact.exponential import clamped
from cvm.inference.exact.ordering import CANONICAL_NAN
from cvm.inference.exact.polynomial import horner
from cvm.inference.tensor_type import Array

LARGEST = 4.0
"""erf of it rounds to 1."""

CENTRE = 2.5
"""The middle of [1, LARGEST]."""

SMALL = tuple(
    map(
        float.fromhex,
        [
            "0x1.43f6d0dee7032p-27",
            "-0x1.462a758d4591dp-23",
            "0x1.b5d3ea9fd0b5ap-20",
            "-0x1.f4684782919e8p-17",
            "0x1.f99c295886f05p-14",
            "-0x1.c02d67e37081ep-11",
            "0x1.565bcb082cca2p-8",
            "-0x1.b82ce3026aae0p-6",
            "0x1.ce2f21a000d30p-4",
            "-0x1.812746b037352p-2",
            "0x1.20dd750429b6bp+0",
        ],
    )
)
"""erf(x) / x in x * x on [0, 1]: the polynomial through its 11 Chebyshev nodes, highest first."""

LARGE = tuple(
    map(
        float.fromhex,
        [
            "-0x1.fb43202066e68p-33",
            "0x1.22bdc933319ecp-30",
            "0x1.3b7c95e36b479p-29",
            "-0x1.7f71719ab3f22p-26",
            "0x1.a0282aaab7cd1p-26",
            "0x1.74f354354ae55p-23",
            "-0x1.5e53121f1dedcp-21",
            "0x1.9e753c932d4fep-23",
            "0x1.3bb28e629c0c3p-18",
            "-0x1.d8f1f9153c86bp-17",
            "0x1.580ea0ab1be79p-18",
            "0x1.4a910f318806cp-14",
            "-0x1.06702bbd717eep-12",
            "0x1.11538ac0700a5p-12",
            "0x1.1c60dd4933e55p-11",
            "-0x1.6ecdb106112a2p-9",
            "0x1.90e81359acdfap-8",
            "-0x1.1a89ba02de308p-7",
            "0x1.119da0be6de21p-7",
            "-0x1.64e3dcc48b57ap-8",
            "0x1.1d83170ff87e2p-9",
            "0x1.ffcaa8f4c9768p-1",
        ],
    )
)
"""erf(x) in x - CENTRE on [1, LARGEST]: the polynomial through its 22 Chebyshev nodes."""


def erf32(x: Array) -> Array:
    """Return erf x elementwise for a float32 array, within 0.5000001 units in the last place.

    Every step is one float64 operation rounded to nearest even, nothing is fused:

    1. a = |x| clamped to [0, LARGEST]
    2. u = a - CENTRE; t = LARGE[0], then t = t * u + c for each further coefficient c
    3. q = x * x; s = SMALL[0], then s = s * q + c for each further coefficient c
    4. the result is x * s if a < 1, else t with the sign of x; rounded once to float32

    NaN gives NaN, +-inf give +-1, +-0 give +-0.
    """
    with np.errstate(all="ignore"):
        d = x.astype(np.float64)
        a = clamped(np.abs(d), 0.0, LARGEST)
        t = horner(LARGE, a - CENTRE)
        small = d * horner(SMALL, d * d)
        result = np.where(a < 1.0, small, np.where(d < 0, -t, t)).astype(np.float32)
    return np.where(np.isnan(x), CANONICAL_NAN, result)
