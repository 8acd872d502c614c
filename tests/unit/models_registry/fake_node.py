"""A node on loopback for the CLI: the real registry contract, and JSON-RPC in front of it."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any

from cvm.evm.forks import OSAKA
from cvm.evm.private_key import PrivateKey
from cvm.evm.transaction_decoding import decode_transaction
from cvm.evm.transaction_rules import ChainRules, validate_stateless
from models_registry.attestation import attestation_digest, sign_attestation
from models_registry.chunks import BadChunk, chunk_count, chunk_proofs, validate_chunk
from models_registry.record import ModelRecord
from models_registry.registry import RegistryEntry, read_entry, read_model_ids
from tests.unit.models_registry.contract_host import CHAIN_ID, Reverted
from tests.unit.models_registry.registry_chain import RECORD, VALIDATOR_KEYS, RegistryChain


class Refusal(Exception):
    """A JSON-RPC error to answer with."""

    def __init__(self, code: int, message: str, data: bytes = b"") -> None:
        super().__init__(message)
        self.code = code
        self.data = data


class FakeNode:
    """One node; every question about the height, and every transaction, brings a block.

    `signers` attest what is PENDING and here; `refusal` is what they say instead.
    `breaks_after` drops the connection at that many calls of a method.
    """

    def __init__(self, validators: int = 1, rich: bytes | None = None) -> None:
        self.chain = RegistryChain(validators)
        if rich is not None:
            self.chain.fund(rich, 10**18)
        self.chunks: dict[bytes, dict[int, bytes]] = {}
        self.signers: tuple[PrivateKey, ...] = VALIDATOR_KEYS[:validators]
        self.refusal: str | None = None
        self.calls: list[str] = []
        self.breaks_after: dict[str, int] = {}
        self.canned: dict[str, Any] = {}
        self._receipts: dict[str, int] = {}
        self._nonces: dict[bytes, int] = {}

    def method(self, name: str) -> Callable[..., Any]:
        methods: dict[str, Callable[..., Any]] = {
            "eth_chainId": lambda: hex(CHAIN_ID),
            "eth_blockNumber": self._next_block,
            "eth_getBlockByNumber": lambda number, _full: {
                "timestamp": hex(1_700_000_000 + 2 * int(number, 16))
            },
            "eth_getTransactionCount": self._transaction_count,
            "eth_getBalance": lambda address, _tag: hex(self.chain.balance(octets(address))),
            "eth_estimateGas": self._estimate,
            "eth_maxPriorityFeePerGas": lambda: hex(10**9),
            "eth_gasPrice": lambda: hex(10**9),
            "eth_sendRawTransaction": self._send,
            "eth_getTransactionReceipt": self._receipt,
            "eth_call": self._call,
            "cvm_missingChunks": self._missing_chunks,
            "cvm_putChunk": self._put_chunk,
            "cvm_getChunk": self._get_chunk,
            "cvm_modelStatus": self._model_status,
            "cvm_getModel": self._model,
            "cvm_listModels": self._models,
        }
        return methods[name]

    def _next_block(self) -> str:
        self.chain.height += 1
        return hex(self.chain.height)

    def _transaction_count(self, address: str, _tag: str) -> str:
        return hex(self._nonces.get(octets(address), 0))

    def _estimate(self, call: dict[str, str]) -> str:
        try:
            self.chain.dry_run(
                octets(call["from"]),
                octets(call["to"]),
                octets(call["data"]),
                self.chain.height + 1,
                int(call["value"], 16),
            )
        except Reverted as reverted:
            raise Refusal(3, "execution reverted", reverted.data) from reverted
        return hex(1_000_000)

    def _send(self, raw: str) -> str:
        transaction = decode_transaction(octets(raw))
        validate_stateless(transaction, ChainRules(CHAIN_ID, OSAKA))
        assert transaction.chain_id == CHAIN_ID
        assert transaction.nonce == self._nonces.get(transaction.sender, 0)
        self._nonces[transaction.sender] = transaction.nonce + 1
        self.chain.height += 1
        tx_hash = "0x" + transaction.hash.hex()
        try:
            self.chain.send(transaction.sender, transaction.to, transaction.data, transaction.value)
        except Reverted:
            self._receipts[tx_hash] = 0
        else:
            self._receipts[tx_hash] = 1
        return tx_hash

    def _receipt(self, tx_hash: str) -> dict[str, str] | None:
        return {"status": hex(self._receipts[tx_hash])} if tx_hash in self._receipts else None

    def _call(self, call: dict[str, str], _tag: str) -> str:
        answer = self.chain.dry_run(
            bytes(20), octets(call["to"]), octets(call["data"]), self.chain.height
        )
        return "0x" + answer.output.hex()

    def _put_chunk(self, model: str, size: str, index: str, chunk: str, proof: list[str]) -> bool:
        hashes = [octets(sibling) for sibling in proof]
        try:
            validate_chunk(octets(model), int(size, 16), int(index, 16), octets(chunk), hashes)
        except BadChunk as error:
            raise Refusal(-32602, str(error)) from error
        self.chunks.setdefault(octets(model), {})[int(index, 16)] = octets(chunk)
        return True

    def _missing_chunks(self, model: str, size: str) -> list[str]:
        here = self.chunks.get(octets(model), {})
        return [hex(index) for index in range(chunk_count(int(size, 16))) if index not in here]

    def _get_chunk(self, model: str, index: str) -> dict[str, Any]:
        held = self.chunks.get(octets(model), {})
        if int(index, 16) not in held:
            raise Refusal(-32010, f"model data not available: {model}")
        data = b"".join(held[i] for i in sorted(held))
        proof = chunk_proofs(data)[int(index, 16)]
        return {
            "size": hex(len(data)),
            "index": index,
            "chunk": "0x" + held[int(index, 16)].hex(),
            "proof": ["0x" + sibling.hex() for sibling in proof],
        }

    def _model_status(self, model: str, size: str | None) -> dict[str, Any]:
        self.chain.height += 1
        identity = octets(model)
        entry = self._entry(identity)
        here = self.chunks.get(identity, {})
        size_bytes = entry.size_bytes if entry else int(size or "0x1", 16)
        missing = [index for index in range(chunk_count(size_bytes)) if index not in here]
        is_judged = entry is not None and entry.status.name == "PENDING" and not missing
        record = RECORD.encode() if is_judged and self.refusal is None else None
        return {
            "status": "none" if entry is None else entry.status.name.lower(),
            "hasBytes": not missing,
            "missingChunks": [hex(index) for index in missing],
            "record": None if record is None else "0x" + record.hex(),
            "recordHash": None if record is None else "0x" + RECORD.hash.hex(),
            "refusal": self.refusal if is_judged else None,
            "attestations": self._attestations(entry) if entry and record else [],
            "activationHeight": _activation_height(entry),
        }

    def _attestations(self, entry: RegistryEntry) -> list[str]:
        digest = attestation_digest(CHAIN_ID, entry.model_id, entry.nonce, RECORD.hash)
        return ["0x" + sign_attestation(key, digest).hex() for key in self.signers]

    def _model(self, model: str) -> dict[str, Any] | None:
        entry = self._entry(octets(model))
        return None if entry is None else _model_object(entry)

    def _models(self) -> list[dict[str, Any]]:
        entries = [self._entry(model_id) for model_id in read_model_ids(self.chain.storage)]
        return [_model_object(entry) for entry in entries if entry is not None]

    def _entry(self, model_id: bytes) -> RegistryEntry | None:
        return read_entry(self.chain.storage, model_id, self.chain.height)


def octets(text: str) -> bytes:
    return bytes.fromhex(text[2:])


def _activation_height(entry: RegistryEntry | None) -> str | None:
    return hex(entry.activation_height) if entry and entry.activation_height else None


def _model_object(entry: RegistryEntry) -> dict[str, Any]:
    record: ModelRecord | None = entry.record
    return {
        "modelId": "0x" + entry.model_id.hex(),
        "owner": "0x" + entry.owner.hex(),
        "size": hex(entry.size_bytes),
        "status": entry.status.name.lower(),
        "batchable": None if record is None else record.batchable,
        "uri": entry.uri,
        "activationHeight": _activation_height(entry),
        "cost": None if record is None else {"float32Macs": hex(record.cost.float32_macs)},
    }


@contextmanager
def serving(node: FakeNode) -> Iterator[str]:
    """Serve a node on loopback and yield its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            answer = _answer(node, json.loads(body))
            if answer is None:
                self.close_connection = True
                return
            self.send_response(200)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_arguments: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _answer(node: FakeNode, request: dict[str, Any]) -> bytes | None:
    name = request["method"]
    if node.calls.count(name) >= node.breaks_after.get(name, 2**63):
        return None
    node.calls.append(name)
    reply: dict[str, Any] = {"jsonrpc": "2.0", "id": request["id"]}
    try:
        if name in node.canned:
            reply["result"] = node.canned[name]
        else:
            reply["result"] = node.method(name)(*request["params"])
    except Refusal as refusal:
        data = "0x" + refusal.data.hex()
        reply["error"] = {"code": refusal.code, "message": str(refusal), "data": data}
    return json.dumps(reply).encode()
