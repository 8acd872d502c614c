"""Gas per second of every precompiled contract at its price, on the inputs that cost it most.

`python -m bench.bench_precompiles` prints a line for each; contracts that cost little are measured
with the 100 gas of the warm CALL that reaches them too (EIP-2929). Time is this process's CPU time.
"""

import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from itertools import product

from cvm.numba_cache import configure_numba_cache

configure_numba_cache()  # before the modules with kernels

from ckzg import blob_to_kzg_commitment, compute_kzg_proof  # noqa: E402
from coincurve import PrivateKey  # noqa: E402
from cryptography.hazmat.primitives.asymmetric import ec  # noqa: E402
from cryptography.hazmat.primitives.asymmetric.utils import (  # noqa: E402
    Prehashed,
    decode_dss_signature,
)
from cryptography.hazmat.primitives.hashes import SHA256  # noqa: E402
from py_arkworks_bls12381 import G1Point, G2Point, Scalar  # noqa: E402

from cvm.evm.forks import OSAKA, PRAGUE  # noqa: E402
from cvm.evm.precompiles import bn254_mul, point_evaluation  # noqa: E402
from cvm.evm.precompiles.bls12_encoding import encode_g1, encode_g2  # noqa: E402
from cvm.evm.precompiles.precompile import Precompile  # noqa: E402
from cvm.evm.precompiles.table import precompiles  # noqa: E402

TARGET_MGAS = 20
CALL_GAS = 100
ROUND_S = 0.01
ROUNDS = 3

BN254_G1 = (1).to_bytes(32, "big") + (2).to_bytes(32, "big")
BN254_G2 = bytes.fromhex(
    "198e9393920d483a7260bfb731fb5d25f1aa493335a9e71297e485b7aef312c2"
    "1800deef121f1e76426a00665e5c4479674322d4f75edadd46debd5cd992f6ed"
    "090689d0585ff075ec9e99ad690c3395bc4b313370b38ef355acdadcd122975b"
    "12c85ea5db8c6deb4aab71808dcb408fe3d1e7690c43d37b4ce6cc0166fa7daa"
)
"""The generators of EIP-197."""


@dataclass(frozen=True, slots=True)
class Case:
    """One input of one contract."""

    number: int
    label: str
    data: bytes
    is_osaka: bool = True

    def contract(self) -> Precompile:
        return precompiles(OSAKA if self.is_osaka else PRAGUE)[self.number.to_bytes(20, "big")]


def word(number: int) -> bytes:
    return number.to_bytes(32, "big")


def scalar(index: int) -> int:
    return (3**161 * (index + 1)) % (1 << 256)


def signature_cases() -> Iterator[Case]:
    digest = word(scalar(1))
    signed = PrivateKey(word(7)).sign_recoverable(digest, hasher=None)
    yield Case(0x01, "valid", digest + word(27 + signed[64]) + signed[:64])
    key = ec.derive_private_key(scalar(2) >> 1, ec.SECP256R1())
    r, s = decode_dss_signature(key.sign(digest, ec.ECDSA(Prehashed(SHA256()))))
    numbers = key.public_key().public_numbers()
    valid = digest + b"".join(map(word, (r, s, numbers.x, numbers.y)))
    yield Case(0x100, "valid", valid)
    yield Case(0x100, "wrong hash", word(scalar(3)) + valid[32:])


def hash_cases() -> Iterator[Case]:
    for number, size in product((0x02, 0x03, 0x04), (0, 1, 64, 1000, 1 << 20)):
        yield Case(number, f"{size} bytes", b"\xa5" * size)
    for rounds in (0, 1, 12, 1000, 1_000_000):
        yield Case(0x09, f"{rounds} rounds", rounds.to_bytes(4, "big") + b"\x5a" * 208 + b"\x01")


def modexp_cases() -> Iterator[Case]:
    sizes = [(1, 1), (8, 8), (32, 32), (64, 64), (128, 128), (256, 256)]
    sizes += [(1024, 1024), (1024, 8), (8, 1024)]
    exponents = {"3": b"\x03", "32 bytes": b"\xff" * 32}
    exponents |= {"96 bytes": b"\xff" * 96, "tail": bytes(32) + b"\xff" * 32}
    endings = {"odd": b"\xff", "even": b"\xfe", "2**k": b"\x00"}
    for (base, modulus), (name, exponent), (kind, end), is_osaka in product(
        sizes, exponents.items(), endings.items(), (False, True)
    ):
        lengths = b"".join(map(word, (base, len(exponent), modulus)))
        top = (b"\x80" + bytes(modulus) if kind == "2**k" else b"\xf3" * modulus)[: modulus - 1]
        data = lengths + b"\xfd" * base + exponent + top + end
        fork = "Osaka" if is_osaka else "Berlin"
        yield Case(0x05, f"{fork} {base}^{name} mod {modulus} {kind}", data, is_osaka)
    for size in (8, 32):
        lengths = b"".join(map(word, (size, 1024, size)))
        data = lengths + b"\xfd" * size + b"\xff" * 1024 + b"\xf3" * size
        yield Case(0x05, f"Berlin {size}^1024 bytes mod {size}", data, False)
        yield Case(0x05, f"Osaka {size}^1024 bytes mod {size}", data)


