"""Signatures of validators under the records of models that are PENDING."""

from dataclasses import dataclass

from consensus.qbft.validator_order import faulty_bound
from models_registry.attestation import BadAttestation, attestation_digest, recover_attester
from models_registry.record import BadRecord, ModelRecord
from models_registry.registry import RegistryStatus, read_entry, read_status
from node.chain import Chain


@dataclass(frozen=True, slots=True)
class SignedRecord:
    """One validator's signature: of which registration, under which record."""

    model_id: bytes
    nonce: int
    record: bytes
    signature: bytes


class AttestationPool:
    """Keeps one signature for each validator and registration that is still open."""

    def __init__(self, chain: Chain) -> None:
        self._chain = chain
        self._signed: dict[tuple[bytes, int], dict[bytes, SignedRecord]] = {}

    def add(self, attestation: SignedRecord) -> bool:
        """Keep a signature; tell whether it is news. Raises `BadAttestation` for a false one."""
        signer = self._signer(attestation)
        if signer is None:
            return False
        known = self._signed.setdefault((attestation.model_id, attestation.nonce), {})
        if signer in known:
            return False
        records = {entry.record for entry in known.values()}
        if attestation.record not in records and len(records) > self._liars():
            return False
        known[signer] = attestation
        return True

    def _signer(self, attestation: SignedRecord) -> bytes | None:
        """Return which validator signed; None where this chain does not wait for the signature."""
        head = self._chain.head
        storage = self._chain.storage_at(head)
        if read_status(storage, attestation.model_id, head.block_number + 1) is not (
            RegistryStatus.PENDING
        ):
            return None
        entry = read_entry(storage, attestation.model_id, head.block_number + 1)
        if entry is None or entry.nonce != attestation.nonce:
            return None
        try:
            record = ModelRecord.decode(attestation.record)
        except BadRecord as error:
            raise BadAttestation(attestation.signature, f"signs no record: {error}") from error
        digest = attestation_digest(
            self._chain.parameters.chain_id, attestation.model_id, attestation.nonce, record.hash
        )
        signer = recover_attester(digest, attestation.signature)
        validators = self._chain.validators_at(head.block_number + 1)
        return signer if signer in validators else None

    def _liars(self) -> int:
        """Return how many validators may sign nonsense, each another: one record more is kept."""
        return faulty_bound(len(self._chain.validators()))

    def signatures(self, model_id: bytes, nonce: int, record: bytes) -> tuple[bytes, ...]:
        """Return the signatures under one record, by signer."""
        known = self._signed.get((model_id, nonce), {})
        return tuple(
            known[signer].signature for signer in sorted(known) if known[signer].record == record
        )

    def most_signed(self, model_id: bytes, nonce: int) -> bytes | None:
        """Return the record that most validators signed, the first by its bytes of several."""
        counts: dict[bytes, int] = {}
        for entry in self._signed.get((model_id, nonce), {}).values():
            counts[entry.record] = counts.get(entry.record, 0) + 1
        return min(counts, key=lambda record: (-counts[record], record), default=None)

    def all(self) -> tuple[SignedRecord, ...]:
        """Return every signature that is kept, for a peer that has just come."""
        return tuple(
            attestation for known in self._signed.values() for attestation in known.values()
        )

    def settle(self) -> None:
        """Forget registrations that are not PENDING any more."""
        head = self._chain.head
        storage = self._chain.storage_at(head)
        for model_id, nonce in list(self._signed):
            status = read_status(storage, model_id, head.block_number + 1)
            if status is not RegistryStatus.PENDING:
                del self._signed[model_id, nonce]
