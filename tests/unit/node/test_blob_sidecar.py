"""Blob transactions as they are sent: what belongs together, and what is refused."""

from dataclasses import dataclass
from hashlib import sha256

import pytest
from ckzg import blob_to_kzg_commitment, compute_blob_kzg_proof, compute_cells_and_kzg_proofs

from cvm.evm.faults import MalformedTransaction
from cvm.evm.precompiles.point_evaluation import trusted_setup
from cvm.evm.rlp_encoding import encode_bytes, encode_list
from cvm.evm.transaction import BLOB
from cvm.evm.transaction_signing import UnsignedTransaction
from node.blob_sidecar import BLOB_BYTES, BadSidecar, MissingSidecar, decode_sent

BLOB_OF_ONES = (bytes(31) + b"\1") * (BLOB_BYTES // 32)


@dataclass(frozen=True)
class Sent:
    """The parts of a sent transaction."""

    tx: bytes
    commitment: bytes
    proof: bytes
    cell_proofs: tuple[bytes, ...]


@pytest.fixture(scope="module")
def sent() -> Sent:
    setup = trusted_setup()
    commitment = blob_to_kzg_commitment(BLOB_OF_ONES, setup)
    tx = UnsignedTransaction(
        type_id=BLOB,
        chain_id=1,
        nonce=0,
        max_fee_per_gas=1,
        max_fee_per_blob_gas=1,
        gas=21_000,
        to=b"\7" * 20,
        blob_versioned_hashes=(b"\1" + sha256(commitment).digest()[1:],),
    ).sign(b"\1" * 32)
    proof = compute_blob_kzg_proof(BLOB_OF_ONES, commitment, setup)
    cell_proofs = compute_cells_and_kzg_proofs(BLOB_OF_ONES, setup)[1]
    return Sent(tx.raw, commitment, proof, tuple(cell_proofs))


def packed(tx: bytes, *parts: list[bytes], cells: bool = False) -> bytes:
    lists = b"".join(encode_list(b"".join(map(encode_bytes, part))) for part in parts)
    return b"\3" + encode_list(tx[1:] + (b"\1" if cells else b"") + lists)


def test_a_transaction_with_the_proof_of_its_blob_is_taken(sent: Sent) -> None:
    raw = packed(sent.tx, [BLOB_OF_ONES], [sent.commitment], [sent.proof])
    assert decode_sent(raw).raw == sent.tx


def test_a_transaction_with_the_proofs_of_its_cells_is_taken(sent: Sent) -> None:
    raw = packed(sent.tx, [BLOB_OF_ONES], [sent.commitment], list(sent.cell_proofs), cells=True)
    assert decode_sent(raw).raw == sent.tx


def test_a_transaction_without_its_blobs_is_refused(sent: Sent) -> None:
    with pytest.raises(MissingSidecar, match="missing sidecar in blob transaction"):
        decode_sent(sent.tx)


@pytest.mark.parametrize(
    ("blobs", "commitments", "proofs", "words"),
    [
        pytest.param(0, 1, 1, r"are \(0, 1, 1\), not \(1, 1, 1\)", id="no-blob"),
        pytest.param(1, 1, 2, r"are \(1, 1, 2\), not \(1, 1, 1\)", id="two-proofs"),
    ],
)
def test_counts_that_differ_are_refused(
    sent: Sent, blobs: int, commitments: int, proofs: int, words: str
) -> None:
    parts = [BLOB_OF_ONES] * blobs, [sent.commitment] * commitments, [sent.proof] * proofs
    with pytest.raises(BadSidecar, match=words):
        decode_sent(packed(sent.tx, *parts))


def test_another_blob_or_commitment_is_refused(sent: Sent) -> None:
    other = bytes(BLOB_BYTES)
    with pytest.raises(BadSidecar, match="a proof does not hold"):
        decode_sent(packed(sent.tx, [other], [sent.commitment], [sent.proof]))
    cells = list(sent.cell_proofs)
    with pytest.raises(BadSidecar, match="a proof does not hold"):
        decode_sent(packed(sent.tx, [other], [sent.commitment], cells, cells=True))
    with pytest.raises(BadSidecar, match="computed versioned hash 0x01"):
        decode_sent(packed(sent.tx, [BLOB_OF_ONES], [b"\xc0" + bytes(47)], [sent.proof]))
    with pytest.raises(BadSidecar, match="has not 131072 bytes"):
        decode_sent(packed(sent.tx, [b"\1"], [sent.commitment], [sent.proof]))


def test_another_number_of_parts_is_refused(sent: Sent) -> None:
    with pytest.raises(MalformedTransaction, match="has 3 parts"):
        decode_sent(packed(sent.tx, [BLOB_OF_ONES], [sent.commitment]))
