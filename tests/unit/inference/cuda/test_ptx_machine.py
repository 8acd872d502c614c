"""Interpreted PTX follows branches and barriers, and reports what a GPU leaves undefined."""

import numpy as np
import pytest

from tests.unit.inference.cuda.ptx_faults import (
    Misaligned,
    MissedBarrier,
    OutOfBounds,
    PtxFault,
    Race,
    Uninitialised,
    WroteConstant,
)
from tests.unit.inference.cuda.ptx_parser import BadPtx, parse_ptx
from tests.unit.inference.cuda.ptx_snippets import (
    EACH_ITS_OWN,
    output_of,
    run_snippet,
    snippet,
)

THREADS = 256
WORDS = np.arange(THREADS, dtype=np.uint32) * 3 + 1


def test_each_thread_loads_and_stores_its_own_word() -> None:
    body = EACH_ITS_OWN + "ld.global.u32 %r1, [%rd0];\nst.global.u32 [%rd1], %r1;"
    assert output_of(run_snippet(body, WORDS), "u4", THREADS) == WORDS.tolist()


LOOP = (
    EACH_ITS_OWN
    + """
	mov.u32 %r1, 0;
	mov.u32 %r2, 0;
	setp.lt.u32 %p1, %r0, 1;
	@%p1 bra $L__STORE;
$L__LOOP:
	add.s32 %r2, %r2, 1;
	add.s32 %r1, %r1, %r2;
	setp.lt.u32 %p2, %r2, %r0;
	@%p2 bra $L__LOOP;
$L__STORE:
	st.global.u32 [%rd1], %r1;
"""
)


