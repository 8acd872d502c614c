"""What `cvt` makes of a number, in each form that our kernels use.

Source: NVIDIA, "Parallel Thread Execution ISA", section on `cvt`.
"""

from collections.abc import Callable, Iterator, Mapping

import numpy as np

from cvm.inference.tensor_type import Array
from tests.unit.inference.cuda.ptx_kinds import DTYPES, Meaning, made_nan, width_of

ROUNDINGS: Mapping[str, Callable[[Array], Array]] = {
    "rni": np.rint,
    "rzi": np.trunc,
    "rmi": np.floor,
    "rpi": np.ceil,
}
"""To a whole number: to nearest even, towards zero, down, up."""


def to_integer(rounding: str, source: str, result: str) -> Callable[[Array], Array]:
    """Return a conversion from float: rounded, then saturated.

    A NaN gives 0, but the most negative bits where source or result has 64 bits.
    """
    dtype, limits = DTYPES[result], np.iinfo(DTYPES[result])
    wide = width_of(source) == 64 or width_of(result) == 64
    of_nan = dtype.type(limits.min if wide and dtype.kind == "i" else 0)
    if wide and dtype.kind == "u":
        of_nan = dtype.type(1 << (width_of(result) - 1))

    def convert(a: Array) -> Array:
        whole = ROUNDINGS[rounding](a.astype(np.float64))
        # Both limits plus one are powers of two, or 0: exact as float64.
        above, below = whole >= float(limits.max) + 1.0, whole < float(limits.min)
        is_nan = whole != whole
        inside = np.where(above | below | is_nan, 0.0, whole).astype(dtype)
        saturated = np.where(above, dtype.type(limits.max), inside)
        saturated = np.where(below, dtype.type(limits.min), saturated)
        return np.where(is_nan, of_nan, saturated)

    return convert


def _to(kind: str) -> Callable[[Array], Array]:
    dtype = DTYPES[kind]
    return lambda a: a.astype(dtype)


def _made(kind: str) -> Callable[[Array], Array]:
    dtype = DTYPES[kind]
    return lambda a: made_nan(a.astype(dtype))


def _rounded(rounding: str) -> Callable[[Array], Array]:
    return lambda a: made_nan(ROUNDINGS[rounding](a))


def _conversions() -> Iterator[tuple[str, Meaning]]:
    integers = [kind for kind in DTYPES if kind[0] in "us"]
    for source in integers:
        for result in integers:
            if result != source:
                yield f"cvt.{result}.{source}", Meaning(result, (source,), _to(result))
        for result in ("f32", "f64"):
            yield f"cvt.rn.{result}.{source}", Meaning(result, (source,), _to(result))
    for source in ("f32", "f64"):
        for rounding in ROUNDINGS:
            name = f"cvt.{rounding}.{source}.{source}"
            yield name, Meaning(source, (source,), _rounded(rounding))
            for result in ("s32", "u32", "s64", "u64"):
                name = f"cvt.{rounding}.{result}.{source}"
                yield name, Meaning(result, (source,), to_integer(rounding, source, result))
    yield "cvt.f64.f32", Meaning("f64", ("f32",), _made("f64"))
    yield "cvt.rn.f32.f64", Meaning("f32", ("f64",), _made("f32"))


CONVERSIONS: Mapping[str, Meaning] = dict(_conversions())
"""What each form of `cvt` makes of its operand, by its whole name."""
