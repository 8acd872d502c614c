"""The machine code for every GPU holds only the operations that the definitions have."""

from pathlib import Path

import pytest

from cvm.inference.backends.cuda.kernels import source_names
from tests.unit.inference.cuda import nvrtc
from tests.unit.inference.cuda.machine_code import can_disassemble, machine_code, stray_code
from tests.unit.inference.cuda.ptx import compile_ptx, entries

CAPABILITIES = ["75", "80", "86", "89", "90", "100", "120"]
QUICK = {"75", "120"}
"""The oldest and the newest, which has packed forms; the others are slow."""

CASES = [
    pytest.param(source, capability, marks=[] if capability in QUICK else pytest.mark.slow)
    for capability in CAPABILITIES
    for source in source_names()
]

needs_tools = pytest.mark.skipif(
    not can_disassemble(),
    reason=f"needs {nvrtc.PACKAGE} or nvcc, and nvidia-cuda-cuobjdump and nvidia-cuda-nvdisasm",
)


@needs_tools
@pytest.mark.parametrize(("source", "capability"), CASES)
def test_machine_code_holds_exact_operations_only(
    source: str, capability: str, tmp_path: Path
) -> None:
    ptx = entries(compile_ptx(source, capability, tmp_path))
    code = machine_code(source, capability, tmp_path)
    assert code.keys() == ptx.keys()
    found = {name: stray_code(name, lines, code[name]) for name, lines in ptx.items()}
    assert {name: stray for name, stray in found.items() if stray} == {}


ADD, MUL = "add.rn.f32 %f1, %f2, %f3;", "mul.rn.f32 %f1, %f2, %f3;"
DIVISION = "div.rn.f64 %fd1, %fd2, %fd3;"
STRAY = [
    pytest.param("add_f32", [], "FFMA R1, R2, R3, R4", id="fma outside"),
    pytest.param("add_f32", [], "FADD.FTZ R1, R2, R3", id="flush to zero"),
    pytest.param("conv_f32_wide", [], "FFMA.FTZ R1, R2, R3, R4", id="flush in a dot product"),
    pytest.param("conv_f32_wide", [], "FFMA2 R2, R4, R6, R8", id="packed pair"),
    pytest.param("exp_float32", [], "DFMA R2, R4, R6, R8", id="fma of float64"),
    pytest.param("exp_float32", [DIVISION], "MUFU.EX2 R1, R2", id="approximate function"),
    pytest.param("chunk_sums", [], "HFMA2 R1, R2, R3, R4", id="half precision"),
    pytest.param("chunk_sums", [], "RED.E.ADD.F32.FTZ.RN [R2], R1", id="atomic sum"),
]


@pytest.mark.parametrize(("kernel", "ptx", "line"), STRAY)
def test_a_stray_instruction_is_found(kernel: str, ptx: list[str], line: str) -> None:
    assert stray_code(kernel, ptx, ["MOV R1, R2", line]) == [line]


def test_a_sum_that_took_a_product_in_is_found() -> None:
    fused = ["FFMA R1, R2, R3, R4", "FADD R1, R2, R3"]
    assert stray_code("conv_f32_wide", [ADD, MUL, ADD], fused) == [
        "1 sums and products of float32, the PTX has 3"
    ]


ALLOWED = [
    pytest.param("conv_f32_wide", [], ["FFMA R1, R2, R3, R4"], id="a term of a dot product"),
    pytest.param(
        "quotients", ["div.rn.f32 a"], ["MUFU.RCP R1, R2", "FFMA.RZ R1, R2"], id="a division"
    ),
    pytest.param("tanh_float32", [DIVISION], ["DFMA R2, R4, R6, R8"], id="a wide division"),
    pytest.param("add_f32", [], ["HFMA2.MMA R1, -RZ, RZ, 0, 0"], id="a constant"),
    pytest.param("div_uint8", ["div.u16 a"], ["FMUL.RZ R3, R3, R4"], id="a narrow division"),
    pytest.param("add_f32", [ADD], ["FADD R1, R2, R3"], id="a sum"),
]


@pytest.mark.parametrize(("kernel", "ptx", "code"), ALLOWED)
def test_an_allowed_instruction_is_not_stray(kernel: str, ptx: list[str], code: list[str]) -> None:
    assert stray_code(kernel, ptx, code) == []
