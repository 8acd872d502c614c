"""Device code compiles for every GPU and holds only the operations that the definitions have."""

import ast
import re
from pathlib import Path

import pytest

from cvm.inference.backends import cuda
from cvm.inference.backends.cuda.device import THREADS
from cvm.inference.backends.cuda.kernels import headers, source_names, source_text
from cvm.inference.exact import (
    error_function,
    exponential,
    hyperbolic,
    inverse_trigonometric,
    logarithm,
    trigonometric,
)
from cvm.inference.exact.ordered_sum import CHUNK
from cvm.inference.limits import MAX_RANK
from cvm.inference.operators.recurrent_activations import KINDS
from cvm.inference.operators.window import MAX_SPATIAL_RANK
from tests.unit.inference.cuda import nvrtc
from tests.unit.inference.cuda.ptx import (
    ORDERED_DOT_PRODUCTS,
    can_compile,
    compile_ptx,
    entries,
    stray_instructions,
)

FIRST = "75"
OTHERS = ["80", "86", "89", "90", "100", "120"]
CAPABILITIES = [FIRST, *(pytest.param(entry, marks=pytest.mark.slow) for entry in OTHERS)]
FUSED = {"conv_f32", "conv_transpose", "models", "products_f32", "recurrent"}

needs_compiler = pytest.mark.skipif(
    not can_compile(), reason=f"needs {nvrtc.PACKAGE}, nvcc or CuPy"
)


@needs_compiler
@pytest.mark.parametrize("capability", CAPABILITIES)
@pytest.mark.parametrize("source", source_names())
def test_ptx_holds_exact_operations_only(source: str, capability: str, tmp_path: Path) -> None:
    kernels = entries(compile_ptx(source, capability, tmp_path))
    assert kernels
    assert {n: s for n, lines in kernels.items() if (s := stray_instructions(n, lines))} == {}
    fused = {name for name, lines in kernels.items() if "fma.rn.f32" in "\n".join(lines)}
    assert fused == ORDERED_DOT_PRODUCTS & set(kernels)
    assert bool(fused) == (source in FUSED)


STRAY = [
    pytest.param("clip_float32", "fma.rn.f32 %f1, %f2, %f3, %f4;", id="fma outside"),
    pytest.param("conv_f32_wide", "fma.rn.ftz.f32 %f1, %f2, %f3, %f4;", id="flush to zero"),
    pytest.param("conv_f32_wide", "fma.rn.f32x2 %rd1, %rd2, %rd3, %rd4;", id="packed pair"),
    pytest.param("exponentials", "fma.rn.f64 %fd1, %fd2, %fd3, %fd4;", id="fma in exp"),
    pytest.param("exponentials", "ex2.approx.f32 %f1, %f2;", id="approximate exp"),
    pytest.param("add_f32", "add.f32 %f1, %f2, %f3;", id="add that may be fused"),
    pytest.param("add_f32", "add.rn.f64 %fd1, %fd2, %fd3;", id="float64 outside"),
    pytest.param("quotients", "div.full.f32 %f1, %f2, %f3;", id="inexact division"),
    pytest.param("quotients", "sqrt.approx.f32 %f1, %f2;", id="inexact root"),
    pytest.param("quotients", "rcp.approx.f32 %f1, %f2;", id="inexact reciprocal"),
    pytest.param("reciprocal_float32", "rcp.rz.f32 %f1, %f2;", id="truncated reciprocal"),
    pytest.param("chunk_sums", "atom.global.add.f32 %f1, [%rd1], %f2;", id="atomic sum"),
]


@pytest.mark.parametrize(("kernel", "line"), STRAY)
def test_a_stray_instruction_is_found(kernel: str, line: str) -> None:
    assert stray_instructions(kernel, ["mov.u32 %r1, %r2;", line]) == [line]


@pytest.mark.parametrize(
    "line",
    ["fma.rn.f32 %f1, %f2, %f3, %f4;", "mul.rn.f32 %f1, %f2, %f3;", "div.s32 %r1, %r2, %r3;"],
)
def test_an_allowed_instruction_is_not_stray(line: str) -> None:
    assert stray_instructions("conv_f32_wide", [line]) == []


def number(text: str) -> float:
    return float.fromhex(text) if "0x" in text else float(text)


def test_the_exponential_has_the_constants_of_its_definition() -> None:
    text = headers()["exponential.cuh"]
    defined = {name: number(v) for name, v in re.findall(r"#define (\w+) (\S+)", text)}
    assert defined == {
        "LOWEST": exponential.LOWEST,
        "HIGHEST": exponential.HIGHEST,
        "INVERSE_LN2": exponential.INVERSE_LN2,
        "LN2_HIGH": exponential.LN2_HIGH,
        "LN2_LOW": exponential.LN2_LOW,
    }
    (listed,) = re.findall(r"double p = polynomial\(r, ([^()]*)\);", text)
    assert tuple(map(float.fromhex, listed.split(","))) == exponential.COEFFICIENTS


def test_the_activations_stand_in_the_order_of_the_definition() -> None:
    (listed,) = re.findall(r"enum Kind {(.*?)}", source_text("recurrent"), re.S)
    words = [
        "".join(part.capitalize() for part in n.split("_")) for n in listed.strip().split(", ")
    ]
    assert words == [*KINDS]