def test_every_thread_leaves_a_loop_at_its_own_time() -> None:
    sums = [n * (n + 1) // 2 for n in range(THREADS)]
    assert output_of(run_snippet(LOOP), "u4", THREADS) == sums


def test_a_guarded_instruction_is_done_by_its_threads_alone() -> None:
    body = EACH_ITS_OWN + "setp.lt.u32 %p1, %r0, 3;\nmov.u32 %r1, 5;\n@!%p1 mov.u32 %r1, 9;\n"
    memory = run_snippet(body + "st.global.u32 [%rd1], %r1;")
    assert output_of(memory, "u4", 5) == [5, 5, 5, 9, 9]


def test_a_vector_is_loaded_from_a_shared_variable() -> None:
    body = """
	mul.wide.u32 %rd2, %r0, 4;
	mov.u64 %rd3, tile;
	add.s64 %rd4, %rd3, %rd2;
	st.shared.u32 [%rd4], %r0;
	bar.sync 0;
	and.b32 %r1, %r0, 252;
	mul.wide.u32 %rd5, %r1, 4;
	add.s64 %rd6, %rd3, %rd5;
	ld.shared.v4.u32 {%r2, %r3, %r4, %r5}, [%rd6];
	add.s64 %rd7, %rd1, %rd2;
	st.global.u32 [%rd7], %r5;
"""
    assert output_of(run_snippet(body), "u4", 6) == [3, 3, 3, 3, 7, 7]


TO_SHARED = """
	mul.wide.u32 %rd2, %r0, 4;
	mov.u64 %rd3, tile;
	add.s64 %rd4, %rd3, %rd2;
	st.shared.u32 [%rd4], %r0;
"""
NEIGHBOUR = """
	xor.b32 %r1, %r0, 1;
	mul.wide.u32 %rd5, %r1, 4;
	add.s64 %rd6, %rd3, %rd5;
	ld.shared.u32 %r2, [%rd6];
"""
OWN_BLOCK = """
	mov.u32 %r1, %ctaid.x;
	mov.u32 %r2, %ntid.x;
	mad.lo.s32 %r3, %r1, %r2, %r0;
"""
FAULTS = [
    pytest.param(TO_SHARED + NEIGHBOUR, 1, Race, "stored", id="load before the barrier"),
    pytest.param(
        TO_SHARED + "bar.sync 0;" + NEIGHBOUR + "st.shared.u32 [%rd4], %r2;",
        *(1, Race, "touched"),
        id="store before the second barrier",
    ),
    pytest.param("st.global.u32 [%rd1], %r0;", 1, Race, "another value", id="one word, two values"),
    pytest.param(
        OWN_BLOCK + "st.global.u32 [%rd1], %r1;",
        2,
        Race,
        "block 0 touched",
        id="two blocks, one word",
    ),
    pytest.param(
        OWN_BLOCK + "setp.ne.s32 %p1, %r3, 5;\n@%p1 bra $L__A;\nst.global.u32 [%rd1], %r3;\n"
        "$L__A:\nsetp.ne.s32 %p2, %r3, 300;\n@%p2 bra $L__B;\nld.global.u32 %r4, [%rd1];\n$L__B:",
        *(
            2,
            Race,
            "thread 44 of block 1 loads at address 0x20000, which thread 5 of block 0 stored",
        ),
        id="a load of what another block stores",
    ),
    pytest.param(
        EACH_ITS_OWN + "st.global.u32 [%rd1+8188], %r0;",
        1,
        OutOfBounds,
        "thread 1 ",
        id="past the end",
    ),
    pytest.param("st.global.u32 [%rd1+-4], %r0;", 1, OutOfBounds, "0x1fffc", id="before the start"),
    pytest.param(
        TO_SHARED + "st.shared.u32 [%rd4+4], %r0;",
        1,
        OutOfBounds,
        "thread 255 ",
        id="past a shared variable",
    ),
    pytest.param(
        "mov.u64 %rd3, tile;\ncvt.u16.u32 %rs1, %r0;\nst.shared.u8 [%rd3], %rs1;",
        *(1, Misaligned, "1 bytes"),
        id="a byte of shared memory",
    ),
    pytest.param("ld.global.u32 %r1, [%rd0+2];", 1, Misaligned, "0x1002", id="half a word off"),
    pytest.param("ld.global.u32 %r1, [%rd1];", 1, Uninitialised, "0x20000", id="output as input"),
    pytest.param(
        "mov.u64 %rd3, tile;\nld.shared.u32 %r1, [%rd3];",
        1,
        Uninitialised,
        "0x400",
        id="fresh tile",
    ),
    pytest.param(
        "st.global.u32 [%rd0], %r0;", 1, WroteConstant, "0x1000", id="a store to a constant"
    ),
    pytest.param(
        EACH_ITS_OWN + "setp.ne.s32 %p1, %r0, 9;\n@%p1 bra $L__A;\nmov.u64 %rd1, %rd0;\n$L__A:\n"
        "st.global.u32 [%rd1], %r0;",
        *(1, WroteConstant, "thread 9 of block 0 at address 0x1024"),
        id="one store of many to a constant",
    ),
    pytest.param(
        "setp.lt.u32 %p1, %r0, 9;\n@%p1 bra $L__E;\nbar.sync 0;\n$L__E:",
        *(1, MissedBarrier, "247 threads wait at 1 barriers, 9 have ended"),
        id="a barrier that threads miss",
    ),
    pytest.param(
        "setp.lt.u32 %p1, %r0, 9;\n@%p1 bra $L__O;\nbar.sync 0;\nbra.uni $L__E;\n$L__O:\n"
        "bar.sync 0;\n$L__E:",
        *(1, MissedBarrier, "256 threads wait at 2 barriers"),
        id="two barriers at once",
    ),
]


@pytest.mark.parametrize(("body", "blocks", "fault", "text"), FAULTS)
def test_what_a_gpu_leaves_undefined_is_a_fault(
    body: str, blocks: int, fault: type[PtxFault], text: str
) -> None:
    with pytest.raises(fault, match=f"^snippet: .*{text}"):
        run_snippet(body, WORDS, blocks)


ALLOWED = [
    pytest.param("mov.u32 %r1, 7;\nst.global.u32 [%rd1], %r1;", 2, id="all store one value"),
    pytest.param("ld.global.u32 %r1, [%rd0];", 2, id="all load one word"),
    pytest.param(TO_SHARED + "bar.sync 0;" + NEIGHBOUR, 2, id="a barrier between"),
    pytest.param(
        TO_SHARED + "bar.sync 0;" + NEIGHBOUR + "bar.sync 0;\nst.shared.u32 [%rd4], %r2;",
        2,
        id="a barrier on each side",
    ),
]


@pytest.mark.parametrize(("body", "blocks"), ALLOWED)
def test_accesses_that_something_orders_are_no_race(body: str, blocks: int) -> None:
    run_snippet(body, WORDS, blocks)


UNKNOWN = [
    "ex2.approx.f32 %f1, %f2;",
    "fma.rn.ftz.f32 %f1, %f2, %f3, %f4;",
    "add.f32 %f1, %f2, %f3;",
    "atom.global.add.u32 %r1, [%rd1], %r2;",
    "ld.volatile.global.u32 %r1, [%rd1];",
    "st.local.u32 [%rd1], %r1;",
    "cvta.shared.u64 %rd1, %rd2;",
    "bar.sync 1;",
    "bra $L__NOWHERE;",
    "mov.u32 %r1, nothing;",
    "add.s32 %r1, %rd1, %r2;",
    "add.s32 %r1, %r2;",
    "call (%r1), f, (%r2);",
]


@pytest.mark.parametrize("line", UNKNOWN)
def test_an_unknown_instruction_is_refused_by_name(line: str) -> None:
    with pytest.raises(BadPtx) as refused:
        snippet(line)
    assert str(refused.value) == f"snippet: not interpreted: {line}"


def test_a_function_beside_the_kernels_is_refused() -> None:
    with pytest.raises(BadPtx, match=r"outside kernels: not interpreted: \.func f\(\)"):
        parse_ptx(".version 8.8\n.func f()\n{\n\tret;\n}\n")
