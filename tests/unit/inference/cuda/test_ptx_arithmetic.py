"""Single instructions of interpreted PTX, against literal bits and against exact fractions."""

from collections.abc import Callable, Sequence
from itertools import product

import numpy as np
import pytest

from tests.oracle import float32
from tests.unit.inference.cpu.one_node import HOSTILE_BITS
from tests.unit.inference.cuda.ptx_arithmetic import ARITHMETIC
from tests.unit.inference.cuda.ptx_snippets import applied

Kinds = Sequence[tuple[str, str]]
F, R, RD, FD, RS, P = "%f", "%r", "%rd", "%fd", "%rs", "%p"


def all_of(register: str, kind: str, count: int) -> Kinds:
    return [(register, kind)] * count


F2, F3, D2 = all_of(F, "f32", 3), all_of(F, "f32", 4), all_of(FD, "f64", 3)
S2, U2, W2 = all_of(R, "s32", 3), all_of(R, "u32", 3), all_of(RD, "s64", 3)
H2 = all_of(RS, "s16", 3)
OF_F32 = ((P, "pred"), (F, "f32"), (F, "f32"))
NAN, ONE, INF, ZERO, MINUS_ZERO = (
    "0f7FC12345",
    "0f3F800000",
    "0f7F800000",
    "0f00000000",
    "0f80000000",
)

