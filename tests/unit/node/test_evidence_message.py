"""Proof of a double vote goes only to peers that take it: they ban who sends a longer message."""

import pytest

from consensus.qbft.evidence import Evidence
from consensus.qbft.messages import PREPARE, PROPOSAL
from node.cvm_network import evidence_message, fits_message
from node.p2p.cvm_messages import MAX_EVIDENCE_PAYLOAD_BYTES
from node.p2p.cvm_messages import Evidence as EvidenceMessage

SIGNATURE = b"\x11" * 65
SIGNER = b"\x22" * 20


def evidence(code: int, size_bytes: int) -> Evidence:
    first, second = b"\xaa" * size_bytes, b"\xbb" * size_bytes
    return Evidence(code, SIGNER, 8, 0, first, SIGNATURE, second, SIGNATURE)


@pytest.mark.parametrize(
    ("code", "size_bytes"),
    [
        pytest.param(PREPARE, 40, id="two prepares"),
        pytest.param(PROPOSAL, 900, id="two proposals of empty blocks"),
        pytest.param(PROPOSAL, 200_000, id="two proposals of ordinary blocks"),
        pytest.param(PROPOSAL, 2**25 // 10 + 2_000, id="two proposals of the longest blocks"),
        pytest.param(
            PROPOSAL, MAX_EVIDENCE_PAYLOAD_BYTES, id="two proposals as large as are taken"
        ),
    ],
)
def test_evidence_that_fits_is_within_the_bound_of_its_message(code: int, size_bytes: int) -> None:
    found = evidence(code, size_bytes)
    assert fits_message(found)
    encoded = evidence_message(found).encode()
    assert len(encoded) <= EvidenceMessage.MAX_LENGTH
    assert EvidenceMessage.decode(encoded) == evidence_message(found)


def test_proof_of_two_larger_proposals_is_not_sent() -> None:
    assert not fits_message(evidence(PROPOSAL, MAX_EVIDENCE_PAYLOAD_BYTES + 1))
