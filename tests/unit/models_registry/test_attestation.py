"""What validators sign, and who signed it."""

from collections.abc import Callable

import pytest
from eth_account.messages import encode_typed_data

from cvm.evm.keccak import keccak256
from models_registry.addresses import MODEL_REGISTRY
from models_registry.attestation import (
    BadAttestation,
    attestation_digest,
    order_signatures,
    recover_attester,
    sign_attestation,
)
from tests.unit.models_registry.registry_chain import FOREIGN_KEY, VALIDATOR_KEYS, address_of

MODEL = bytes.fromhex("ab" * 32)
RECORD_HASH = bytes.fromhex("cd" * 32)
DIGEST = attestation_digest(1337, MODEL, 3, RECORD_HASH)
KEY = VALIDATOR_KEYS[0]
ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141


def test_the_digest_is_that_of_eip_712() -> None:
    signable = encode_typed_data(
        domain_data={
            "name": "ModelRegistry",
            "version": "1",
            "chainId": 1337,
            "verifyingContract": "0x" + MODEL_REGISTRY.hex(),
        },
        message_types={
            "Attestation": [
                {"name": "modelId", "type": "bytes32"},
                {"name": "nonce", "type": "uint64"},
                {"name": "recordHash", "type": "bytes32"},
            ]
        },
        message_data={"modelId": MODEL, "nonce": 3, "recordHash": RECORD_HASH},
    )
    assert keccak256(b"\x19" + signable.version + signable.header + signable.body) == DIGEST


def test_a_signature_names_its_signer() -> None:
    signature = sign_attestation(KEY, DIGEST)
    assert len(signature) == 65
    assert signature[64] in (27, 28)
    assert recover_attester(DIGEST, signature) == address_of(KEY)


def test_signatures_are_ordered_by_turn_and_each_validator_counts_once() -> None:
    first, second, third, _absent = VALIDATOR_KEYS
    turns = [address_of(key) for key in reversed(VALIDATOR_KEYS)]
    given = [sign_attestation(key, DIGEST) for key in (first, FOREIGN_KEY, second, third, second)]
    ordered = order_signatures(DIGEST, given, turns)
    signers = [recover_attester(DIGEST, signature) for signature in ordered]
    assert signers == [address_of(third), address_of(second), address_of(first)]


@pytest.mark.parametrize(
    ("damage", "rule"),
    [
        pytest.param(lambda good: good[:64], "64 bytes, expected 65", id="short"),
        pytest.param(lambda good: good[:64] + b"\x01", "v is 1, expected 27 or 28", id="v"),
        pytest.param(lambda good: bytes(64) + b"\x1b", "no key can have made it", id="r of 0"),
        pytest.param(
            lambda good: (
                good[:32]
                + (ORDER - int.from_bytes(good[32:64], "big")).to_bytes(32, "big")
                + bytes([55 - good[64]])
            ),
            "upper half",
            id="high s",
        ),
        pytest.param(lambda good: b"\xff" * 32 + good[32:], "no key can", id="r past the order"),
    ],
)
def test_what_the_registry_would_refuse_is_refused(
    damage: Callable[[bytes], bytes], rule: str
) -> None:
    with pytest.raises(BadAttestation) as caught:
        recover_attester(DIGEST, damage(sign_attestation(KEY, DIGEST)))
    assert rule in caught.value.rule
