"""The definition computes floats with single IEEE operations only (EXACT section 1).

Reads the syntax tree of the operators, of the exact primitives and of the reference backend.
NumPy functions must be on a list of those whose result no CPU feature, memory layout or library
version decides; methods that hide a reduction or a transcendental are refused by name.
"""

import ast
from pathlib import Path

import pytest

INFERENCE = Path(__file__).parents[2] / "cvm" / "inference"
FILES = sorted(
    [
        *INFERENCE.glob("operators/*.py"),
        *INFERENCE.glob("exact/*.py"),
        INFERENCE / "backends" / "reference.py",
    ]
)

DTYPES = """bool_ dtype float32 float64 iinfo finfo inf int8 int16 int32 int64 integer nan ndarray
newaxis uint8 uint16 uint32 uint64 generic errstate typing typing.NDArray"""
SINGLE_OPERATIONS = """abs absolute add bitwise_and bitwise_or bitwise_xor ceil copysign divide
equal floor greater greater_equal invert isfinite isinf isnan left_shift less less_equal logical_and
logical_not logical_or multiply negative not_equal right_shift rint signbit sqrt subtract trunc
true_divide"""
CHOOSING_AND_SHAPING = """all any arange argmax argwhere array array_equal asarray ascontiguousarray
broadcast_arrays broadcast_shapes broadcast_to concatenate count_nonzero empty empty_like
expand_dims flatnonzero flip full full_like indices moveaxis ndindex nonzero ones ones_like pad
ravel repeat reshape searchsorted split squeeze stack swapaxes take take_along_axis tile transpose
unique where zeros zeros_like"""
ALLOWED_NUMPY = frozenset(f"{DTYPES} {SINGLE_OPERATIONS} {CHOOSING_AND_SHAPING}".split())
"""`any`, `all`, `unique`, `argmax`, `searchsorted` and `count_nonzero` round nothing."""

REDUCTIONS = """sum nansum mean nanmean average median std var dot vdot inner outer matmul einsum
tensordot cumsum cumprod trace reduce accumulate reduceat convolve correlate trapezoid interp
maximum minimum fmax fmin clip linalg fft random vectorize frompyfunc seterr special"""
TRANSCENDENTALS = """exp exp2 expm1 log log2 log10 log1p logaddexp sin cos tan sinh cosh tanh
arcsin arccos arctan arctan2 arcsinh arccosh arctanh asin acos atan atan2 erf erfc gamma lgamma
power pow float_power cbrt hypot reciprocal fma fmod remainder round around ldexp frexp"""
FORBIDDEN_NAMES = frozenset(f"{REDUCTIONS} {TRANSCENDENTALS}".split())
SORTS = frozenset({"sort", "argsort", "lexsort", "partition", "argpartition"})


def dotted_name(node: ast.AST) -> str:
    """Return `a.b.c` for a chain of attributes that starts at a name, else an empty text."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        start = dotted_name(node.value)
        return f"{start}.{node.attr}" if start else ""
    return ""


def faults_of_attribute(node: ast.Attribute) -> list[str]:
    """Return what is wrong with `something.name`."""
    name = dotted_name(node)
    faults = [node.attr] if node.attr in FORBIDDEN_NAMES else []
    if name.startswith("np.") and name.removeprefix("np.") not in ALLOWED_NUMPY:
        faults.append(name)
    return faults


def faults_of_sort(node: ast.Call) -> list[str]:
    """Return a sort of an array that does not say `kind="stable"`."""
    if not isinstance(node.func, ast.Attribute) or node.func.attr not in SORTS:
        return []
    kinds = [
        k.value.value
        for k in node.keywords
        if k.arg == "kind" and isinstance(k.value, ast.Constant)
    ]
    return [] if kinds == ["stable"] else [node.func.attr]


def faults_of_import(node: ast.Import | ast.ImportFrom) -> list[str]:
    """Return imports that would hide a library's function from this test."""
    if isinstance(node, ast.ImportFrom):
        module = (node.module or "").split(".")[0]
        if module == "cvm":
            return []
        hides_all = module in ("numpy", "cupy", "numba", "scipy", "functools")
        return [a.name for a in node.names if hides_all or a.name in FORBIDDEN_NAMES]
    return [
        alias.name
        for alias in node.names
        if alias.name in ("cmath", "scipy", "numba", "cupy")
        or (alias.name.startswith("numpy") and alias.asname not in ("np", "npt"))
    ]


def faults_of_operation(node: ast.BinOp | ast.AugAssign) -> list[str]:
    """Return `@`, and `**` of anything but two integer constants."""
    if isinstance(node.op, ast.MatMult):
        return ["@"]
    if isinstance(node.op, ast.Pow):
        left = node.left if isinstance(node, ast.BinOp) else None
        right = node.right if isinstance(node, ast.BinOp) else None
        sides = [s.value if isinstance(s, ast.Constant) else None for s in (left, right)]
        return [] if all(isinstance(side, int) for side in sides) else ["**"]
    return []


