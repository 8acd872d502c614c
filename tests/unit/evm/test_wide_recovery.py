"""Eight signatures at a time: libsecp256k1's answer to each, whatever the seven others are."""

from random import Random
from typing import Any

import numpy as np
import pytest
from coincurve import PublicKey
from hypothesis import given, settings
from hypothesis import strategies as st

from cvm.evm.native.curve_lanes import read_number
from cvm.evm.native.field_lanes import (
    FIELD_PRIME,
    LANES,
    LANES_BYTES,
    LIMB_BITS,
    LIMBS,
    add,
    double,
    four_minus,
    has_lanes,
    limbs_of,
    load_lanes,
    minus_double,
    minus_eight,
    multiply,
    negate,
    square,
    store_lanes,
    subtract,
    triple,
)
from cvm.evm.native.machine_memory import Array, address_of
from cvm.evm.native.word import store_word
from cvm.evm.signatures import CURVE_ORDER, recover_address, sign_hash
from cvm.evm.wide_recovery import FEWEST, aligned, recover_wide
from cvm.native_code import compiled, kernel

pytestmark = pytest.mark.skipif(not has_lanes(), reason="the processor has no AVX-512 IFMA")

Signature = tuple[bytes, int, int, int]
"""A hash, the parity, r and s."""

U1 = int.from_bytes(bytes(range(1, 65, 2)), "big")
U1_BYTES = ((U1 >> 1) + 2**255).to_bytes(32, "little")
"""An odd scalar, and the bytes that say in which multiples of G it is summed up."""

SMALL = [1, 2, 3, 4, 5, 7, 8, 15, 16, 17, 31, 255, 256, 257, 65_535, 2**128]
LARGE = [CURVE_ORDER - number for number in (1, 2, 3, 15, 16, 17, 255, 256)]


def recovered(signatures: list[Signature]) -> list[bytes | None]:
    """Return the signers that are found eight at a time, None for the others."""
    hashes, parities, rs, ss = zip(*signatures, strict=True)
    signers = np.zeros(32 * len(signatures), np.uint8)
    found = np.zeros(len(signatures), np.uint8)
    numbers = zip(rs, ss, strict=True)
    compact = b"".join([r.to_bytes(32, "big") + s.to_bytes(32, "big") for r, s in numbers])
    buffers = (
        np.frombuffer(part, np.uint8) for part in (b"".join(hashes), compact, bytes(parities))
    )
    hashes_in, compact_in, parities_in = buffers
    recover_wide(hashes_in, compact_in, parities_in, signers, found)
    rows = signers.reshape(-1, 32)
    return [bytes(row[12:]) if here else None for row, here in zip(rows, found, strict=True)]


def expected(signatures: list[Signature]) -> list[bytes | None]:
    return [recover_address(*signature) for signature in signatures]


def signed(random: Random) -> Signature:
    message_hash = random.randbytes(32)
    return message_hash, *sign_hash(message_hash, random.randbytes(32))


def signature_of(nonce: int, u1: int, u2: int) -> Signature:
    """Return a signature whose key is u1 * G + u2 * R, R being a multiple of G."""
    x, y = PublicKey.from_valid_secret(nonce.to_bytes(32, "big")).point()
    r = x % CURVE_ORDER
    z, s = -u1 * r % CURVE_ORDER, u2 * r % CURVE_ORDER
    return z.to_bytes(32, "big"), y & 1, r, s


@pytest.mark.parametrize("count", [FEWEST, 7, 8, 9, 15, 16, 17, 300])
def test_every_signer_is_found(count: int) -> None:
    random = Random(count)
    signatures = [signed(random) for _ in range(count)]
    assert recovered(signatures) == expected(signatures)


def test_fewer_are_left_to_one_at_a_time() -> None:
    random = Random(1)
    assert recovered([signed(random) for _ in range(FEWEST - 1)]) == [None] * (FEWEST - 1)


@settings(max_examples=300, derandomize=True, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.binary(min_size=32, max_size=32),
            st.sampled_from([0, 1]),
            st.integers(0, 2**256 - 1),
            st.integers(0, 2**256 - 1),
        ),
        min_size=FEWEST,
        max_size=20,
    )
)
def test_numbers_that_nobody_signed_give_what_libsecp256k1_gives(
    signatures: list[Signature],
) -> None:
    assert recovered(signatures) == expected(signatures)


BAD = [
    pytest.param((0, 0, 1), id="r 0"),
    pytest.param((0, 1, 0), id="s 0"),
    pytest.param((0, CURVE_ORDER, 1), id="r n"),
    pytest.param((0, 1, CURVE_ORDER), id="s n"),
    pytest.param((0, 2**256 - 1, 1), id="r above n"),
    pytest.param((1, 5, 1), id="r on no point"),
    pytest.param((2, 1, 1), id="parity 2"),
]


@pytest.mark.parametrize("bad", BAD)
@pytest.mark.parametrize("place", [0, 5, 11])
def test_a_bad_signature_is_not_found_and_spoils_no_other(
    bad: tuple[int, int, int], place: int
) -> None:
    random = Random(place)
    signatures = [signed(random) for _ in range(12)]
    want = expected(signatures)
    signatures[place] = (signatures[place][0], *bad)
    want[place] = None
    assert recovered(signatures) == want