def bn254_points(count: int) -> list[bytes]:
    products = (bn254_mul.run(BN254_G1 + word(scalar(index))) for index in range(count))
    return [point for point in products if point is not None]


def bn254_cases() -> Iterator[Case]:
    a, b = bn254_points(2)
    yield Case(0x06, "two points", a + b)
    yield Case(0x06, "twice one", a + a)
    for factor in (2**256 - 1, 2, 0):
        yield Case(0x07, f"by {factor.bit_length()} bits", a + word(factor))
    for count in (0, 1, 2, 8):
        yield Case(
            0x08, f"{count} pairs", b"".join(point + BN254_G2 for point in bn254_points(count))
        )


def bls12_cases() -> Iterator[Case]:
    multiples = [Scalar.from_be_bytes_mod_order(word(scalar(index))) for index in range(129)]
    g1 = [encode_g1(G1Point() * multiple) for multiple in multiples]
    g2 = [encode_g2(G2Point() * multiple) for multiple in multiples]
    yield Case(0x0B, "two points", g1[0] + g1[1])
    yield Case(0x0B, "twice one", g1[0] + g1[0])
    yield Case(0x0D, "two points", g2[0] + g2[1])
    for count in (1, 2, 3, 8, 16, 64, 129):
        for number, points in ((0x0C, g1), (0x0E, g2)):
            pairs = (points[index] + word(scalar(index)) for index in range(count))
            yield Case(number, f"{count} pairs", b"".join(pairs))
    for count in (1, 2, 8):
        yield Case(0x0F, f"{count} pairs", b"".join(map(bytes.__add__, g1[:count], g2)))
    element = bytes(16) + b"\x11" * 48
    yield Case(0x10, "an element", element)
    yield Case(0x11, "an element", element + element)


def blob_case() -> Case:
    setup = point_evaluation.trusted_setup()
    blob = b"".join(word(scalar(index) >> 2) for index in range(4096))
    commitment, z = blob_to_kzg_commitment(blob, setup), word(scalar(5) >> 2)
    proof, y = compute_kzg_proof(blob, z, setup)
    versioned = b"\x01" + sha256(commitment).digest()[1:]
    return Case(0x0A, "a proof", versioned + z + y + commitment + proof)


def all_cases() -> list[Case]:
    cases = [*signature_cases(), *hash_cases(), *modexp_cases(), *bn254_cases()]
    return [*cases, *bls12_cases(), blob_case()]


def seconds(case: Case) -> float:
    """Return the least CPU seconds of a call, its price included, over rounds of many calls."""
    contract, data = case.contract(), case.data
    calls, least = 1, float("inf")
    for _ in range(ROUNDS):
        spent = 0.0
        while True:
            start = time.process_time()
            for _ in range(calls):
                contract.gas(data)
                contract.run(data)
            spent = time.process_time() - start
            if spent >= ROUND_S or calls >= 1 << 16:
                break
            calls *= 4
        least = min(least, spent / calls)
    return least


def rate(case: Case, spent: float, extra_gas: int = 0) -> float:
    """Return millions of gas per second."""
    return (case.contract().gas(case.data) + extra_gas) / spent / 1e6


def main() -> int:
    """Print contract, input, gas, microseconds and Mgas/s (alone, and with the CALL's gas).

    Return 1 if one is below the target even with the CALL's gas.
    """
    slow = 0
    cases = all_cases()
    for case in cases:
        case.contract().run(case.data)  # compiles, loads the trusted setup
    for case in sorted(cases, key=lambda case: case.number):
        spent, contract = seconds(case), case.contract()
        alone, called = rate(case, spent), rate(case, spent, CALL_GAS)
        slow += called < TARGET_MGAS
        row = f"{contract.name:20} {case.label:34} {contract.gas(case.data):>10} gas"
        print(f"{row} {spent * 1e6:10.2f} us {alone:8.1f} {called:8.1f} Mgas/s")
    print(f"{slow} of {len(cases)} below {TARGET_MGAS} Mgas/s")
    return int(slow > 0)


if __name__ == "__main__":
    sys.exit(main())
