"""What `cvm model` asks of a chain: the registry's state, and transactions that are mined."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from eth_abi.abi import decode
from eth_abi.exceptions import DecodingError
from eth_account import Account
from eth_account.signers.local import LocalAccount
from eth_keys.datatypes import PrivateKey

from models_registry.addresses import MODEL_REGISTRY, VALIDATOR_SET
from models_registry.cli.http_client import BadAnswer, ClientFault, RpcClient, RpcRefused
from models_registry.registry_calls import (
    DEPOSIT_PER_BYTE,
    FEE_PER_BYTE,
    decode_error,
    encode_committed_at,
    selector,
)

GET_MODEL = "getModel(bytes32)"
MODEL_TYPE = (
    "(bytes32,address,uint64,uint64,string,uint64,uint8,uint64,uint64,"
    "uint64,uint64,uint64,uint256,bytes32,bytes)"
)
NONCE_FIELD = 5
VALIDATORS = "validators()"

T = TypeVar("T")


class TransactionRefused(ClientFault):
    """A transaction would fail, and was not sent."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"{name} was not sent, it would fail: {reason}")
        self.reason = reason


class TransactionFailed(ClientFault):
    """A transaction was mined and failed."""

    def __init__(self, name: str, tx_hash: str) -> None:
        super().__init__(f"{name} transaction {tx_hash} failed on chain; run the command again")
        self.tx_hash = tx_hash


@dataclass(frozen=True, slots=True)
class NodeStatus:
    """What `cvm_modelStatus` says; `activation_height` is 0 until a record was accepted."""

    status: str
    has_bytes: bool
    missing_chunks: tuple[int, ...]
    record: bytes | None
    refusal: str | None
    attestations: tuple[bytes, ...]
    activation_height: int


@dataclass(frozen=True, slots=True)
class RegistrationPrice:
    """What a registration is paid, in wei: the deposit comes back in the end, the fee is burned."""

    deposit: int
    fee: int

    @property
    def total(self) -> int:
        """Return the value that the transaction must bring, exactly."""
        return self.deposit + self.fee


