"""How a hunt writes a case: operator, form, inputs, and attributes by name."""

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType

import numpy as np

from bench.gas_cases.case import GasCase
from cvm.inference.graph import AttributeValue
from cvm.inference.operators.op_spec import ML_DOMAIN
from cvm.inference.tensor_type import Array

SIZE = "hunted"
"""What stands for the size of a case, where the form says it."""

NONE: Mapping[str, AttributeValue] = MappingProxyType({})

Hunt = Callable[[], Iterator[GasCase]]


def hunted(
    op: str,
    form: str,
    *inputs: Array | None,
    constants: tuple[int, ...] = (),
    outputs: int = 1,
    also: Mapping[str, AttributeValue] = NONE,
    **attributes: AttributeValue,
) -> GasCase:
    """Return a case of the default domain; `also` are further attributes."""
    given = {**attributes, **also}
    return GasCase(op, SIZE, inputs, frozenset(constants), given, "", form, outputs)


def hunted_ml(
    op: str,
    form: str,
    *inputs: Array,
    outputs: int = 1,
    also: Mapping[str, AttributeValue] = NONE,
    **attributes: AttributeValue,
) -> GasCase:
    """Return a case of ai.onnx.ml."""
    given = {**attributes, **also}
    return GasCase(op, SIZE, inputs, frozenset(), given, ML_DOMAIN, form, outputs)


def form_of(*numbers: int) -> str:
    """Return lengths as a form: 2x3."""
    return "x".join(map(str, numbers))


def int64(*values: int) -> Array:
    """Return int64 values."""
    return np.array(values, np.int64)


def random() -> np.random.Generator:
    """Return the generator that every hunt starts from."""
    return np.random.default_rng(23)


def floats(*shape: int) -> Array:
    """Return standard normal float32."""
    return random().standard_normal(shape, np.float32)


def integers(dtype: str, *shape: int) -> Array:
    """Return integers of the whole range of a dtype."""
    limits = np.iinfo(dtype)
    return random().integers(limits.min, limits.max, shape, dtype=dtype, endpoint=True)
