"""Deploys and calls one contract over JSON-RPC, as a dApp would."""

import time
from dataclasses import dataclass
from typing import Any

from eth_abi.abi import decode, encode
from eth_account import Account

from cvm.evm.keccak import keccak256
from cvm.evm.private_key import PrivateKey
from models_registry.cli.http_client import RpcClient

RECEIPT_TIMEOUT_S = 60.0
POLL_INTERVAL_S = 0.1


class CallFailed(Exception):
    """A transaction was mined and failed, or was not mined in time."""


@dataclass(frozen=True, slots=True)
class Wallet:
    """A key and the node that its transactions go to."""

    client: RpcClient
    key: PrivateKey

    @property
    def address(self) -> str:
        """Return the checksummed address."""
        return str(Account.from_key(self.key.to_bytes()).address)

    def send(self, data: bytes, to: str | None = None) -> dict[str, Any]:
        """Estimate, sign and send a transaction; return its receipt. Raises `CallFailed`."""
        call = {"from": self.address, "data": f"0x{data.hex()}"} | (
            {} if to is None else {"to": to}
        )
        gas = int(self.client.call("eth_estimateGas", call), 16)
        fields: dict[str, Any] = {
            "type": 2,
            "chainId": int(self.client.call("eth_chainId"), 16),
            "nonce": int(self.client.call("eth_getTransactionCount", self.address, "pending"), 16),
            "gas": gas,
            "maxFeePerGas": 2 * int(self.client.call("eth_gasPrice"), 16),
            "maxPriorityFeePerGas": 1,
            "value": 0,
            "data": data,
        } | ({} if to is None else {"to": bytes.fromhex(to[2:])})
        signed = Account.sign_transaction(fields, self.key.to_bytes())
        raw = f"0x{signed.raw_transaction.hex()}"
        return self.receipt(str(self.client.call("eth_sendRawTransaction", raw)))

    def receipt(self, tx_hash: str) -> dict[str, Any]:
        """Ask until a transaction is mined; raises `CallFailed`."""
        deadline = time.monotonic() + RECEIPT_TIMEOUT_S
        while time.monotonic() < deadline:
            receipt = self.client.call("eth_getTransactionReceipt", tx_hash)
            if isinstance(receipt, dict):
                if receipt["status"] != "0x1":
                    raise CallFailed(f"transaction {tx_hash} failed on chain")
                return receipt
            time.sleep(POLL_INTERVAL_S)
        raise CallFailed(f"transaction {tx_hash} was not mined in {RECEIPT_TIMEOUT_S:.0f} s")


def constructor_data(bytecode: bytes, model_id: bytes) -> bytes:
    """Return the deployment of a contract whose constructor takes a model id."""
    return bytecode + encode(["bytes32"], [model_id])


def classify_data(image: bytes) -> bytes:
    """Return the calldata of `classify(bytes)`."""
    return keccak256(b"classify(bytes)")[:4] + encode(["bytes"], [image])


def label_in(receipt: dict[str, Any]) -> int:
    """Return the label of the `Classified` event in a receipt."""
    topic = "0x" + keccak256(b"Classified(address,uint256)").hex()
    for entry in receipt["logs"]:
        if entry["topics"][0] == topic:
            return int(decode(["uint256"], bytes.fromhex(entry["data"][2:]))[0])
    raise CallFailed(f"no Classified event in transaction {receipt['transactionHash']}")