@pytest.mark.parametrize("nonce", [1, 2, 3, 7, 16, 255, 2**128, CURVE_ORDER - 1, CURVE_ORDER - 3])
def test_sums_that_meet_themselves_are_right_or_left(nonce: int) -> None:
    """Where R is a small multiple of G, sums of their multiples meet."""
    signatures = [signature_of(nonce, u1, u2) for u1 in [0, *SMALL, *LARGE] for u2 in SMALL + LARGE]
    found, want = recovered(signatures), expected(signatures)
    assert [a for a, b in zip(found, want, strict=True) if a not in (None, b)] == []
    assert sum(each is not None for each in found) > len(want) // 2


@pytest.mark.parametrize("sign", [1, -1], ids=["equal", "opposite"])
@pytest.mark.parametrize("nonce", [1, 3, CURVE_ORDER - 255, 2**200 + 1])
def test_a_sum_that_meets_the_next_multiple_of_the_generator_is_left(nonce: int, sign: int) -> None:
    """u2 * R and the multiples of the lower bytes add up to the multiple of byte 0, 1, ... 31."""
    multiples = [(2 * byte - 255) << 8 * byte_number for byte_number, byte in enumerate(U1_BYTES)]
    assert sum(multiples) == U1
    signatures = []
    for byte_number, multiple in enumerate(multiples):
        wanted = sign * multiple - sum(multiples[:byte_number])
        u2 = wanted * pow(nonce, -1, CURVE_ORDER) % CURVE_ORDER
        signatures.append(signature_of(nonce, U1, u2))
    assert recovered(signatures) == [None] * 32


def test_a_key_at_infinity_is_not_found() -> None:
    signatures = [signature_of(nonce, CURVE_ORDER - nonce, 1) for nonce in range(1, 9)]
    assert recovered(signatures) == expected(signatures) == [None] * 8


OF_ONE = {
    "square": (square, lambda a: a * a),
    "double": (double, lambda a: 2 * a),
    "triple": (triple, lambda a: 3 * a),
    "negate": (negate, lambda a: -a),
}
OF_TWO = {
    "multiply": (multiply, lambda a, b: a * b),
    "add": (add, lambda a, b: a + b),
    "subtract": (subtract, lambda a, b: a - b),
    "minus_eight": (minus_eight, lambda a, b: a - 8 * b),
    "minus_double": (minus_double, lambda a, b: a - 2 * b),
    "four_minus": (four_minus, lambda a, b: 4 * a - b),
}
MOST = [2**LIMB_BITS - 1] * 4 + [2**48 + 2**6]
"""The limbs of the greatest number that lanes may hold."""

Numbers = list[list[int]]
"""Five limbs for each lane."""


def drawn(random: Random) -> Numbers:
    """Return numbers of any limbs that lanes may hold, the greatest and the least more often."""
    return [
        [random.choice([0, most, random.randrange(most + 1)]) for most in MOST] for _ in "8" * 8
    ]


def placed(numbers: Numbers) -> Array:
    buffer = aligned(LANES_BYTES)
    buffer.view(np.uint64)[:] = np.array(numbers, np.uint64).T.reshape(-1)
    return buffer


def value_of(limbs: list[int]) -> int:
    return sum(limb << LIMB_BITS * place for place, limb in enumerate(limbs))


def applied(function: Any, *operands: Numbers) -> Numbers:
    """Return what an operation of lanes gives."""

    def of_one(a: int, target: int) -> None:
        store_lanes(target, function(load_lanes(a)))

    def of_two(a: int, b: int, target: int) -> None:
        store_lanes(target, function(load_lanes(a), load_lanes(b)))

    run = compiled(of_one if len(operands) == 1 else of_two, on_disk=False)
    result, buffers = aligned(LANES_BYTES), [placed(operand) for operand in operands]
    run(*map(address_of, buffers), address_of(result))
    limbs: Numbers = result.view(np.uint64).reshape(LIMBS, LANES).T.tolist()
    return limbs


@pytest.mark.parametrize("name", [*OF_ONE, *OF_TWO])
def test_an_operation_keeps_the_bounds_of_limbs_and_is_right_modulo_the_prime(name: str) -> None:
    random = Random(name)
    function, definition = (OF_ONE | OF_TWO)[name]
    for numbers in ([MOST] * LANES, [[0] * LIMBS] * LANES, *(drawn(random) for _ in range(4))):
        operands = [numbers, drawn(random)] if name in OF_TWO else [numbers]
        result = applied(function, *operands)
        assert all(limb <= most for limbs in result for limb, most in zip(limbs, MOST, strict=True))
        wanted = [definition(*map(value_of, each)) for each in zip(*operands, strict=True)]
        assert [(value_of(a) - b) % FIELD_PRIME for a, b in zip(result, wanted, strict=True)] == (
            [0] * LANES
        )


def test_a_number_is_read_below_the_prime() -> None:
    values = [
        0,
        1,
        FIELD_PRIME - 1,
        FIELD_PRIME,
        FIELD_PRIME + 1,
        2**256 - 1,
        2**256,
        2**256 + 2**214,
    ]
    buffer = placed([limbs_of(value) for value in values])
    assert [read_back(buffer, lane) for lane in range(LANES)] == [v % FIELD_PRIME for v in values]


def read_back(buffer: Array, lane: int) -> int:
    word = np.zeros(32, np.uint8)
    read_into(address_of(buffer), lane, address_of(word))
    return int.from_bytes(word.tobytes(), "little")


@kernel
def read_into(place: int, lane: int, target: int) -> None:
    store_word(target, 0, read_number(place, lane))