def faults_of_keyword(node: ast.keyword) -> list[str]:
    """Return a reduction that a keyword asks for."""
    return ["where="] if node.arg == "where" else []


def faults_in(source: str) -> list[str]:
    """Return every construct of a source text that the definition may not use."""
    faults: list[str] = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Attribute):
            faults += faults_of_attribute(node)
        elif isinstance(node, ast.Call):
            faults += faults_of_sort(node)
            faults += ["getattr"] if dotted_name(node.func) == "getattr" else []
        elif isinstance(node, ast.Import | ast.ImportFrom):
            faults += faults_of_import(node)
        elif isinstance(node, ast.BinOp | ast.AugAssign):
            faults += faults_of_operation(node)
        elif isinstance(node, ast.keyword):
            faults += faults_of_keyword(node)
    return faults


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_definition_uses_single_ieee_operations_only(path: Path) -> None:
    assert faults_in(path.read_text(encoding="utf-8")) == []


def test_every_operator_and_primitive_is_read() -> None:
    names = {path.name for path in FILES}
    assert {"conv.py", "softmax.py", "ordered_sum.py", "fused_multiply_add.py"} <= names
    assert "reference.py" in names


SEEN = [
    pytest.param("x.sum()", ["sum"], id="method sum"),
    pytest.param("np.sum(x)", ["sum", "np.sum"], id="sum"),
    pytest.param("x.mean(axis=0)", ["mean"], id="mean"),
    pytest.param("x.dot(y)", ["dot"], id="dot"),
    pytest.param("x @ y", ["@"], id="matrix product"),
    pytest.param("x @= y", ["@"], id="matrix product in place"),
    pytest.param("np.matmul(x, y)", ["matmul", "np.matmul"], id="matmul"),
    pytest.param("np.einsum('ij->i', x)", ["einsum", "np.einsum"], id="einsum"),
    pytest.param("x.cumsum()", ["cumsum"], id="cumsum"),
    pytest.param("np.add.reduce(x)", ["reduce", "np.add.reduce"], id="ufunc.reduce"),
    pytest.param("np.add.at(x, i, y)", ["np.add.at"], id="ufunc.at"),
    pytest.param("np.maximum(x, y)", ["maximum", "np.maximum"], id="maximum"),
    pytest.param("np.minimum(x, y)", ["minimum", "np.minimum"], id="minimum"),
    pytest.param("np.max(x)", ["np.max"], id="max"),
    pytest.param("x.clip(0, 1)", ["clip"], id="clip"),
    pytest.param("np.exp(x)", ["exp", "np.exp"], id="exp"),
    pytest.param("math.log(x)", ["log"], id="log of math"),
    pytest.param("np.tanh(x)", ["tanh", "np.tanh"], id="tanh"),
    pytest.param("from math import exp", ["exp"], id="exp imported"),
    pytest.param("from numpy import add", ["add"], id="numpy without np"),
    pytest.param("import numpy", ["numpy"], id="numpy by its name"),
    pytest.param("import scipy", ["scipy"], id="scipy"),
    pytest.param("x ** y", ["**"], id="power"),
    pytest.param("x ** 2", ["**"], id="square by power"),
    pytest.param("x **= 2", ["**"], id="power in place"),
    pytest.param("x.argsort()", ["argsort"], id="argsort"),
    pytest.param("x.argsort(kind='quicksort')", ["argsort"], id="quicksort"),
    pytest.param("np.linalg.norm(x)", ["linalg", "np.linalg.norm", "np.linalg"], id="linalg"),
    pytest.param("np.add(x, y, where=m)", ["where="], id="where keyword"),
    pytest.param("getattr(np, name)(x)", ["getattr"], id="function by a name in text"),
]  # fmt: skip


@pytest.mark.parametrize(("source", "expected"), SEEN)
def test_forbidden_construct_is_seen(source: str, expected: list[str]) -> None:
    assert sorted(set(faults_in(source))) == sorted(expected)


ALLOWED = [
    pytest.param("np.where(x > y, x, np.float32(0)) + np.rint(x / s)", id="single operations"),
    pytest.param("x.argsort(kind='stable')", id="stable sort"),
    pytest.param("LIMIT = 2**31", id="power of constants"),
    pytest.param("sum(t.size for t in types)", id="sum of integers"),
    pytest.param("np.isnan(x).any()", id="comparison"),
    pytest.param("from cvm.inference.exact.ordered_sum import mean", id="our own mean"),
]


@pytest.mark.parametrize("source", ALLOWED)
def test_permitted_construct_is_not_refused(source: str) -> None:
    assert faults_in(source) == []
