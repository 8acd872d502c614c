"""Registers the models that come with the package on a new development chain, in a few blocks.

It sends the same transactions as `cvm model register`, from a TEST account of its own, so that the
accounts which callers use are as they would be without.
"""

from collections.abc import Sequence

import structlog

from consensus.block_execution import Proposal
from cvm.evm.private_key import PrivateKey
from cvm.evm.transaction import Transaction
from cvm.evm.transaction_signing import UnsignedTransaction
from cvm.faults import LocalFault
from models_registry.addresses import MODEL_REGISTRY
from models_registry.attestation import attestation_digest, order_signatures
from models_registry.chunks import model_id
from models_registry.registry import RegistryStatus, read_entry, read_registration_price
from models_registry.registry_calls import (
    commitment,
    encode_activate,
    encode_commit,
    encode_register,
)
from node.attester import Attester
from node.dev.dev_chain import DevChain, NextBlock
from node.sample_models import sample_model_path
from node.storage.model_store import ModelStore
from node.validator_key import LocalKey

log = structlog.get_logger(__name__)

SAMPLE_MODELS = ("digits_int8.onnx", "digits_float32.onnx")
SALT = b"cvm dev".ljust(32, b"\0")
GAS = 2_000_000
FEE_CAP = 10**11
ETHER = 10**18
OWNER_WEI = 1_000 * ETHER


class SampleNotRegistered(LocalFault):
    """A model that comes with the package could not be registered."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"the sample model {name} was not registered: {reason}")


class SampleLoading:
    """One chain on its way to having the samples; nobody else may write meanwhile."""

    def __init__(
        self, chain: DevChain, store: ModelStore, validator: PrivateKey, owner: PrivateKey
    ) -> None:
        self._chain = chain
        self._store = store
        self._validator = validator
        self._owner = owner
        self._attester = Attester(chain, LocalKey(validator))

    def run(self) -> None:
        """Bring every sample that is not there to ACTIVE; raises `SampleNotRegistered`."""
        samples = {}
        for name in SAMPLE_MODELS:
            data = sample_model_path(name).read_bytes()
            if self._status(model_id(data)) is not RegistryStatus.ACTIVE:
                samples[name] = data
                self._store.add_file(data)
        if not samples:
            return
        log.info("registering the sample models", takes="a minute where kernels are compiled first")
        hidden = [
            commitment(model_id(data), self._owner.address, SALT) for data in samples.values()
        ]
        self._mine([(encode_commit(each), 0) for each in hidden])
        self._mine([])
        self._mine([self._registering(data) for data in samples.values()])
        self._attester.judge_pending()
        self._mine([self._activating(name, data) for name, data in samples.items()])
        self._mine([])
        for name, data in samples.items():
            if self._status(model_id(data)) is not RegistryStatus.ACTIVE:
                raise SampleNotRegistered(name, "it did not become ACTIVE")

    def _status(self, identity: bytes) -> RegistryStatus | None:
        chain = self._chain
        height = chain.head.block_number + 1
        entry = read_entry(chain.storage_at(chain.head), identity, height)
        return None if entry is None else entry.status

    def _registering(self, data: bytes) -> tuple[bytes, int]:
        chain = self._chain
        price = read_registration_price(chain.storage_at(chain.head), len(data))
        return encode_register(model_id(data), len(data), 0, "", SALT), sum(price)

    def _activating(self, name: str, data: bytes) -> tuple[bytes, int]:
        identity = model_id(data)
        judged = self._attester.judged(identity)
        if judged is None or judged.record is None or judged.signature is None:
            refusal = "no record" if judged is None else judged.refusal
            raise SampleNotRegistered(name, str(refusal))
        chain_id = self._chain.parameters.chain_id
        digest = attestation_digest(chain_id, identity, judged.nonce, judged.record.hash)
        signatures = order_signatures(digest, [judged.signature], [self._validator.address])
        return encode_activate(identity, judged.record.encode(), signatures), 0

    def _mine(self, calls: Sequence[tuple[bytes, int]]) -> None:
        """Make a block of calls of the registry, each with its wei."""
        chain = self._chain
        with chain.state_at(chain.head) as state:
            account = state.account(self._owner.address)
        first = 0 if account is None else account.nonce
        sent = [self._call(first + n, *call) for n, call in enumerate(calls)]
        proposal = Proposal(self._validator.address, chain.head.timestamp)
        checked, left_out = chain.build_next(proposal, NextBlock(), sent)
        if left_out:
            raise SampleNotRegistered("", str(left_out[0][1]))
        chain.make_final(checked, self._validator)

    def _call(self, nonce: int, data: bytes, wei: int) -> Transaction:
        return UnsignedTransaction(
            chain_id=self._chain.parameters.chain_id,
            nonce=nonce,
            max_fee_per_gas=FEE_CAP,
            gas=GAS,
            to=MODEL_REGISTRY,
            value=wei,
            data=data,
        ).sign(self._owner.to_bytes())
