"""Signatures at 0x01 and 0x100, hashes at 0x02 to 0x04 and 0x09, the proof at 0x0a, the table."""

from hashlib import sha256

import pytest
from ckzg import blob_to_kzg_commitment, compute_kzg_proof
from coincurve import PrivateKey
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from cvm.evm.forks import BPO2, CANCUN, OSAKA, PARIS, PRAGUE, SHANGHAI, Fork
from cvm.evm.keccak import keccak256
from cvm.evm.precompiles import blake2f, ecrecover, p256verify, point_evaluation
from cvm.evm.precompiles.table import precompiles

N_SECP256K1 = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
N_P256 = p256verify.ORDER
DIGEST = bytes(range(32))
KEY = PrivateKey((7).to_bytes(32, "big"))
SIGNED = KEY.sign_recoverable(DIGEST, hasher=None)
R, S, V = SIGNED[:32], SIGNED[32:64], SIGNED[64]
SIGNER = bytes(12) + keccak256(KEY.public_key.format(compressed=False)[1:])[12:]


def word(number: int) -> bytes:
    return number.to_bytes(32, "big")


@pytest.mark.parametrize(
    ("data", "output"),
    [
        pytest.param(DIGEST + word(27 + V) + R + S, SIGNER, id="signer"),
        pytest.param(DIGEST + word(27 + V) + R + S + b"\xff", SIGNER, id="the rest is not read"),
        pytest.param(
            DIGEST + word(28 - V) + R + word(N_SECP256K1 - int.from_bytes(S, "big")),
            SIGNER,
            id="a high s",
        ),
        pytest.param(DIGEST + word(V) + R + S, b"", id="v is not 27 or 28"),
        pytest.param(DIGEST + word(256 + 27 + V) + R + S, b"", id="v with a high byte"),
        pytest.param(DIGEST + word(27) + bytes(32) + S, b"", id="r is 0"),
        pytest.param(DIGEST + word(27) + R + word(0), b"", id="s is 0"),
        pytest.param(DIGEST + word(27) + word(N_SECP256K1) + S, b"", id="r is the order"),
        pytest.param(DIGEST + word(27) + R + word(N_SECP256K1), b"", id="s is the order"),
        pytest.param(b"", b"", id="no input"),
    ],
)
def test_ecrecover(data: bytes, output: bytes) -> None:
    assert ecrecover.run(data) == output


def p256_parts() -> tuple[int, int, int, int]:
    key = ec.derive_private_key(11, ec.SECP256R1())
    r, s = decode_dss_signature(key.sign(DIGEST, ec.ECDSA(Prehashed(SHA256()))))
    numbers = key.public_key().public_numbers()
    return r, s, numbers.x, numbers.y


P256_R, P256_S, P256_X, P256_Y = p256_parts()
P256_FIELD = 2**256 - 2**224 + 2**192 + 2**96 - 1


SMALL_X_DIGEST = bytes.fromhex("8ee5f658db5a274a3bc2d564a6751628c4137ab7de2af05b38301752a2bf2d08")
SMALL_X_RS = bytes.fromhex(
    "542ec780d1622425e587e7bb38ee5662bea7d8f9f1776f5b2ff3819625cce233"
    "f5cf1436d478431222f2698721a0de13295f5748c96d721097b60a841f7c8d8d"
)
SMALL_X_Y = bytes.fromhex("459243b9aa581806fe913bce99817ade11ca503c64d9a3c533415c083248fbcc")
"""A signature under the key with x = 5, made from R = 12345 * G + 67891 * key."""


def p256_input(r: int = P256_R, s: int = P256_S, x: int = P256_X, y: int = P256_Y) -> bytes:
    return DIGEST + b"".join(map(word, (r, s, x, y)))


@pytest.mark.parametrize(
    ("data", "output"),
    [
        pytest.param(p256_input(), word(1), id="valid"),
        pytest.param(p256_input(s=N_P256 - P256_S), word(1), id="the other s"),
        pytest.param(p256_input()[:-1], b"", id="a byte short"),
        pytest.param(p256_input() + b"\0", b"", id="a byte long"),
        pytest.param(word(5) + p256_input()[32:], b"", id="another hash"),
        pytest.param(p256_input(r=0), b"", id="r is 0"),
        pytest.param(p256_input(s=0), b"", id="s is 0"),
        pytest.param(p256_input(r=N_P256), b"", id="r is the order"),
        pytest.param(p256_input(s=N_P256), b"", id="s is the order"),
        pytest.param(p256_input(x=0, y=0), b"", id="key at infinity"),
        pytest.param(p256_input(y=P256_Y ^ 1), b"", id="key off the curve"),
        pytest.param(p256_input(x=P256_FIELD), b"", id="x is the modulus"),
        pytest.param(p256_input(y=P256_FIELD), b"", id="y is the modulus"),
        pytest.param(SMALL_X_DIGEST + SMALL_X_RS + word(5) + SMALL_X_Y, word(1), id="x is small"),
        pytest.param(
            SMALL_X_DIGEST + SMALL_X_RS + word(5 + P256_FIELD) + SMALL_X_Y,
            b"",
            id="x past the field",
        ),
        pytest.param(b"", b"", id="no input"),
    ],
)
def test_p256verify(data: bytes, output: bytes) -> None:
    assert p256verify.run(data) == output


