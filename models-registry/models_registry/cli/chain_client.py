"""What `cvm model` asks of a chain: the registry's state, and transactions that are mined."""

from dataclasses import dataclass
from typing import Any

from eth_abi.abi import decode
from eth_account import Account
from eth_account.signers.local import LocalAccount

from cvm.evm.private_key import PrivateKey
from models_registry.addresses import MODEL_REGISTRY, VALIDATOR_SET
from models_registry.cli.http_client import (
    ClientFault,
    RpcClient,
    RpcRefused,
    hex_text,
    octets,
    quantity,
)
from models_registry.registry import RegistryStatus
from models_registry.registry_calls import (
    COMMITTED_AT,
    DEADLINE,
    DEPOSIT_PER_BYTE,
    FEE_PER_BYTE,
    REFUNDS,
    RETIREMENT_DELAY,
    decode_error,
)
from models_registry.selectors import selector

GET_MODEL = "getModel(bytes32)"
MODEL_TYPE = (
    "(bytes32,address,uint64,uint64,string,uint64,uint8,uint64,uint64,"
    "uint64,uint64,uint64,uint256,bytes32,bytes)"
)
VALIDATORS = "validators()"
ROYALTY_INFO = "royaltyInfo(uint256,uint256)"
BASIS_POINTS = 10_000
"""Of the whole price."""

TIMED_BLOCKS = 20


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
class RegistrationPrice:
    """What a registration is paid, in wei: the deposit comes back in the end, the fee is burned."""

    deposit: int
    fee: int

    @property
    def total(self) -> int:
        """Return the value that the transaction must bring, exactly."""
        return self.deposit + self.fee


@dataclass(frozen=True, slots=True)
class RegisteredModel:
    """A model as the registry's `getModel` gives it; heights are 0 until they are known.

    `status` is that of the newest block, `royalty_gas` what an item pays there, and
    `next_royalty_gas` what it pays from `royalty_height` on.
    """

    owner: bytes
    size_bytes: int
    royalty_gas: int
    uri: str
    nonce: int
    status: RegistryStatus
    registered_at: int
    activation_height: int
    retirement_height: int
    next_royalty_gas: int
    royalty_height: int
    deposit: int


