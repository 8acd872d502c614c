"""Who of the validators has signed the record that a node built of a model."""

from dataclasses import dataclass

from models_registry.attestation import (
    BadAttestation,
    attestation_digest,
    order_signatures,
)
from models_registry.cli.chain_client import ChainClient
from models_registry.cli.node_client import NodeStatus
from models_registry.cli.sending import ChainSaysNo
from models_registry.record import BadRecord, ModelRecord


class ModelRefusedByValidators(ChainSaysNo):
    """A validator checked the file and will not attest it."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"the validator refuses the model: {reason}")
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Attested:
    """A record, the validators' signatures of it as `activate` wants them, and how many there are.

    `record` is None where the node has built none yet.
    """

    record: bytes | None
    signatures: tuple[bytes, ...]
    validators: int

    @property
    def needed(self) -> int:
        """Return how many signatures `activate` takes: more than 2/3 of the validators."""
        return 2 * self.validators // 3 + 1

    @property
    def is_enough(self) -> bool:
        """Tell whether `activate` would accept the record."""
        return self.record is not None and len(self.signatures) >= self.needed


def read_attested(chain: ChainClient, model_id: bytes, nonce: int, status: NodeStatus) -> Attested:
    """Return what of a node's attestations counts; raises `ChainSaysNo` for what is none."""
    validators = chain.validators()
    if status.record is None:
        return Attested(None, (), len(validators))
    try:
        record_hash = ModelRecord.decode(status.record).hash
    except BadRecord as error:
        raise ChainSaysNo(f"the node gave a record that is none: {error}") from error
    digest = attestation_digest(chain.chain_id(), model_id, nonce, record_hash)
    try:
        signatures = order_signatures(digest, status.attestations, validators)
    except BadAttestation as error:
        raise ChainSaysNo(f"the node gave an attestation that is none: {error}") from error
    return Attested(status.record, signatures, len(validators))
