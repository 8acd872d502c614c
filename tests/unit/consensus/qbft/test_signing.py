"""Signatures bind chain, message and payload."""

import pytest

from consensus.qbft.faults import BadMessage
from consensus.qbft.messages import COMMIT, PREPARE, PreparePayload
from consensus.qbft.signing import KeySigner, SigningDomain, recover_signer, signer_of
from cvm.evm.keccak import keccak256
from cvm.evm.signatures import CURVE_ORDER

DOMAIN = SigningDomain(chain_id=7, genesis_hash=b"\x9e" * 32)
SIGNER = KeySigner(b"\x71" * 32)  # a TEST key
PAYLOAD = PreparePayload(42, 3, b"\xd1" * 32)


def test_signs_prefix_chain_genesis_code_and_payload() -> None:
    signed = (
        b"\x19cvm-qbft"
        + bytes(31)
        + b"\x07"
        + b"\x9e" * 32
        + b"\x13"
        + bytes.fromhex("e32a03a0" + "d1" * 32)
    )
    assert DOMAIN.digest(PREPARE, PAYLOAD.encode()) == keccak256(signed)


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(SigningDomain(8, b"\x9e" * 32).digest(PREPARE, PAYLOAD.encode()), id="chain"),
        pytest.param(
            SigningDomain(7, b"\x9f" * 32).digest(PREPARE, PAYLOAD.encode()), id="genesis"
        ),
        pytest.param(DOMAIN.digest(COMMIT, PAYLOAD.encode()), id="code"),
        pytest.param(
            DOMAIN.digest(PREPARE, PreparePayload(42, 4, b"\xd1" * 32).encode()), id="round"
        ),
    ],
)
def test_another_meaning_has_another_digest(other: bytes) -> None:
    assert other != DOMAIN.digest(PREPARE, PAYLOAD.encode())


def test_recovers_the_signer() -> None:
    signature = SIGNER.sign(DOMAIN.digest(PREPARE, PAYLOAD.encode()))
    assert signer_of(recover_signer, DOMAIN, PAYLOAD, signature) == SIGNER.address


def test_a_high_s_has_no_signer() -> None:
    signature = SIGNER.sign(DOMAIN.digest(PREPARE, PAYLOAD.encode()))
    s = CURVE_ORDER - int.from_bytes(signature[32:64], "big")
    malleable = signature[:32] + s.to_bytes(32, "big") + bytes([signature[64] ^ 1])
    with pytest.raises(BadMessage, match="high s"):
        signer_of(recover_signer, DOMAIN, PAYLOAD, malleable)


@pytest.mark.parametrize(
    "signature",
    [
        pytest.param(bytes(65), id="zeros"),
        pytest.param(bytes(64), id="64 bytes"),
        pytest.param(b"\xff" * 64 + b"\0", id="beyond the curve's order"),
        pytest.param(b"\1" * 64 + b"\2", id="parity of 2"),
    ],
)
def test_nobody_signed(signature: bytes) -> None:
    assert recover_signer(b"\1" * 32, signature) is None
