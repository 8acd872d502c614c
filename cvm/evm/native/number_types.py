"""The machine's numbers, for annotations and conversions in compiled functions."""

from typing import Any, TypeAlias

import numpy as np

Word: TypeAlias = Any  # 256 bits: only numba has this type
Lanes: TypeAlias = Any  # eight numbers of `field_lanes`: the same
Limb: TypeAlias = Any  # 64 bits without sign: numba's, not Python's
U: Any = np.uint64  # called for a conversion, which NumPy's stub does not let one add to an int
int64: Any = np.int64  # the same
uint8: Any = np.uint8  # the same