class ChainClient:
    """The registry and the accounts of one chain, through the JSON-RPC of any node."""

    def __init__(self, rpc: RpcClient) -> None:
        self._rpc = rpc

    def chain_id(self) -> int:
        """Return the EIP-155 chain id."""
        return self._quantity("eth_chainId")

    def height(self) -> int:
        """Return the number of the newest block."""
        return self._quantity("eth_blockNumber")

    def block_time_s(self) -> float:
        """Return the seconds between blocks, as the last ones came."""
        height = self.height()
        span = min(height, TIMED_BLOCKS)
        if span == 0:
            return 0.0
        return (self.timestamp(height) - self.timestamp(height - span)) / span

    def timestamp(self, height: int) -> int:
        """Return the time of a block, in seconds since 1970."""
        return self._rpc.ask(
            lambda block: quantity(block["timestamp"]), "eth_getBlockByNumber", hex(height), False
        )

    def balance(self, address: bytes) -> int:
        """Return an account's wei."""
        return self._quantity("eth_getBalance", hex_text(address), "latest")

    def model(self, model_id: bytes) -> RegisteredModel:
        """Return a model as the registry has it; its status is NONE where it never was there."""
        view = self._view(MODEL_REGISTRY, selector(GET_MODEL) + model_id, MODEL_TYPE)
        _id, owner, size, royalty, uri, nonce, status, *heights, deposit, _hash, _record = view
        registered_at, activation, retirement, next_royalty, royalty_height = heights
        return RegisteredModel(
            owner=octets(owner),
            size_bytes=size,
            royalty_gas=royalty,
            uri=uri,
            nonce=nonce,
            status=RegistryStatus(status),
            registered_at=registered_at,
            activation_height=activation,
            retirement_height=retirement,
            next_royalty_gas=next_royalty,
            royalty_height=royalty_height,
            deposit=deposit,
        )

    def committed_at(self, commitment_hash: bytes) -> int:
        """Return the height of a commitment that was not opened, or 0."""
        return self._registry_number(COMMITTED_AT, commitment_hash)

    def retirement_delay(self) -> int:
        """Return the blocks from `retire` to the height at which a model is RETIRED."""
        return self._registry_number(RETIREMENT_DELAY)

    def deadline(self) -> int:
        """Return the blocks that a PENDING model has to be activated in."""
        return self._registry_number(DEADLINE)

    def resale_royalty(self, model_id: bytes) -> tuple[bytes, int]:
        """Return who gets a share of a resale (ERC-2981), and how many basis points."""
        data = selector(ROYALTY_INFO) + model_id + BASIS_POINTS.to_bytes(32, "big")
        receiver, amount = self._view(MODEL_REGISTRY, data, "(address,uint256)")
        return octets(receiver), int(amount)

    def refund(self, address: bytes) -> int:
        """Return the wei that an account may withdraw."""
        return self._registry_number(REFUNDS, address.rjust(32, b"\0"))

    def registration_price(self, size_bytes: int) -> RegistrationPrice:
        """Return what `register` must be paid for a model of a size."""
        return RegistrationPrice(
            deposit=size_bytes * self._registry_number(DEPOSIT_PER_BYTE),
            fee=size_bytes * self._registry_number(FEE_PER_BYTE),
        )

    def validators(self) -> tuple[bytes, ...]:
        """Return the validators' addresses."""
        view = self._view(VALIDATOR_SET, selector(VALIDATORS), "address[]")
        return tuple(octets(address) for address in view)

    def pending_transactions(self, address: bytes) -> int:
        """Return how many transactions of an account wait in the node's pool."""
        latest = self._quantity("eth_getTransactionCount", hex_text(address), "latest")
        return self._quantity("eth_getTransactionCount", hex_text(address), "pending") - latest

    def gas_price(self) -> int:
        """Return the wei that a gas costs now."""
        return self._quantity("eth_gasPrice")

    def estimate(
        self,
        sender: bytes,
        name: str,
        data: bytes,
        value: int = 0,
        to: bytes = MODEL_REGISTRY,
    ) -> int:
        """Return the gas that a call of a system contract needs.

        Raises `TransactionRefused` where it would fail, with the contract's own reason.
        """
        call = {
            "from": hex_text(sender),
            "to": hex_text(to),
            "data": hex_text(data),
            "value": hex(value),
        }
        try:
            return self._quantity("eth_estimateGas", call)
        except RpcRefused as refused:
            raise TransactionRefused(name, decode_error(refused.data) or str(refused)) from refused

    def send(
        self,
        key: PrivateKey,
        name: str,
        data: bytes,
        value: int = 0,
        to: bytes = MODEL_REGISTRY,
    ) -> str:
        """Sign and send a call of a contract with `value` wei; return the transaction's hash.

        Raises `TransactionRefused` where it would fail, with the contract's own reason.
        """
        account: LocalAccount = Account.from_key(key.to_bytes())
        gas = self.estimate(octets(account.address), name, data, value, to)
        tip = self._quantity("eth_maxPriorityFeePerGas")
        # eth_account types a transaction by its values, which are of several kinds.
        transaction: dict[str, Any] = {
            "type": 2,
            "chainId": self.chain_id(),
            "nonce": self._quantity("eth_getTransactionCount", account.address, "pending"),
            "to": to,
            "value": value,
            "data": data,
            "gas": gas + gas // 4,
            "maxFeePerGas": 2 * self.gas_price() + tip,
            "maxPriorityFeePerGas": tip,
        }
        signed = account.sign_transaction(transaction)
        return str(self._rpc.call("eth_sendRawTransaction", hex_text(signed.raw_transaction)))

    def is_mined(self, name: str, tx_hash: str) -> bool:
        """Return whether a transaction was included; raises `TransactionFailed` if in vain."""

        def status_of(receipt: Any) -> int | None:
            return None if receipt is None else quantity(receipt["status"])

        status = self._rpc.ask(status_of, "eth_getTransactionReceipt", tx_hash)
        if status == 0:
            raise TransactionFailed(name, tx_hash)
        return status is not None

    def answer(self, to: bytes, data: bytes) -> bytes:
        """Return what a view of a contract answers at the newest block."""
        call = {"to": hex_text(to), "data": hex_text(data)}
        return self._rpc.ask(octets, "eth_call", call, "latest")

    def _quantity(self, method: str, *parameters: Any) -> int:
        return self._rpc.ask(quantity, method, *parameters)

    def _registry_number(self, signature: str, argument: bytes = b"") -> int:
        return int(self._view(MODEL_REGISTRY, selector(signature) + argument, "uint256"))

    def _view(self, to: bytes, data: bytes, returned: str) -> Any:
        call = {"to": hex_text(to), "data": hex_text(data)}
        return self._rpc.ask(
            lambda answer: decode([returned], octets(answer))[0], "eth_call", call, "latest"
        )
