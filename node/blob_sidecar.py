"""Blob transactions as they are sent: with their blobs, commitments and proofs beside them.

The form is `03 || rlp([tx, blobs, commitments, proofs])` (EIP-4844), and from Osaka on
`03 || rlp([tx, 1, blobs, commitments, cell proofs])` (EIP-7594), with 128 proofs for each blob.
"""

from dataclasses import dataclass
from hashlib import sha256

from ckzg import compute_cells, verify_blob_kzg_proof_batch, verify_cell_kzg_proof_batch

from cvm.evm.faults import InvalidTransaction, MalformedTransaction
from cvm.evm.precompiles.point_evaluation import trusted_setup
from cvm.evm.rlp_encoding import encode_list
from cvm.evm.rlp_lists import list_start, split_items
from cvm.evm.strict_rlp import BadRlp
from cvm.evm.transaction import BLOB, Transaction
from cvm.evm.transaction_decoding import decode_transaction
from cvm.evm.transaction_rules import BLOB_HASH_VERSION

BLOB_BYTES = 131_072
COMMITMENT_BYTES = PROOF_BYTES = 48
CELLS_PER_BLOB = 128
NAME = "a blob transaction"
PARTS_WITH_BLOB_PROOFS, PARTS_WITH_CELL_PROOFS = 4, 5
CELL_PROOFS = b"\x01"


class MissingSidecar(InvalidTransaction):
    """A blob transaction is taken with its blobs only."""

    def __init__(self) -> None:
        super().__init__("missing sidecar in blob transaction")


class BadSidecar(InvalidTransaction):
    """Blobs, commitments, proofs and versioned hashes do not belong together."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"invalid blob sidecar: {reason}")


@dataclass(frozen=True, slots=True)
class Sidecar:
    """What came with a transaction; `proofs` are of cells, 128 for each blob, or of blobs."""

    has_cells: bool
    blobs: list[bytes]
    commitments: list[bytes]
    proofs: list[bytes]


def decode_sent(raw: bytes) -> Transaction:
    """Decode a transaction as it is sent, and prove the blobs that came with it.

    Raises `MalformedTransaction`, `MissingSidecar`, `BadSidecar` or what decoding raises.
    """
    if raw[:1] != bytes((BLOB,)):
        return decode_transaction(raw)
    try:
        items, lists = split_items(raw, list_start(raw, 1, NAME), len(raw))
        if lists[:1] != [0]:
            raise MissingSidecar
        tx = decode_transaction(raw[:1] + encode_list(items[0]))
        prove(tx, sidecar_of(items))
    except BadRlp as error:
        raise MalformedTransaction(str(error)) from error
    return tx


def sidecar_of(items: list[bytes]) -> Sidecar:
    """Return what stands beside a transaction; raises `BadRlp` or `MalformedTransaction`."""
    has_cells = len(items) == PARTS_WITH_CELL_PROOFS and items[1] == CELL_PROOFS
    if not has_cells and len(items) != PARTS_WITH_BLOB_PROOFS:
        raise MalformedTransaction(f"{NAME} with its blobs has {len(items)} parts")
    parts = [
        split_items(item, 0, len(item), PROOF_BYTES)[0]
        for item in (items[2:] if has_cells else items[1:])
    ]
    return Sidecar(has_cells, *parts)


def prove(tx: Transaction, sidecar: Sidecar) -> None:
    """Check that blobs, commitments, proofs and hashes belong together; raises `BadSidecar`."""
    count = len(tx.blob_versioned_hashes)
    proofs = count * (CELLS_PER_BLOB if sidecar.has_cells else 1)
    sizes = (len(sidecar.blobs), len(sidecar.commitments), len(sidecar.proofs))
    if sizes != (count, count, proofs):
        raise BadSidecar(f"blobs, commitments and proofs are {sizes}, not {(count, count, proofs)}")
    for part, size_bytes in (
        (sidecar.blobs, BLOB_BYTES),
        (sidecar.commitments, COMMITMENT_BYTES),
        (sidecar.proofs, PROOF_BYTES),
    ):
        if any(len(each) != size_bytes for each in part):
            raise BadSidecar(f"an element has not {size_bytes} bytes")
    for commitment, wanted in zip(sidecar.commitments, tx.blob_versioned_hashes, strict=True):
        found = bytes((BLOB_HASH_VERSION,)) + sha256(commitment).digest()[1:]
        if found != wanted:
            raise BadSidecar(f"computed versioned hash 0x{found.hex()}, not 0x{wanted.hex()}")
    if not proofs_hold(sidecar):
        raise BadSidecar("a proof does not hold")


def proofs_hold(sidecar: Sidecar) -> bool:
    """Tell whether every proof holds; bytes that are no point or no field element prove nothing."""
    setup, count = trusted_setup(), len(sidecar.blobs)
    try:
        if not sidecar.has_cells:
            return bool(
                verify_blob_kzg_proof_batch(
                    b"".join(sidecar.blobs),
                    b"".join(sidecar.commitments),
                    b"".join(sidecar.proofs),
                    setup,
                )
            )
        cells = [cell for blob in sidecar.blobs for cell in compute_cells(blob, setup)]
        commitments = [each for each in sidecar.commitments for _cell in range(CELLS_PER_BLOB)]
        places = list(range(CELLS_PER_BLOB)) * count
        return bool(verify_cell_kzg_proof_batch(commitments, places, cells, sidecar.proofs, setup))
    except RuntimeError:
        return False
