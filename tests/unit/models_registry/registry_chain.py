"""A registry in genesis with four validators, and the steps that bring a model to ACTIVE."""

from collections.abc import Callable, Iterable, Sequence

import pytest

from cvm.evm.keccak import keccak256
from cvm.evm.message_rules import Additions
from cvm.evm.private_key import PrivateKey
from cvm.inference.cost import Cost
from models_registry.addresses import MODEL_REGISTRY
from models_registry.attestation import attestation_digest, sign_attestation
from models_registry.genesis import RegistryParameters, genesis_accounts
from models_registry.record import ModelRecord
from models_registry.registry import read_entry, read_model_ids, read_refund
from models_registry.registry_calls import (
    commitment,
    decode_error,
    decode_event,
    encode_activate,
    encode_commit,
    encode_register,
)
from opcodes.inference_host import InferenceLog
from opcodes.table import ai_additions
from tests.evm_world import FakeHost
from tests.unit.models_registry.contract_host import CHAIN_ID, Answer, ContractHost, Reverted

ACTIVATION_DELAY = 64
RETIREMENT_DELAY = 60
ROYALTY_DELAY = 10
DEADLINE = 1000
DEPOSIT_PER_BYTE = 10 * 10**9
FEE_PER_BYTE = 10**9
PARAMETERS = RegistryParameters(
    ACTIVATION_DELAY, DEADLINE, RETIREMENT_DELAY, ROYALTY_DELAY, DEPOSIT_PER_BYTE, FEE_PER_BYTE
)
SALT = bytes.fromhex("5a17" * 16)
OWNER = bytes.fromhex("0a" * 20)
STRANGER = bytes.fromhex("0b" * 20)
MODEL = bytes.fromhex("ab" * 32)
SIZE = 1000
DEPOSIT = 10_000 * 10**9
FEE = 1_000 * 10**9
WEALTH = 10**24
AI_ADDITIONS = ai_additions(FakeHost(), InferenceLog())
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
    return key.address


def signatures(
    *keys: PrivateKey,
    nonce: int = 1,
    record: bytes | None = None,
    chain_id: int = CHAIN_ID,
    model_id: bytes = MODEL,
) -> tuple[bytes, ...]:
    """Return attestations of a record by these keys, which should be in the order of turns."""
    digest = attestation_digest(chain_id, model_id, nonce, record_hash(record))
    return tuple(sign_attestation(key, digest) for key in keys)


def record_hash(record: bytes | None = None) -> bytes:
    return keccak256(RECORD.encode() if record is None else record)


def error_of(call: Callable[[], object]) -> str:
    """Return the custom error that a message reverts with."""
    with pytest.raises(Reverted) as caught:
        call()
    error = decode_error(caught.value.data)
    assert error is not None, caught.value.data.hex()
    return error


def events_of(answer: Answer) -> list[object]:
    """Return the events of a message, all of them the registry's."""
    assert {address for address, _, _ in answer.logs} == {MODEL_REGISTRY}
    return [decode_event(topics, data) for _, topics, data in answer.logs]


def held(chain: ContractHost, owners: Iterable[bytes]) -> int:
    """Return what the registry owes: the deposits of all models, and the refunds of owners."""
    entries = (
        read_entry(chain.storage, model_id, chain.height)
        for model_id in read_model_ids(chain.storage)
    )
    deposits = sum(entry.deposit for entry in entries if entry is not None)
    return deposits + sum(read_refund(chain.storage, owner) for owner in owners)


class RegistryChain(ContractHost):
    """The genesis state, and messages to the registry; OWNER and STRANGER are rich."""

    def __init__(
        self,
        validators: int | None = None,
        additions: Additions | None = None,
        parameters: RegistryParameters = PARAMETERS,
        validator_keys: Sequence[PrivateKey] = VALIDATOR_KEYS,
    ) -> None:
        super().__init__(AI_ADDITIONS if additions is None else additions)
        self.parameters = parameters
        keys = validator_keys[:validators]
        for address, account in genesis_accounts(
            [address_of(key) for key in keys], parameters
        ).items():
            self.place(address, account.code, dict(account.storage))
            self.fund(address, account.balance)
        for account_address in (OWNER, STRANGER):
            self.fund(account_address, WEALTH)

    def call(self, sender: bytes, data: bytes, value: int = 0) -> Answer:
        """Send a message to the registry."""
        return self.send(sender, MODEL_REGISTRY, data, value)

    def commit(self, model_id: bytes = MODEL, owner: bytes = OWNER, sender: bytes = OWNER) -> None:
        self.call(sender, encode_commit(commitment(model_id, owner, SALT)))

    def register(
        self,
        model_id: bytes = MODEL,
        owner: bytes = OWNER,
        size: int = SIZE,
        royalty_gas: int = 0,
        uri: str = URI,
        payment: int | None = None,
    ) -> Answer:
        """Register with what is due, unless another payment is given."""
        call = encode_register(model_id, size, royalty_gas, uri, SALT)
        due = size * (self.parameters.deposit_per_byte + self.parameters.fee_per_byte)
        return self.call(owner, call, due if payment is None else payment)

    def commit_and_register(
        self,
        model_id: bytes = MODEL,
        owner: bytes = OWNER,
        size: int = SIZE,
        royalty_gas: int = 0,
    ) -> Answer:
        """Register in the first block that allows it."""
        self.commit(model_id, owner)
        self.height += 2
        return self.register(model_id, owner, size, royalty_gas)

    def activate(
        self,
        attestations: tuple[bytes, ...],
        record: bytes | None = None,
        model_id: bytes = MODEL,
    ) -> Answer:
        encoded = RECORD.encode() if record is None else record
        return self.call(STRANGER, encode_activate(model_id, encoded, attestations))

    def make_active(self, royalty_gas: int = 0) -> None:
        """Bring MODEL from nothing to ACTIVE."""
        self.commit_and_register(royalty_gas=royalty_gas)
        self.activate(signatures(*VALIDATOR_KEYS))
        self.height += self.parameters.activation_delay
