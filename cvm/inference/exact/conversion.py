"""float32 as an integer: truncated toward zero, saturated, NaN as 0."""

import numpy as np

from cvm.inference.tensor_type import Array


def integer_from_float32(values: Array, dtype: str) -> Array:
    """Return float32 values as int8, uint8, int32 or int64.

    A value is truncated toward zero; one beyond the dtype gives its nearest bound, NaN gives
    0. Only values in range reach the processor's conversion, which differs elsewhere.
    """
    limits = np.iinfo(dtype)
    whole = np.trunc(values).astype(np.float64)
    is_low = whole < limits.min
    is_high = whole >= float(limits.max) + 1.0  # 2**63 exactly for int64
    inside = np.where(np.isnan(values) | is_low | is_high, 0.0, whole).astype(dtype)
    least, greatest = np.asarray(limits.min, dtype), np.asarray(limits.max, dtype)
    return np.where(is_low, least, np.where(is_high, greatest, inside))
