"""The kinds of number that PTX instructions name, and what an instruction means."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from cvm.inference.tensor_type import Array

_NAMES = {
    **{f"u{bits}": f"uint{bits}" for bits in (8, 16, 32, 64)},
    **{f"b{bits}": f"uint{bits}" for bits in (8, 16, 32, 64)},
    **{f"s{bits}": f"int{bits}" for bits in (8, 16, 32, 64)},
    "f32": "float32",
    "f64": "float64",
    "pred": "bool",
}
DTYPES: Mapping[str, np.dtype[Any]] = {kind: np.dtype(name) for kind, name in _NAMES.items()}
"""The NumPy form of each kind; bits without a meaning are unsigned numbers."""

NAN32 = 0x7FFF_FFFF
"""What float32 operations make: CUDA C++ Programming Guide, "Floating-Point Standard"."""

NAN64 = 0xFFF8_0000_0000_0000
"""The NaN of float64 instructions here; PTX leaves its bits open."""


@dataclass(frozen=True, slots=True)
class Meaning:
    """What an instruction makes: the kind of its result, those of its operands, the function."""

    result: str
    operands: tuple[str, ...]
    apply: Callable[..., Array]


def width_of(kind: str) -> int:
    """Return the bits of a kind; a predicate has 1."""
    return 1 if kind == "pred" else int(kind[1:])


def made_nan(values: Array) -> Array:
    """Return floats in which every NaN has the bits that a GPU makes."""
    is_nan = values != values
    if not is_nan.any():
        return values
    bits = NAN32 if values.dtype == np.float32 else NAN64
    raw = values.view(f"u{values.dtype.itemsize}")
    return np.where(is_nan, raw.dtype.type(bits), raw).view(values.dtype)