SERIES = [
    pytest.param("hyperbolic_sine_series", hyperbolic.SINH_COEFFICIENTS, id="sinh"),
    pytest.param("small_error_series", error_function.SMALL, id="erf, small"),
    pytest.param("large_error_series", error_function.LARGE, id="erf, large"),
    pytest.param("arc_tangent_series", inverse_trigonometric.COEFFICIENTS, id="atan"),
    pytest.param("logarithm_series", logarithm.COEFFICIENTS, id="log"),
    pytest.param("logarithm_series_to_one", logarithm.SERIES_TO_ONE, id="softplus"),
    pytest.param("sine_series", trigonometric.SIN_COEFFICIENTS, id="sin"),
    pytest.param("cosine_series", trigonometric.COS_COEFFICIENTS, id="cos"),
]


@pytest.mark.parametrize(("name", "expected"), SERIES)
def test_a_series_has_the_coefficients_of_its_definition(
    name: str, expected: tuple[float, ...]
) -> None:
    text = headers()["series.cuh"]
    (listed,) = re.findall(
        rf"double {name}\(double t\) {{\n    return polynomial\(t, (.*?)\);\n}}", text, re.S
    )
    assert tuple(map(float.fromhex, listed.split(","))) == expected


CONSTANTS = [
    pytest.param("ieee.cuh", "THREADS", THREADS, id="threads of a block"),
    pytest.param("reductions.cu", "CHUNK", CHUNK, id="chunk of a sum"),
    pytest.param("pooling.cu", "CHUNK", CHUNK, id="chunk of a pool"),
    pytest.param("running.cu", "CHUNK", CHUNK, id="chunk of neighbours"),
    pytest.param("broadcast.cuh", "MAX_RANK", MAX_RANK, id="axes of a walk"),
    pytest.param("dot_tile.cuh", "SIDE", 16, id="side of a block"),
    pytest.param("matrices.cuh", "MAX_BATCH_RANK", 4, id="axes of a stack"),
]


@pytest.mark.parametrize(("file", "name", "expected"), CONSTANTS)
def test_a_constant_is_the_same_on_both_sides(file: str, name: str, expected: int) -> None:
    text = source_text(file[:-3]) if file.endswith(".cu") else headers()[file]
    assert re.findall(rf"#define {name} (\d+)", text) == [str(expected)]
    assert MAX_SPATIAL_RANK == 3


FOREIGN_CALLS = re.compile(
    r"\b(__\w+f|\w*fmaf?|expf?|logf?|powf?|sqrtf?|tanhf?|fabsf?|fminf|fmaxf|atomic\w+|asm)\s*\("
)


@pytest.mark.parametrize("source", source_names())
def test_kernels_call_no_function_of_cuda_or_c(source: str) -> None:
    text = re.sub(r"//.*", "", source_text(source)).replace("f32_fma(", "")
    assert FOREIGN_CALLS.findall(text) == []


FOLDER = Path(str(cuda.__file__)).parent
ALLOWED = {
    "cupy.__version__",
    "cupy.cuda.Device",
    "cupy.cuda.Function",
    "cupy.cuda.Graph",
    "cupy.cuda.MemoryPointer",
    "cupy.cuda.MemoryPool",
    "cupy.cuda.Module",
    "cupy.cuda.Stream",
    "cupy.cuda.driver.CUDADriverError",
    "cupy.cuda.function.Module",
    "cupy.cuda.memory.OutOfMemoryError",
    "cupy.cuda.nvrtc",
    "cupy.cuda.nvrtc.getVersion",
    "cupy.cuda.runtime.CUDARuntimeError",
    "cupy.cuda.runtime.driverGetVersion",
    "cupy.cuda.runtime.getDeviceProperties",
    "cupy.cuda.runtime.memcpyAsync",
    "cupy.cuda.runtime.memcpyDeviceToHost",
    "cupy.cuda.runtime.memcpyHostToDevice",
}
"""What CuPy may do: compile, allocate, copy, launch."""


def names_of_cupy(tree: ast.AST) -> set[str]:
    """Return the longest dotted names that start with `cupy`, and what is imported of it."""
    inner = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {a.asname or a.name for a in node.names if a.name.split(".")[0] == "cupy"}
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "cupy":
            found |= {f"from {node.module}: {a.name}" for a in node.names}
        elif isinstance(node, ast.Attribute | ast.Name) and id(node) not in inner:
            found |= {name for name in [ast.unparse(node)] if name.split(".")[0] == "cupy"}
    return found


def test_cupy_only_compiles_allocates_copies_and_launches() -> None:
    names = names_of_cupy(ast.parse((FOLDER / "cupy_device.py").read_text()))
    assert "cupy.cuda.MemoryPool" in names
    assert names <= ALLOWED | {"cupy"}


@pytest.mark.parametrize("path", sorted(FOLDER.rglob("*.py")), ids=lambda path: path.stem)
def test_no_other_file_knows_cupy(path: Path) -> None:
    names = names_of_cupy(ast.parse(path.read_text()))
    assert bool(names) == (path.name == "cupy_device.py")


def test_the_search_sees_computing_with_cupy() -> None:
    code = "import cupy\nfrom cupy import exp\ny = cupy.maximum(x, 0)\nz = cupy.cuda.Stream()"
    expected = {"cupy", "from cupy: exp", "cupy.maximum", "cupy.cuda.Stream"}
    assert names_of_cupy(ast.parse(code)) == expected
