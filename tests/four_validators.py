"""A chain with four validators on disk, of whom three make a block final; all are TEST keys."""

import json
from collections.abc import Iterable
from typing import Any

from consensus.block_execution import CheckedBlock, LeftOut, Proposal
from consensus.certificate import CommitCertificate, certify, seal
from consensus.new_genesis import new_genesis
from consensus.parameters import ChainParameters
from cvm.evm.private_key import PrivateKey
from cvm.evm.transaction import Transaction
from models_registry.addresses import MODEL_REGISTRY
from models_registry.attestation import attestation_digest, order_signatures
from models_registry.genesis import RegistryParameters
from models_registry.registry_calls import encode_activate
from node.attester import Attester
from node.sample_models import sample_model_path
from node.validator_key import LocalKey
from tests.chain_world import (
    CHAIN_ID,
    GENESIS_TIME,
    USER,
    VALIDATOR,
    WEI,
    ChainWorld,
    address_of,
)

KEYS = [VALIDATOR, *(PrivateKey(bytes([0x61 + index]) * 32) for index in range(3))]  # TEST keys
SEALERS = 3


def genesis_json() -> bytes:
    """Return the genesis file of a chain with four validators."""
    document: dict[str, Any] = new_genesis(
        ChainParameters(chain_id=CHAIN_ID, period_s=1),
        [address_of(key) for key in KEYS],
        {address_of(USER): WEI},
        GENESIS_TIME,
        RegistryParameters().with_delays(1),
    )
    return json.dumps(document).encode()


class FourWorld(ChainWorld):
    """A `ChainWorld` whose blocks carry three seals."""

    def certificate_of(self, number: int, block_hash: bytes) -> CommitCertificate:
        """Return the certificate that the first three validators give a block."""
        seals = [
            (index, seal(self.chain.domain, KEYS[index], number, 0, block_hash))
            for index in range(SEALERS)
        ]
        return certify(number, 0, block_hash, seals)

    def make_final(
        self, proposal: Proposal, candidates: Iterable[Transaction]
    ) -> tuple[CheckedBlock, LeftOut]:
        """Build the next block, seal it three times, and append it."""
        checked, left_out = self.chain.build(proposal, candidates)
        block = checked.block
        self.chain.append(checked, self.certificate_of(block.number, block.hash))
        return checked, left_out

    def register_model(self, name: str = "digits_int8.onnx", royalty_gas: int = 0) -> bytes:
        """Bring a bundled model to ACTIVE, attested by three validators."""
        data = sample_model_path(name).read_bytes()
        model_id = self.store.add_file(data)
        self.make_pending(model_id, len(data), royalty_gas)
        judged = self.attester.judged(model_id)
        assert judged is not None
        assert judged.record is not None
        digest = attestation_digest(CHAIN_ID, model_id, judged.nonce, judged.record.hash)
        signatures = []
        for key in KEYS[:SEALERS]:
            attester = Attester(self.chain, LocalKey(key))
            attester.judge_pending()
            verdict = attester.judged(model_id)
            assert verdict is not None
            assert verdict.signature is not None
            signatures.append(verdict.signature)
        ordered = order_signatures(digest, signatures, [address_of(key) for key in KEYS])
        self.send(MODEL_REGISTRY, encode_activate(model_id, judged.record.encode(), ordered))
        return model_id
