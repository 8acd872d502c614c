"""A one-validator chain on disk for tests: real registry, real model, real transactions.

Every key here is a TEST key.
"""

import asyncio
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from eth_account import Account

from consensus.block import Block, decode_block
from consensus.block_execution import CheckedBlock, LeftOut, Proposal
from consensus.certificate import CommitCertificate, certify, seal
from consensus.new_genesis import new_genesis
from consensus.parameters import ChainParameters
from cvm.evm.creation_address import creation_address
from cvm.evm.private_key import PrivateKey
from cvm.evm.transaction import Transaction
from cvm.evm.transaction_decoding import decode_transaction
from cvm.inference.backends.backend import Backend
from cvm.inference.backends.table import backend_named
from models_registry.addresses import MODEL_REGISTRY
from models_registry.artifact import load_artifact
from models_registry.attestation import attestation_digest, order_signatures
from models_registry.genesis import RegistryParameters
from models_registry.registry import read_registration_price
from models_registry.registry_calls import (
    commitment,
    encode_activate,
    encode_commit,
    encode_register,
)
from node.attestation_pool import AttestationPool
from node.attester import Attester
from node.chain import Chain, init_chain
from node.demo_contract import classify_data, constructor_data
from node.execution.thread_executor import ThreadExecutor
from node.inference_host import NodeInferenceHost
from node.live_chain import LiveChain
from node.local_transactions import LocalTransactions
from node.lone_network import LoneNetwork
from node.model_duties import ModelDuties
from node.sample_models import sample_model_path
from node.storage.chain_database import ChainDatabase
from node.storage.model_store import ModelStore
from node.transaction_pool import TransactionPool
from node.validator_key import LocalKey

CHAIN_ID = 1_907
VALIDATOR = PrivateKey(b"\x51" * 32)  # TEST key
USER = PrivateKey(b"\x52" * 32)  # TEST key
STRANGER = PrivateKey(b"\x53" * 32)  # TEST key
GENESIS_TIME = 1_800_000_000
WEI = 10**24
SALT = b"\x5a" * 32
FEE_CAP = 10**10


def address_of(key: PrivateKey) -> bytes:
    return key.address


def genesis_document() -> dict[str, Any]:
    return new_genesis(
        ChainParameters(chain_id=CHAIN_ID, period_s=1),
        [address_of(VALIDATOR)],
        {address_of(USER): WEI},
        GENESIS_TIME,
        RegistryParameters().with_delays(1),
    )


def signed(
    key: PrivateKey,
    nonce: int,
    *,
    to: bytes | None = None,
    data: bytes = b"",
    value: int = 0,
    gas: int = 2_000_000,
    chain_id: int = CHAIN_ID,
    fee_cap: int = FEE_CAP,
    tip: int = 1,
) -> bytes:
    """Return a signed EIP-1559 transaction as it travels."""
    fields: dict[str, Any] = {
        "type": 2,
        "chainId": chain_id,
        "nonce": nonce,
        "gas": gas,
        "maxFeePerGas": fee_cap,
        "maxPriorityFeePerGas": tip,
        "value": value,
        "data": data,
    } | ({} if to is None else {"to": to})
    return bytes(Account.sign_transaction(fields, key.to_bytes()).raw_transaction)


