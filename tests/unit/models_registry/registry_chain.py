"""A registry in genesis with four validators, and the steps that bring a model to ACTIVE."""

from eth_keys.datatypes import PrivateKey

from cvm.evm.keccak import keccak256
from cvm.inference.cost import Cost
from models_registry.addresses import MODEL_REGISTRY
from models_registry.attestation import attestation_digest, order_signatures, sign_attestation
from models_registry.genesis import genesis_accounts
from models_registry.record import ModelRecord
from models_registry.registry_calls import (
    commitment,
    encode_activate,
    encode_commit,
    encode_register,
)
from tests.unit.models_registry.contract_host import CHAIN_ID, Answer, ContractHost

ACTIVATION_DELAY = 64
DEADLINE = 1000
SALT = bytes.fromhex("5a17" * 16)
OWNER = bytes.fromhex("0a" * 20)
STRANGER = bytes.fromhex("0b" * 20)
MODEL = bytes.fromhex("ab" * 32)
SIZE = 1000
URI = "https://example.org/digits.onnx"

RECORD = ModelRecord(
    engine=1,
    size_bytes=SIZE,
    batchable=True,
    input_bytes=784,
    output_bytes=18,
    cost=Cost(1_000_000, 2_000_000, 30_000, 400, 5_000_000, 12, 90_000, 123_456),
    test_hash=bytes.fromhex("cd" * 32),
)


def marked_test_key(number: int) -> PrivateKey:
    """Return a private key that nobody can take for a real one: `7e57...` and a number."""
    return PrivateKey(bytes.fromhex("7e57" * 15) + number.to_bytes(2, "big"))


VALIDATOR_KEYS = tuple(marked_test_key(number) for number in range(1, 5))
FOREIGN_KEY = marked_test_key(999)


def address_of(key: PrivateKey) -> bytes:
    return bytes(key.public_key.to_canonical_address())


def signatures(
    *keys: PrivateKey, nonce: int = 1, record: bytes | None = None, chain_id: int = CHAIN_ID
) -> tuple[bytes, ...]:
    """Return attestations of a record by these keys, as `activate` wants them."""
    digest = attestation_digest(chain_id, MODEL, nonce, record_hash(record))
    return order_signatures(digest, (sign_attestation(key, digest) for key in keys))


def record_hash(record: bytes | None = None) -> bytes:
    return keccak256(RECORD.encode() if record is None else record)


class RegistryChain(ContractHost):
    """The genesis state, and messages to the registry."""

    def __init__(self, validators: int = 4) -> None:
        super().__init__()
        keys = VALIDATOR_KEYS[:validators]
        accounts = genesis_accounts([address_of(key) for key in keys], ACTIVATION_DELAY, DEADLINE)
        for address, account in accounts.items():
            self.place(address, account.code, dict(account.storage))

    def commit(self, model_id: bytes = MODEL, owner: bytes = OWNER, sender: bytes = OWNER) -> None:
        self.send(sender, MODEL_REGISTRY, encode_commit(commitment(model_id, owner, SALT)))

    def register(
        self,
        model_id: bytes = MODEL,
        owner: bytes = OWNER,
        size: int = SIZE,
        royalty_gas: int = 0,
        uri: str = URI,
    ) -> Answer:
        call = encode_register(model_id, size, royalty_gas, uri, SALT)
        return self.send(owner, MODEL_REGISTRY, call)

    def commit_and_register(
        self, model_id: bytes = MODEL, owner: bytes = OWNER, size: int = SIZE
    ) -> Answer:
        """Register in the first block that allows it."""
        self.commit(model_id, owner)
        self.height += 2
        return self.register(model_id, owner, size)

    def activate(self, attestations: tuple[bytes, ...], record: bytes | None = None) -> Answer:
        encoded = RECORD.encode() if record is None else record
        return self.send(STRANGER, MODEL_REGISTRY, encode_activate(MODEL, encoded, attestations))