class ChainClient:
    """The registry's part of one node's JSON-RPC."""

    def __init__(self, rpc: RpcClient) -> None:
        self._rpc = rpc

    def chain_id(self) -> int:
        """Return the EIP-155 chain id."""
        return self._quantity("eth_chainId")

    def height(self) -> int:
        """Return the number of the newest block."""
        return self._quantity("eth_blockNumber")

    def models(self) -> list[dict[str, Any]]:
        """Return every registered model."""
        models = self._rpc.call("cvm_listModels")
        if not isinstance(models, list) or not all(isinstance(model, dict) for model in models):
            raise BadAnswer(self._rpc.url, "cvm_listModels is not a list of models")
        return models

    def model(self, model_id: bytes) -> dict[str, Any] | None:
        """Return a registered model, or None."""
        model = self._rpc.call("cvm_getModel", _hex(model_id))
        if model is not None and not isinstance(model, dict):
            raise BadAnswer(self._rpc.url, "cvm_getModel is neither a model nor null")
        return model

    def model_status(self, model_id: bytes, size_bytes: int) -> NodeStatus:
        """Return where a model stands on chain and at the node."""
        method = "cvm_modelStatus"
        answer = self._rpc.call(method, _hex(model_id), hex(size_bytes))
        return self._parsed(
            method,
            lambda: NodeStatus(
                status=str(answer["status"]),
                has_bytes=bool(answer["hasBytes"]),
                missing_chunks=tuple(int(index, 16) for index in answer["missingChunks"]),
                record=None if answer["record"] is None else _octets(answer["record"]),
                refusal=None if answer["refusal"] is None else str(answer["refusal"]),
                attestations=tuple(_octets(text) for text in answer["attestations"]),
                activation_height=int(answer["activationHeight"] or "0x0", 16),
            ),
        )

    def put_chunk(
        self, model_id: bytes, size_bytes: int, index: int, chunk: bytes, proof: Sequence[bytes]
    ) -> None:
        """Give the node one chunk with its Merkle proof."""
        hashes = [_hex(sibling) for sibling in proof]
        self._rpc.call(
            "cvm_putChunk", _hex(model_id), hex(size_bytes), hex(index), _hex(chunk), hashes
        )

    def committed_at(self, commitment_hash: bytes) -> int:
        """Return the height of a commitment that was not opened, or 0."""
        data = encode_committed_at(commitment_hash)
        return int(self._view(MODEL_REGISTRY, data, "uint256"))

    def registration_price(self, size_bytes: int) -> RegistrationPrice:
        """Return what `register` must be paid for a model of a size."""
        return RegistrationPrice(
            deposit=size_bytes
            * int(self._view(MODEL_REGISTRY, selector(DEPOSIT_PER_BYTE), "uint256")),
            fee=size_bytes * int(self._view(MODEL_REGISTRY, selector(FEE_PER_BYTE), "uint256")),
        )

    def balance(self, address: bytes) -> int:
        """Return an account's wei."""
        return self._quantity("eth_getBalance", _hex(address), "latest")

    def registration_nonce(self, model_id: bytes) -> int:
        """Return the number of a model's registration, which attestations name."""
        view = self._view(MODEL_REGISTRY, selector(GET_MODEL) + model_id, MODEL_TYPE)
        return int(view[NONCE_FIELD])

    def validators(self) -> tuple[bytes, ...]:
        """Return the validators' addresses."""
        view = self._view(VALIDATOR_SET, selector(VALIDATORS), "address[]")
        return tuple(bytes.fromhex(address[2:]) for address in view)

    def pending_transactions(self, address: bytes) -> int:
        """Return how many transactions of an account wait in the node's pool."""
        latest = self._quantity("eth_getTransactionCount", _hex(address), "latest")
        return self._quantity("eth_getTransactionCount", _hex(address), "pending") - latest

    def send(self, key: PrivateKey, name: str, data: bytes, value: int = 0) -> str:
        """Sign and send a call of the registry with `value` wei; return the transaction's hash.

        Raises `TransactionRefused` where it would fail, with the contract's own reason.
        """
        account: LocalAccount = Account.from_key(key.to_bytes())
        call = {
            "from": account.address,
            "to": _hex(MODEL_REGISTRY),
            "data": _hex(data),
            "value": hex(value),
        }
        try:
            gas = self._quantity("eth_estimateGas", call)
        except RpcRefused as refused:
            raise TransactionRefused(name, decode_error(refused.data) or str(refused)) from refused
        tip = self._quantity("eth_maxPriorityFeePerGas")
        # eth_account types a transaction by its values, which are of several kinds.
        transaction: dict[str, Any] = {
            "type": 2,
            "chainId": self.chain_id(),
            "nonce": self._quantity("eth_getTransactionCount", account.address, "pending"),
            "to": MODEL_REGISTRY,
            "value": value,
            "data": data,
            "gas": gas + gas // 4,
            "maxFeePerGas": 2 * self._quantity("eth_gasPrice") + tip,
            "maxPriorityFeePerGas": tip,
        }
        signed = account.sign_transaction(transaction)
        return str(self._rpc.call("eth_sendRawTransaction", _hex(signed.raw_transaction)))

    def is_mined(self, name: str, tx_hash: str) -> bool:
        """Return whether a transaction was included; raises `TransactionFailed` if in vain."""
        method = "eth_getTransactionReceipt"
        receipt = self._rpc.call(method, tx_hash)
        if receipt is None:
            return False
        if self._parsed(method, lambda: int(receipt["status"], 16)) != 1:
            raise TransactionFailed(name, tx_hash)
        return True

    def _quantity(self, method: str, *parameters: Any) -> int:
        answer = self._rpc.call(method, *parameters)
        return self._parsed(method, lambda: int(answer, 16))

    def _view(self, to: bytes, data: bytes, returned: str) -> Any:
        answer = self._rpc.call("eth_call", {"to": _hex(to), "data": _hex(data)}, "latest")
        return self._parsed("eth_call", lambda: decode([returned], _octets(answer))[0])

    def _parsed(self, method: str, parse: Callable[[], T]) -> T:
        """Return what `parse` makes of an answer; anything that does not fit is a bad answer."""
        try:
            return parse()
        except (ValueError, TypeError, KeyError, DecodingError) as error:
            detail = f"{method} has another form than expected: {error!r:.200}"
            raise BadAnswer(self._rpc.url, detail) from error


def _hex(data: bytes) -> str:
    return "0x" + data.hex()


def _octets(text: str) -> bytes:
    return bytes.fromhex(text.removeprefix("0x"))
