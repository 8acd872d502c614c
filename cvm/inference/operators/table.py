"""The one list of the operators that engine 1 knows."""

from types import MappingProxyType
from typing import Any

from cvm.inference.operators.conv import CONV
from cvm.inference.operators.gemm import GEMM
from cvm.inference.operators.matmul import MATMUL
from cvm.inference.operators.op_spec import OpSpec

_SPECS: tuple[OpSpec[Any], ...] = (
    CONV,
    GEMM,
    MATMUL,
)

OPERATORS = MappingProxyType({(spec.domain, spec.name): spec for spec in _SPECS})
"""By domain and ONNX name; the default domain is the empty text."""
