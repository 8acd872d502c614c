"""Runs a few lines of hand-written PTX on 256 threads, for tests of the interpreter."""

from collections.abc import Sequence

import numpy as np

from cvm.inference.tensor_type import Array
from tests.unit.inference.cuda.ptx_machine import LinkedKernel
from tests.unit.inference.cuda.ptx_memory import CheckedMemory, Extent, MemoryBlock
from tests.unit.inference.cuda.ptx_parser import parse_ptx

IN, OUT = 0x1000, 0x20000
"""Where the input and the output of a snippet lie: 8 bytes for each thread of 4 blocks."""

SIZE_BYTES = 8 * 256 * 4

_TEXT = """
.version 8.8
.target sm_75
.address_size 64
.visible .entry snippet(
	.param .u64 snippet_param_0,
	.param .u64 snippet_param_1
)
{{
	.reg .pred %p<9>;
	.reg .b16 %rs<9>;
	.reg .b32 %r<9>;
	.reg .f32 %f<9>;
	.reg .b64 %rd<9>;
	.reg .f64 %fd<9>;
	.shared .align 4 .b8 tile[1024];
	ld.param.u64 %rd0, [snippet_param_0];
	ld.param.u64 %rd1, [snippet_param_1];
	mov.u32 %r0, %tid.x;
{body}
	ret;
}}
"""

EACH_ITS_OWN = """
	mul.wide.u32 %rd2, %r0, 4;
	add.s64 %rd0, %rd0, %rd2;
	add.s64 %rd1, %rd1, %rd2;
"""
"""Moves both pointers to the word of the thread."""


def snippet(body: str) -> LinkedKernel:
    """Return a kernel; before the body %rd0 is the input, %rd1 the output, %r0 the thread."""
    return LinkedKernel(parse_ptx(_TEXT.format(body=body))["snippet"])


def run_snippet(body: str, given: Array | None = None, blocks: int = 1) -> MemoryBlock:
    """Run a body and return the memory; `given` is written to the input, which is constant."""
    memory = MemoryBlock(0, OUT + SIZE_BYTES)
    if given is not None:
        memory.fill(IN, given.reshape(-1).view(np.uint8))
    extents = [Extent(IN, SIZE_BYTES, is_constant=True), Extent(OUT, SIZE_BYTES)]
    snippet(body).run(blocks, [IN, OUT], CheckedMemory("snippet", memory, extents))
    return memory


def output_of(memory: MemoryBlock, dtype: str, count: int) -> list[int]:
    """Return the first numbers of the output, floats as their bits."""
    raw = memory.data[OUT:].view(dtype)[:count]
    return [int(entry) for entry in raw]


def applied(opcode: str, kinds: Sequence[tuple[str, str]], operands: Sequence[str]) -> int:
    """Return the bits that one instruction makes of literal operands.

    `kinds` names the register and the kind of the result and of each operand, as ("%f", "f32").
    """
    (target, result), *sources = kinds
    lines = [
        f"mov.{kind} {register}{index + 1}, {text};"
        for index, ((register, kind), text) in enumerate(zip(sources, operands, strict=True))
    ]
    names = ", ".join(f"{register}{index + 1}" for index, (register, _) in enumerate(sources))
    store = {"pred": "u32", "b16": "u16", "u16": "u16", "s16": "u16"}.get(result, result)
    lines.append(f"{opcode} {target}0, {names};")
    if result == "pred":
        lines.append("selp.u32 %r0, 1, 0, %p0;")
        target = "%r"
    base = "mov.u64 %rd8, %rd1;"
    lines = [base, *lines, "mov.u32 %r8, %tid.x;", "setp.ne.s32 %p8, %r8, 0;", "@%p8 bra $L__END;"]
    memory = run_snippet("\n".join([*lines, f"st.global.{store} [%rd8], {target}0;", "$L__END:"]))
    width = {"6": 8, "3": 4, "1": 2}[store[1]]
    return output_of(memory, f"u{width}", 1)[0]