@pytest.mark.parametrize(
    ("number", "data", "output", "price"),
    [
        pytest.param(2, b"abc", sha256(b"abc").digest(), 72, id="SHA-256 of abc"),
        pytest.param(2, b"", sha256(b"").digest(), 60, id="SHA-256 of nothing"),
        pytest.param(
            3,
            b"abc",
            bytes(12) + bytes.fromhex("8eb208f7e05d987a9b044a8e98c6b087f15a0bfc"),
            720,
            id="RIPEMD-160 of abc",
        ),
        pytest.param(4, b"x" * 33, b"x" * 33, 21, id="identity"),
    ],
)
def test_hashes(number: int, data: bytes, output: bytes, price: int) -> None:
    contract = precompiles(PARIS)[number.to_bytes(20, "big")]
    assert contract.run(data) == output
    assert contract.gas(data) == price


BLAKE_H = (
    "48c9bdf267e6096a3ba7ca8485ae67bb2bf894fe72f36e3cf1361d5f3af54fa5"
    "d182e6ad7f520e511f6c3e2b8c68059b6bbd41fbabd9831f79217e1319cde05b"
)
BLAKE_REST = BLAKE_H + "616263" + "00" * 125 + "0300000000000000" + "00" * 8


@pytest.mark.parametrize(
    ("rounds", "final", "output"),
    [
        pytest.param(
            0,
            1,
            "08c9bcf367e6096a3ba7ca8485ae67bb2bf894fe72f36e3cf1361d5f3af54fa5"
            "d282e6ad7f520e511f6c3e2b8c68059b9442be0454267ce079217e1319cde05b",
            id="EIP-152 vector 4: no round",
        ),
        pytest.param(
            12,
            1,
            "ba80a53f981c4d0d6a2797b69f12f6e94c212f14685ac4b74b12bb6fdbffa2d1"
            "7d87c5392aab792dc252d5de4533cc9518d38aa8dbf1925ab92386edd4009923",
            id="EIP-152 vector 5: BLAKE2b of abc",
        ),
        pytest.param(
            12,
            0,
            "75ab69d3190a562c51aef8d88f1c2775876944407270c42c9844252c26d28752"
            "98743e7f6d5ea2f2d3e8d226039cd31b4e426ac4f2d3d666a610c2116fde4735",
            id="EIP-152 vector 6: not the last block",
        ),
    ],
)
def test_blake2f(rounds: int, final: int, output: str) -> None:
    data = rounds.to_bytes(4, "big") + bytes.fromhex(BLAKE_REST) + bytes([final])
    assert (blake2f.run(data) or b"").hex() == output
    assert blake2f.gas(data) == rounds


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"", id="EIP-152 vector 0: no input"),
        pytest.param(bytes(212), id="EIP-152 vector 1: a byte short"),
        pytest.param(bytes(214), id="EIP-152 vector 2: a byte long"),
        pytest.param(bytes(212) + b"\2", id="EIP-152 vector 3: flag 2"),
    ],
)
def test_blake2f_fails(data: bytes) -> None:
    assert blake2f.run(data) is None
    assert blake2f.gas(data) == 0


def proof_input() -> bytes:
    """Return the proof of a polynomial's value at 5."""
    setup = point_evaluation.trusted_setup()
    blob = b"".join(word(index * index + 1) for index in range(4096))
    commitment = blob_to_kzg_commitment(blob, setup)
    proof, y = compute_kzg_proof(blob, word(5), setup)
    data: bytes = b"\1" + sha256(commitment).digest()[1:] + word(5) + y + commitment + proof
    return data


def test_point_evaluation() -> None:
    valid = proof_input()
    assert point_evaluation.run(valid) == word(4096) + word(point_evaluation.BLS_MODULUS)
    assert point_evaluation.run(valid[:-1]) is None
    assert point_evaluation.run(valid + b"\0") is None
    assert point_evaluation.run(b"\2" + valid[1:]) is None
    assert point_evaluation.run(valid[:32] + word(6) + valid[64:]) is None
    assert point_evaluation.run(valid[:32] + b"\xff" * 32 + valid[64:]) is None
    assert point_evaluation.run(valid[:-48] + b"\xff" * 48) is None


@pytest.mark.parametrize(
    ("fork", "numbers"),
    [
        pytest.param(PARIS, [*range(1, 10)], id="Paris"),
        pytest.param(SHANGHAI, [*range(1, 10)], id="Shanghai"),
        pytest.param(CANCUN, [*range(1, 11)], id="Cancun"),
        pytest.param(PRAGUE, [*range(1, 18)], id="Prague"),
        pytest.param(OSAKA, [*range(1, 18), 256], id="Osaka"),
        pytest.param(BPO2, [*range(1, 18), 256], id="BPO2"),
    ],
)
def test_the_addresses_of_a_fork(fork: Fork, numbers: list[int]) -> None:
    assert [int.from_bytes(address, "big") for address in precompiles(fork)] == numbers
