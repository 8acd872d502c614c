"""Answers blocks by Ethereum's executable specification (EELS): a process of another environment.

Reads one JSON object a line, writes one. It imports `ethereum-execution`, which cannot live beside
this project's own dependencies:

    python3 -m venv .eels && .eels/bin/pip install ethereum-execution 'coincurve<21'
"""

import importlib
import json
import sys
import threading
from typing import Any

from ethereum.crypto.hash import Hash32, keccak256
from ethereum.exceptions import InvalidBlock, InvalidTransaction
from ethereum_rlp import rlp
from ethereum_rlp.exceptions import RLPException
from ethereum_types.bytes import Bytes, Bytes32
from ethereum_types.numeric import U64, U256, Uint

STACK_BYTES = 1 << 29


def number(text: str) -> int:
    return int(text, 16)


class Specification:
    """The modules of one fork."""

    def __init__(self, fork: str) -> None:
        name = f"ethereum.forks.{fork.lower()}"
        self.fork: Any = importlib.import_module(f"{name}.fork")
        self.state: Any = importlib.import_module(f"{name}.state")
        self.types: Any = importlib.import_module(f"{name}.fork_types")
        self.vm: Any = importlib.import_module(f"{name}.vm")
        self.transactions: Any = importlib.import_module(f"{name}.transactions")
        self.blocks: Any = importlib.import_module(f"{name}.blocks")
        self.trie: Any = importlib.import_module(f"{name}.trie")
        self._process = self.fork.process_message_call
        vars(self.fork)["process_message_call"] = self._watched
        self.output: Any = None

    def _watched(self, message: Any) -> Any:
        self.output = self._process(message)
        return self.output

    def answer(self, block: dict[str, Any]) -> dict[str, Any]:
        """Run a block; refused transactions leave no trace."""
        environment = self._environment(block)
        output = self.vm.BlockOutput()
        ran = [
            self._transaction(environment, output, bytes.fromhex(text), place)
            for place, text in enumerate(block["transactions"])
        ]
        return {"transactions": ran, "root": self.state.state_root(environment.state).hex()}

    def _environment(self, block: dict[str, Any]) -> Any:
        height = block["number"]
        hashes = [Hash32(keccak256(str(n).encode())) for n in range(max(0, height - 256), height)]
        return self.vm.BlockEnvironment(
            chain_id=U64(block["chainId"]),
            state=self._state(block["accounts"]),
            block_gas_limit=Uint(block["gasLimit"]),
            block_hashes=hashes,
            coinbase=self.types.Address(bytes.fromhex(block["coinbase"])),
            number=Uint(height),
            base_fee_per_gas=Uint(block["baseFee"]),
            time=U256(block["timestamp"]),
            prev_randao=Bytes32(bytes.fromhex(block["prevRandao"])),
            excess_blob_gas=U64(0),
            parent_beacon_block_root=Hash32(bytes(32)),
        )

    def _state(self, accounts: dict[str, Any]) -> Any:
        state = self.state.State()
        for text, entry in accounts.items():
            address = self.types.Address(bytes.fromhex(text))
            account = self.types.Account(
                nonce=Uint(number(entry["nonce"])),
                balance=U256(number(entry["balance"])),
                code=Bytes(bytes.fromhex(entry["code"])),
            )
            self.state.set_account(state, address, account)
            for slot, value in entry["storage"].items():
                key = Bytes32(number(slot).to_bytes(32, "big"))
                self.state.set_storage(state, address, key, U256(number(value)))
        return state

    def _transaction(
        self, environment: Any, output: Any, raw: bytes, place: int
    ) -> dict[str, Any] | None:
        before = output.block_gas_used
        try:
            if raw[0] >= 0xC0:
                tx = rlp.decode_to(self.transactions.LegacyTransaction, raw)
            else:
                tx = self.transactions.decode_transaction(Bytes(raw))
            self.fork.process_transaction(environment, output, tx, Uint(place))
        except (InvalidTransaction, InvalidBlock, RLPException):
            return None
        receipt = self.blocks.decode_receipt(
            self.trie.trie_get(output.receipts_trie, rlp.encode(Uint(place)))
        )
        return {
            "success": bool(receipt.succeeded),
            "gas": int(output.block_gas_used - before),
            "logs": [
                [log.address.hex(), [topic.hex() for topic in log.topics], log.data.hex()]
                for log in receipt.logs
            ],
            "output": bytes(self.output.return_data).hex(),
        }


def serve() -> None:
    """Answer lines until there are no more."""
    known: dict[str, Specification] = {}
    for line in sys.stdin:
        block = json.loads(line)
        fork = block["fork"]
        if fork not in known:
            known[fork] = Specification(fork)
        try:
            answer = known[fork].answer(block)
        except OverflowError:  # the specification of MODEXP adds sizes before it asks for gas
            answer = {}
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    sys.setrecursionlimit(1 << 20)
    threading.stack_size(STACK_BYTES)
    thread = threading.Thread(target=serve)
    thread.start()
    thread.join()