CASES = [
    pytest.param("add.rn.f32", F2, ["0f4B800000", ONE], 0x4B800000, id="a tie goes to even"),
    pytest.param("add.rn.f32", F2, ["0f00000001", "0f00000001"], 2, id="subnormals are kept"),
    pytest.param("add.rn.f32", F2, [NAN, ONE], 0x7FFFFFFF, id="the NaN of a GPU"),
    pytest.param("sub.rn.f32", F2, [INF, INF], 0x7FFFFFFF, id="infinity less infinity"),
    pytest.param("mul.rn.f32", F2, ["0f00800000", "0f3F000000"], 0x00400000, id="to subnormal"),
    pytest.param("div.rn.f32", F2, [ONE, "0f40400000"], 0x3EAAAAAB, id="a third"),
    pytest.param("div.rn.f32", F2, [ONE, MINUS_ZERO], 0xFF800000, id="by -0"),
    pytest.param("div.rn.f32", F2, ["0f00000001", "0f40000000"], 0, id="a tie at the least"),
    pytest.param(
        "div.rn.f64",
        D2,
        ["0d3FF0000000000000", "0d4008000000000000"],
        0x3FD5555555555555,
        id="a third in float64",
    ),
    pytest.param(
        "rcp.rn.f64",
        all_of(FD, "f64", 2),
        ["0d4008000000000000"],
        0x3FD5555555555555,
        id="reciprocal",
    ),
    pytest.param("sqrt.rn.f32", all_of(F, "f32", 2), ["0f40000000"], 0x3FB504F3, id="root of 2"),
    pytest.param(
        "sqrt.rn.f64",
        all_of(FD, "f64", 2),
        ["0d4000000000000000"],
        0x3FF6A09E667F3BCD,
        id="root of 2 in float64",
    ),
    pytest.param("sqrt.rn.f32", all_of(F, "f32", 2), ["0fBF800000"], 0x7FFFFFFF, id="root of -1"),
    pytest.param(
        "fma.rn.f32",
        F3,
        ["0f3F800001", "0f3F800001", "0fBF800002"],
        0x28800000,
        id="fma keeps 2**-46",
    ),
    pytest.param(
        "fma.rn.f32",
        F3,
        ["0f3F800001", "0f3FC00000", "0f33000000"],
        0x3FC00002,
        id="fma beyond a tie",
    ),
    pytest.param("fma.rn.f32", F3, [INF, ZERO, ONE], 0x7FFFFFFF, id="fma of infinity and 0"),
    pytest.param("max.f32", F2, [NAN, "0fC0000000"], 0xC0000000, id="max passes a NaN over"),
    pytest.param("max.f32", F2, [MINUS_ZERO, ZERO], 0, id="max of zeros"),
    pytest.param("min.f32", F2, [ZERO, MINUS_ZERO], 0x80000000, id="min of zeros"),
    pytest.param("min.f32", F2, [NAN, NAN], 0x7FFFFFFF, id="min of NaNs"),
    pytest.param("neg.f32", all_of(F, "f32", 2), [NAN], 0xFFC12345, id="neg changes one bit"),
    pytest.param("abs.f64", all_of(FD, "f64", 2), ["0d8000000000000000"], 0, id="abs of -0"),
    pytest.param("setp.ne.f32", OF_F32, [NAN, ONE], 0, id="ne of a NaN"),
    pytest.param("setp.neu.f32", OF_F32, [NAN, ONE], 1, id="neu of a NaN"),
    pytest.param("setp.ltu.f32", OF_F32, [ONE, NAN], 1, id="ltu of a NaN"),
    pytest.param("setp.lt.f32", OF_F32, [ONE, NAN], 0, id="lt of a NaN"),
    pytest.param("setp.ge.f32", OF_F32, [MINUS_ZERO, ZERO], 1, id="-0 equals 0"),
    pytest.param("setp.num.f32", OF_F32, [ONE, NAN], 0, id="num"),
    pytest.param("setp.nan.f32", OF_F32, [ONE, NAN], 1, id="nan"),
    pytest.param("setp.lt.u32", ((P, "pred"), *U2[1:]), ["1", "-1"], 1, id="unsigned order"),
    pytest.param("setp.lt.s32", ((P, "pred"), *S2[1:]), ["1", "-1"], 0, id="signed order"),
    pytest.param("add.s32", S2, ["2147483647", "1"], 0x80000000, id="sums wrap"),
    pytest.param("mul.lo.s64", W2, ["4294967297", "4294967297"], 0x200000001, id="products wrap"),
    pytest.param("mul.wide.s32", ((RD, "s64"), *S2[1:]), ["-1", "2"], 2**64 - 2, id="wide, signed"),
    pytest.param(
        "mul.wide.u32", ((RD, "u64"), *U2[1:]), ["-1", "2"], 0x1FFFFFFFE, id="wide, unsigned"
    ),
    pytest.param("mad.lo.s32", all_of(R, "s32", 4), ["-3", "5", "16"], 1, id="mad"),
    pytest.param("div.s32", S2, ["-7", "2"], 2**32 - 3, id="quotients truncate"),
    pytest.param("rem.s32", S2, ["-7", "2"], 2**32 - 1, id="remainders have the sign of a"),
    pytest.param(
        "div.s64",
        W2,
        ["-9223372036854775808", "3"],
        2**64 - 0x2AAAAAAAAAAAAAAA,
        id="the least int64",
    ),
    pytest.param("rem.u32", U2, ["-1", "10"], 5, id="an unsigned remainder"),
    pytest.param("div.s16", H2, ["-7", "2"], 2**16 - 3, id="a narrow quotient"),
    pytest.param("shl.b32", U2, ["1", "32"], 0, id="shl by the width"),
    pytest.param(
        "shr.s32", ((R, "s32"), (R, "s32"), (R, "u32")), ["-8", "99"], 2**32 - 1, id="shr of a sign"
    ),
    pytest.param("shr.u32", U2, ["-8", "32"], 0, id="shr by the width"),
    pytest.param(
        "shr.s64",
        ((RD, "s64"), (RD, "s64"), (R, "u32")),
        ["-8", "1"],
        2**64 - 4,
        id="shr of 64 bits",
    ),
    pytest.param(
        "bfi.b64",
        ((RD, "b64"), (RD, "b64"), (RD, "b64"), (R, "u32"), (R, "u32")),
        ["5", "-1", "8", "4"],
        0xFFFFFFFFFFFFF5FF,
        id="bfi",
    ),
    pytest.param(
        "dp4a.s32.s32",
        all_of(R, "s32", 4),
        ["0x80FF017F", "0x80800180", "7"],
        7 + 16384 + 128 + 1 - 16256,
        id="dp4a",
    ),
    pytest.param(
        "abs.s32", all_of(R, "s32", 2), ["-2147483648"], 0x80000000, id="abs of the least"
    ),
    pytest.param("cvt.rni.s32.f32", ((R, "s32"), (F, "f32")), ["0f40200000"], 2, id="2.5 to even"),
    pytest.param(
        "cvt.rni.s32.f32",
        ((R, "s32"), (F, "f32")),
        ["0f4F000000"],
        0x7FFFFFFF,
        id="2**31 saturates",
    ),
    pytest.param(
        "cvt.rni.s32.f32",
        ((R, "s32"), (F, "f32")),
        ["0fFF800000"],
        0x80000000,
        id="-infinity saturates",
    ),
    pytest.param("cvt.rni.s32.f32", ((R, "s32"), (F, "f32")), [NAN], 0, id="a NaN to int32"),
    pytest.param("cvt.rzi.s64.f32", ((RD, "s64"), (F, "f32")), [NAN], 1 << 63, id="a NaN to int64"),
    pytest.param(
        "cvt.rzi.s64.f32", ((RD, "s64"), (F, "f32")), ["0fC0200000"], 2**64 - 2, id="-2.5 truncates"
    ),
    pytest.param(
        "cvt.rzi.s64.f32",
        ((RD, "s64"), (F, "f32")),
        ["0f5F000000"],
        2**63 - 1,
        id="2**63 saturates",
    ),
    pytest.param(
        "cvt.rmi.f32.f32", all_of(F, "f32", 2), ["0fBF000000"], 0xBF800000, id="floor of -0.5"
    ),
    pytest.param(
        "cvt.rpi.f32.f32", all_of(F, "f32", 2), ["0fBF000000"], 0x80000000, id="ceil of -0.5"
    ),
    pytest.param("cvt.rni.f32.f32", all_of(F, "f32", 2), ["0f3F000000"], 0, id="0.5 to even"),
    pytest.param(
        "cvt.rn.f32.s32", ((F, "f32"), (R, "s32")), ["16777217"], 0x4B800000, id="int32 to even"
    ),
    pytest.param(
        "cvt.rn.f32.s64",
        ((F, "f32"), (RD, "s64")),
        ["18014399583223809"],
        0x5A800001,
        id="int64 rounds once",
    ),
    pytest.param(
        "cvt.rn.f32.f64",
        ((F, "f32"), (FD, "f64")),
        ["0d36A0000000000001"],
        1,
        id="float64 to the least",
    ),
    pytest.param(
        "cvt.rn.f32.f64",
        ((F, "f32"), (FD, "f64")),
        ["0d36A0000000000000"],
        1,
        id="the least float32",
    ),
    pytest.param(
        "cvt.f64.f32",
        ((FD, "f64"), (F, "f32")),
        ["0f00000001"],
        0x36A0000000000000,
        id="widen a subnormal",
    ),
    pytest.param(
        "cvt.s16.s8", ((RS, "s16"), (RS, "s16")), ["0x1280"], 0xFF80, id="the low byte, signed"
    ),
    pytest.param(
        "cvt.u16.u32", ((RS, "u16"), (R, "u32")), ["0x12345678"], 0x5678, id="the low half"
    ),
    pytest.param(
        "cvt.s64.s32",
        ((RD, "s64"), (RD, "s64")),
        ["0x180000000"],
        0xFFFFFFFF80000000,
        id="the low word of a wide register",
    ),
    pytest.param("not.pred", ((P, "pred"), (P, "pred")), ["0"], 1, id="not"),
    pytest.param("xor.b16", all_of(RS, "b16", 3), ["0xFF00", "0x0FF0"], 0xF0F0, id="xor"),
]


