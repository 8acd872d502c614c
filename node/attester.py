"""The validator's part in registering models: fetch, check, build the record, sign it."""

from dataclasses import dataclass

import structlog

from cvm.faults import LocalFault, ModelDataMissing
from cvm.inference.faults import InvalidModel
from models_registry.record import ModelRecord
from models_registry.registry import (
    RegistryEntry,
    RegistryStatus,
    read_entry,
    read_model_ids,
    read_pending_bytes,
    read_status,
)
from node.attestation_pool import SignedRecord
from node.chain import Chain
from node.validator_key import ValidatorKey
from opcodes.model_record import ModelRefused, build_record, validate_royalty, validate_size

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Attestation:
    """What this validator found of one registration: a signed record, or why it refuses.

    `nonce` is the registration's; a new registration of the same model is judged anew.
    """

    nonce: int
    record: ModelRecord | None
    signature: bytes | None
    refusal: str | None


class Attester:
    """Judges every PENDING model whose bytes are here; without a key it only builds records."""

    def __init__(self, chain: Chain, key: ValidatorKey | None) -> None:
        self._chain = chain
        self._key = key
        self._judged: dict[bytes, Attestation] = {}

    def judged(self, model_id: bytes) -> Attestation | None:
        """Return what is known of a model's registration."""
        return self._judged.get(model_id)

    def signed(self) -> tuple[SignedRecord, ...]:
        """Return what this validator signed, for the others to know."""
        return tuple(
            SignedRecord(model_id, judged.nonce, judged.record.encode(), judged.signature)
            for model_id, judged in sorted(self._judged.items())
            if judged.record is not None and judged.signature is not None
        )

    def judge_pending(self) -> None:
        """Judge what is PENDING at the head and not judged yet."""
        head = self._chain.head
        storage = self._chain.storage_at(head)
        if not read_pending_bytes(storage):
            return
        for model_id in read_model_ids(storage):
            if read_status(storage, model_id, head.block_number) is not RegistryStatus.PENDING:
                continue
            entry = read_entry(storage, model_id, head.block_number)
            if entry is None or entry.record:
                continue
            known = self._judged.get(model_id)
            if known is None or known.nonce != entry.nonce:
                self._judge(entry)

    def _judge(self, entry: RegistryEntry) -> None:
        try:
            record = self._record(entry)
        except ModelDataMissing:
            return
        except (InvalidModel, ModelRefused) as error:
            self._refuse(entry, str(error))
            return
        except LocalFault as fault:
            self._refuse(entry, f"this node cannot judge it: {fault}")
            return
        signature = None
        if self._key is not None:
            signature = self._key.sign_attestation(
                self._chain.domain, entry.model_id, entry.nonce, record.hash
            )
        self._judged[entry.model_id] = Attestation(entry.nonce, record, signature, None)
        log.info("model attested", model_id=entry.model_id.hex(), record=record.hash.hex())

    def _refuse(self, entry: RegistryEntry, reason: str) -> None:
        """Sign nothing; anybody can register a file, so none of them may stop the node."""
        self._judged[entry.model_id] = Attestation(entry.nonce, None, None, reason)
        log.warning("model refused", model_id=entry.model_id.hex(), reason=reason)

    def _record(self, entry: RegistryEntry) -> ModelRecord:
        host = self._chain.host
        model = host.model(entry.model_id)
        validate_size(model.size_bytes, entry.size_bytes)

        def run(data: bytes) -> bytes:
            return host.run(entry.model_id, data)

        record = build_record(entry.model_id, model, run)
        validate_royalty(record, entry.royalty_gas)
        return record
