"""Numbers of every range for operators that work element by element."""

from collections.abc import Callable, Iterator

import numpy as np

from bench.gas_cases.case import GasCase
from bench.gas_cases.elementwise import FLOAT_UNARY
from bench.gas_hunt.hunted import Hunt, hunted, integers, random
from cvm.inference.tensor_type import Array

SIZE = 2**14
UNARY = (*FLOAT_UNARY, "Log", "Sqrt", "Acos", "Asin")


def _between(low: float, high: float) -> Array:
    """Return magnitudes between two powers of two, of either sign."""
    rng = random()
    powers = rng.uniform(low, high, SIZE)
    with np.errstate(under="ignore"):
        magnitudes = (2.0**powers).astype(np.float32)
    return np.where(rng.integers(0, 2, SIZE) == 0, magnitudes, -magnitudes)


RANGES: dict[str, Callable[[], Array]] = {
    "subnormal": lambda: _between(-149, -126),
    "tiny": lambda: _between(-126, -30),
    "below one": lambda: _between(-8, 0),
    "near one": lambda: np.float32(1) + _between(-24, -3),
    "some": lambda: _between(0, 4),
    "tens": lambda: _between(3, 7),
    "thousands": lambda: _between(7, 15),
    "great": lambda: _between(15, 40),
    "huge": lambda: _between(40, 127.9),
    "one great of 256": lambda: np.where(
        np.arange(SIZE) % 256 == 0, _between(20, 100), _between(-2, 2)
    ),
    "half great": lambda: np.where(_between(0, 1) > 0, _between(20, 100), _between(-2, 2)),
    "underflowing exponent": lambda: -np.abs(_between(6.45, 6.7)),
    "NaN": lambda: np.full(SIZE, np.nan, np.float32),
    "infinite": lambda: np.copysign(np.float32(np.inf), _between(0, 1)),
    "zeros": lambda: np.copysign(np.float32(0), _between(0, 1)),
    "integers": lambda: np.rint(_between(0, 5)),
    "half integers": lambda: np.rint(_between(0, 5)) + np.float32(0.5),
}

POWERS = {
    "some": (0.0, 2.0, -2.0, 2.0),
    "great bases": (100.0, 127.0, -2.0, 0.0),
    "tiny bases": (-149.0, -120.0, -2.0, 0.0),
    "to subnormal": (0.0, 1.0, 6.0, 7.2),
    "integers": (0.0, 4.0, 0.0, 4.0),
}
"""Powers of two between which bases and exponents lie."""


def unary() -> Iterator[GasCase]:
    """Make operators of one operand on every range."""
    for name, make in RANGES.items():
        x = make()
        for op in UNARY:
            yield hunted(op, name, x)
        yield hunted("Gelu", f"tanh, {name}", x, approximate="tanh")
        for code in (2, 3, 6, 7, 9):
            yield hunted("Cast", f"to {code}, {name}", x, to=code)
        scale, zero = np.array(0.02, np.float32), np.array(120, np.uint8)
        yield hunted("QuantizeLinear", name, x, scale, zero, constants=(1, 2))
        yield hunted("DynamicQuantizeLinear", name, x, outputs=3)
        yield hunted("Clip", name, x, np.array(0, np.float32), np.array(6, np.float32))
        for op in ("Softmax", "LogSoftmax"):
            yield hunted(op, name, x.reshape(64, -1), axis=1)
        for op in ("ReduceLogSumExp", "ReduceL2", "ReduceProd", "ReduceLogSum"):
            yield hunted(op, name, x.reshape(64, -1), np.array([1]), constants=(1,))


def powers() -> Iterator[GasCase]:
    """Make powers, remainders and quotients of hard pairs."""
    for name, (low, high, low_exponent, high_exponent) in POWERS.items():
        base, exponent = np.abs(_between(low, high)), _between(low_exponent, high_exponent)
        if name == "integers":
            base, exponent = np.rint(base), np.rint(exponent)
        yield hunted("Pow", name, base, exponent)
        yield hunted("Pow", f"negative, {name}", -base, exponent)
        for value in (0.5, 3, -1):
            fixed = np.array(value, np.float32)
            yield hunted("Pow", f"{name} to {value}", base, fixed, constants=(1,))
    for name, low, high in (
        ("great by tiny", 100, -140),
        ("alike", 3, 3),
        ("tiny by great", -140, 100),
    ):
        a, b = _between(low, low + 8), _between(high, high + 8)
        yield hunted("Mod", f"fmod, {name}", a, b, fmod=1)
        yield hunted("Div", name, a, b)
    for dtype in ("int8", "uint8", "int32", "int64"):
        least, most = np.iinfo(dtype).min, np.iinfo(dtype).max
        whole = integers(dtype, SIZE)
        divisors = {
            "ones": np.ones(SIZE, dtype),
            "threes": np.full(SIZE, 3, dtype),
            "any": np.flip(whole).copy(),
            "zeros": np.zeros(SIZE, dtype),
            "by turns": np.where(np.arange(SIZE) % 2 == 0, most, least or 1).astype(dtype),
        }
        for name, divisor in divisors.items():
            if dtype in ("int32", "int64", "int8", "uint8"):
                yield hunted("Mod", f"{dtype}, {name}", whole, divisor)
            yield hunted("Div", f"{dtype}, {name}", np.full(SIZE, most, dtype), divisor)
        for code in (1, 2, 3, 6, 7, 9):
            yield hunted("Cast", f"{dtype} to {code}", whole, to=code)
        if dtype in ("int32", "int64"):
            yield hunted("Pow", dtype, whole, np.abs(np.flip(whole)) % 64)
            yield hunted("Pow", f"{dtype} to float", whole, _between(0, 2))


HUNTS: dict[str, Hunt] = {"arguments": unary, "pairs": powers}