@pytest.mark.parametrize(("opcode", "kinds", "operands", "expected"), CASES)
def test_an_instruction_makes_these_bits(
    opcode: str, kinds: Kinds, operands: list[str], expected: int
) -> None:
    assert applied(opcode, kinds, operands) == expected


OPERATIONS = [
    pytest.param("add.rn.f32", float32.add, id="add"),
    pytest.param("sub.rn.f32", float32.subtract, id="sub"),
    pytest.param("mul.rn.f32", float32.multiply, id="mul"),
    pytest.param("div.rn.f32", float32.divide, id="div"),
]
VALUES = sorted({*HOSTILE_BITS, 0x3EAAAAAB, 0x40490FDB, 0x00FFFFFF, 0x80FFFFFF, 0x34000001})


@pytest.mark.parametrize(("opcode", "exact"), OPERATIONS)
def test_every_pair_of_hostile_numbers_is_rounded_once(
    opcode: str, exact: Callable[[float, float], float]
) -> None:
    pairs = np.array(list(product(VALUES, VALUES)), np.uint32).view(np.float32)
    with np.errstate(all="ignore"):
        made = ARITHMETIC[opcode].apply(pairs[:, 0], pairs[:, 1])
    expected = [float32.to_bits(exact(float(a), float(b))) for a, b in pairs]
    assert [float32.to_bits(float(entry)) for entry in made] == expected


def test_every_triple_of_hostile_numbers_is_fused_with_one_rounding() -> None:
    triples = np.array(list(product(VALUES, VALUES, VALUES)), np.uint32).view(np.float32)
    with np.errstate(all="ignore"):
        made = ARITHMETIC["fma.rn.f32"].apply(*triples.T)
    expected = [float32.to_bits(float32.fused(*map(float, entry))) for entry in triples]
    assert [float32.to_bits(float(entry)) for entry in made] == expected
