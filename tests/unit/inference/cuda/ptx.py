"""Compiles device code to PTX and finds instructions that could change a bit."""

import importlib.util
import re
import shutil
import subprocess
from pathlib import Path

from cvm.inference.backends.cuda.kernels import EXACT_OPTIONS
from tests.unit.inference.cuda import nvrtc
from tests.unit.inference.cuda.shim_device import KERNEL_FOLDER

ORDERED_DOT_PRODUCTS = frozenset(
    {
        "conv_f32_direct",
        "conv_f32_small",
        "conv_f32_small_padded",
        "conv_f32_wide",
        "conv_f32_wide_padded",
        "conv_transpose_f32",
        "gru",
        "lstm",
        "pair_scores",
        "product_f32_small",
        "product_f32_wide",
        "rnn",
        "squared_distances",
    }
)
"""The only kernels that may fuse a multiplication and an addition."""

TRANSCENDENTALS = frozenset(
    {
        "acos_float32",
        "asin_float32",
        "atan_float32",
        "celu_float32",
        "cos_float32",
        "cosh_float32",
        "elu_float32",
        "erf_float32",
        "exp_float32",
        "exponentials",
        "gelu_float32",
        "gelu_tanh_float32",
        "gru",
        "log_float32",
        "lstm",
        "mish_float32",
        "pow_float32",
        "rnn",
        "selu_float32",
        "sigmoid_float32",
        "sin_float32",
        "sinh_float32",
        "softplus_float32",
        "tan_float32",
        "tanh_float32",
    }
)
"""The only kernels that may work in float64."""

_FORBIDDEN = re.compile(
    r"\.ftz|\.approx|\.full\.|f32x2|\.b?f16|\.tf32|\b(atom|red|rsqrt|ex2|lg2|sin|cos|tanh|mad)\."
    r"[a-z.]*f(32|64)|\bfma\.[a-z.]*f64"
)
_ARITHMETIC = re.compile(r"\b(add|sub|mul|div|rcp|sqrt|fma)\.([a-z.]*)f(32|64)\b")
"""`rcp.rn` is the division 1 / x, correctly rounded: PTX ISA, section on `rcp`."""

_ENTRY = re.compile(r"\.entry\s+(\w+)\s*\(")


def can_compile() -> bool:
    """Return whether NVRTC's package, nvcc or CuPy's NVRTC is installed."""
    if nvrtc.shared_object() is not None or shutil.which("nvcc") is not None:
        return True
    return importlib.util.find_spec("cupy") is not None


def compile_ptx(source: str, capability: str, folder: Path) -> str:
    """Return the PTX of a `.cu` file for a compute capability (`90`)."""
    if nvrtc.shared_object() is not None:
        return nvrtc.compile_kernel_file(source, f"compute_{capability}").decode()
    if shutil.which("nvcc") is None:
        from cvm.inference.backends.cuda.cupy_device import compile_kernels

        return compile_kernels(source, f"compute_{capability}").decode()
    output = folder / f"{source}.ptx"
    target = f"-arch=compute_{capability}"
    file = str(KERNEL_FOLDER / f"{source}.cu")
    command = ["nvcc", target, *EXACT_OPTIONS, "-Werror", "all-warnings", "-ptx", "-o"]
    subprocess.run([*command, str(output), file], check=True)
    return output.read_text()


def entries(ptx: str) -> dict[str, list[str]]:
    """Return the lines of every kernel."""
    found: dict[str, list[str]] = {}
    lines: list[str] = []
    for line in ptx.splitlines():
        if match := _ENTRY.search(line):
            lines = found.setdefault(match[1], [])
        lines.append(line.strip())
    return found


def stray_instructions(kernel: str, lines: list[str]) -> list[str]:
    """Return the lines of a kernel that its definition does not allow."""
    return [line for line in lines if _FORBIDDEN.search(line) or _is_stray(kernel, line)]


def _is_stray(kernel: str, line: str) -> bool:
    match = _ARITHMETIC.search(line)
    if match is None:
        return False
    operation, rounding, width = match.groups()
    if rounding != "rn." or (width == "64" and kernel not in TRANSCENDENTALS):
        return True
    return operation == "fma" and kernel not in ORDERED_DOT_PRODUCTS
