"""Conversions among the dtypes: what Cast, CastLike and Pow share."""

import numpy as np

from cvm.inference.exact.conversion import integer_from_float32
from cvm.inference.tensor_type import Array


def converted(x: Array, dtype: str) -> Array:
    """Return x in another dtype, for float32, int8, uint8, int32, int64 and bool.

    * float32 to an integer: truncated toward zero, saturated by a choice before the conversion;
      NaN gives 0.
    * integer to integer: the low bits, in two's complement.
    * integer or bool to float32: one rounding to nearest even.
    * anything to bool: whether it differs from 0; NaN does.
    """
    if dtype == "bool":
        return np.asarray(x != 0)
    if x.dtype == np.float32 and dtype != "float32":
        return integer_from_float32(x, dtype)
    return x.astype(dtype)