class ChainWorld:
    """A chain in a folder, its store and its attester; `close` it in the end."""

    def __init__(self, folder: Path, genesis_json: bytes, backend: Backend | None = None) -> None:
        self.database = ChainDatabase(folder / "chain")
        init_chain(self.database, genesis_json)
        self.store = ModelStore(folder / "models")
        self.host = NodeInferenceHost(self.store, backend or backend_named("reference"))
        self.chain = Chain(self.database, self.host)
        self.attester = Attester(self.chain, LocalKey(VALIDATOR))
        self.nonce = 0

    def close(self) -> None:
        self.database.close()

    def propose(self, raw: Sequence[bytes] = ()) -> tuple[CheckedBlock, LeftOut]:
        """Make the next block final, as the only validator."""
        made = self.make_final(Proposal(address_of(VALIDATOR), 0), map(decode_transaction, raw))
        self.attester.judge_pending()
        return made

    def make_final(
        self, proposal: Proposal, candidates: Iterable[Transaction]
    ) -> tuple[CheckedBlock, LeftOut]:
        """Build the next block, seal it, and append it."""
        checked, left_out = self.chain.build(proposal, candidates)
        block = checked.block
        sealed = seal(self.chain.domain, VALIDATOR, block.number, 0, block.hash)
        self.chain.append(checked, certify(block.number, 0, block.hash, [(0, sealed)]))
        return checked, left_out

    def send(
        self, to: bytes | None, data: bytes, gas: int = 2_000_000, value: int = 0
    ) -> CheckedBlock:
        """Include one transaction of USER, which must succeed."""
        raw = signed(USER, self.nonce, to=to, data=data, gas=gas, value=value)
        checked, left_out = self.propose([raw])
        assert left_out == ()
        assert checked.executed.receipts[0].status == 1, "the transaction failed"
        self.nonce += 1
        return checked

    def make_pending(
        self, model_id: bytes, size_bytes: int, royalty_gas: int = 0, salt: bytes = SALT
    ) -> None:
        """Commit to a model, wait, and register it with what it costs."""
        self.send(MODEL_REGISTRY, encode_commit(commitment(model_id, address_of(USER), salt)))
        self.propose()
        call = encode_register(model_id, size_bytes, royalty_gas, "", salt)
        price = read_registration_price(self.chain.storage_at(self.chain.head), size_bytes)
        self.send(MODEL_REGISTRY, call, value=sum(price))

    def register_model(self, name: str = "digits_int8.onnx", royalty_gas: int = 0) -> bytes:
        """Bring a bundled model to ACTIVE by commit, register and activate."""
        data = sample_model_path(name).read_bytes()
        model_id = self.store.add_file(data)
        self.make_pending(model_id, len(data), royalty_gas)
        judged = self.attester.judged(model_id)
        assert judged is not None
        assert judged.record is not None
        assert judged.signature is not None
        digest = attestation_digest(CHAIN_ID, model_id, judged.nonce, judged.record.hash)
        signatures = order_signatures(digest, [judged.signature], [address_of(VALIDATOR)])
        self.send(MODEL_REGISTRY, encode_activate(model_id, judged.record.encode(), signatures))
        return model_id

    def deploy_classifier(self, model_id: bytes) -> bytes:
        """Deploy DigitClassifier and return its address."""
        bytecode = load_artifact("DigitClassifier").bytecode
        sender, nonce = address_of(USER), self.nonce
        self.send(None, constructor_data(bytecode, model_id))
        return creation_address(sender, nonce)

    def classify(self, contract: bytes, image: bytes) -> CheckedBlock:
        """Send a digit to the contract."""
        return self.send(contract, classify_data(image))


def final_block(world: ChainWorld, number: int) -> tuple[Block, CommitCertificate]:
    """Return a block with its certificate, as a peer would send them."""
    block_hash = world.database.hash_at(number)
    assert block_hash is not None
    data = world.database.block_bytes(block_hash)
    certificate = world.database.certificate(block_hash)
    assert data is not None
    assert certificate is not None
    return decode_block(data), certificate


def live_chain(world: ChainWorld, pool: TransactionPool) -> LiveChain:
    """Return what JSON-RPC sees of a chain without peers; `close` it in the end."""
    network = LoneNetwork(world.chain, world.store)
    models = ModelDuties(world.attester, AttestationPool(world.chain), network.spread_attestation)
    executor = ThreadExecutor(world.chain.execution)
    local = LocalTransactions(pool)
    return LiveChain(world.chain, local, world.store, models, network, asyncio.Event(), executor)
