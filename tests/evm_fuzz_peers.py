"""Execution cores that others wrote, asked for their answers to drawn blocks."""

import json
import os
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

from bench.anvil_peer import Anvil
from cvm.evm.forks import PRAGUE, Fork
from cvm.evm.keccak import keccak256
from cvm.evm.plain_interpreter import PlainInterpreter
from cvm.evm.state_reader import EMPTY_CODE_HASH
from cvm.evm.transaction_decoding import decode_transaction
from tests.evm_fuzz_blocks import Answer, Block, Log, NoAnswer, Ran, listed_hash, run_block

EELS_PYTHON = ".eels/bin/python"
EELS_SCRIPT = Path(__file__).with_name("eels_answers.py")
GAS_LIMIT = 1 << 38


class Peer(Protocol):
    """Runs blocks; raises `NoAnswer`."""

    def answer(self, block: Block) -> tuple[Block, Answer]:
        """Return the block as it was run, and the answer."""

    def block_hash(self, height: int) -> bytes:
        """Return what BLOCKHASH says of a height."""

    def close(self) -> None:
        """End what was started."""


class PlainPeer:
    """Our own interpreter in plain Python."""

    def answer(self, block: Block) -> tuple[Block, Answer]:
        return block, run_block(block, PlainInterpreter)

    def block_hash(self, height: int) -> bytes:
        return listed_hash(height)

    def close(self) -> None:
        return


class EelsPeer:
    """The executable specification, in a process of the environment that `EELS_PYTHON` names."""

    def __init__(self) -> None:
        python = os.environ.get("EELS_PYTHON", EELS_PYTHON)
        self._process = subprocess.Popen(
            [python, str(EELS_SCRIPT)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": ""},
        )

    def answer(self, block: Block) -> tuple[Block, Answer]:
        context = block.context
        question = {
            "fork": block.fork.name,
            "chainId": context.chain_id,
            "number": context.number,
            "timestamp": context.timestamp,
            "coinbase": context.coinbase.hex(),
            "gasLimit": context.gas_limit,
            "baseFee": context.base_fee,
            "prevRandao": context.prev_randao.hex(),
            "accounts": block.accounts,
            "transactions": [raw.hex() for raw in block.transactions],
        }
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(question).encode() + b"\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError("the specification's process ended")
        reply = json.loads(line)
        if not reply:
            raise NoAnswer
        return block, Answer(tuple(map(ran_from, reply["transactions"])), reply["root"])

    def block_hash(self, height: int) -> bytes:
        return listed_hash(height)

    def close(self) -> None:
        self._process.communicate(timeout=10)


def ran_from(entry: dict[str, Any] | None) -> Ran | None:
    """Return what the specification's process wrote of one transaction."""
    if entry is None:
        return None
    logs = tuple((address, tuple(topics), data) for address, topics, data in entry["logs"])
    return Ran(entry["success"], entry["gas"], logs, entry["output"])


class AnvilPeer:
    """anvil (revm), one process for all cases of a fork, each on its first state."""

    def __init__(self, fork: Fork = PRAGUE) -> None:
        self.fork = fork
        options: tuple[str, ...] = (
            "--no-mining",
            "--order",
            "fifo",
            "--accounts",
            "0",
            "--chain-id",
            "1",
        )
        if fork.max_tx_gas is not None:
            options = (*options, "--enable-tx-gas-limit")
        self._anvil = Anvil.start(fork.name.lower(), GAS_LIMIT, options)
        self._snapshot = self._anvil.ask("evm_snapshot")
        self._hashes: dict[int, bytes] = {}
        self._keep_hash(self._anvil.ask("eth_getBlockByNumber", "latest", False))

    def answer(self, block: Block) -> tuple[Block, Answer]:
        """Mine the block on the first state, of the transactions that the pool lets through.

        The pool of anvil looks at nonces before delegations count them up. Blocks are left out
        that delegate accounts which are not there: anvil pays a refund for those.
        """
        if not signers_of(block) <= set(block.accounts):
            raise NoAnswer
        self._anvil.ask("evm_revert", self._snapshot)
        self._snapshot = self._anvil.ask("evm_snapshot")
        self._prepare(block)
        self._anvil.ask_all(
            [("eth_sendRawTransaction", (f"0x{raw.hex()}",)) for raw in block.transactions]
        )
        self._anvil.ask("evm_mine")
        mined = self._anvil.ask("eth_getBlockByNumber", "latest", False)
        self._keep_hash(mined)
        self._anvil.ask("anvil_dropAllTransactions")
        raws = {f"0x{keccak256(raw).hex()}": raw for raw in block.transactions}
        ran = map(ran_of_receipt, self._anvil.ask("eth_getBlockReceipts", mined["number"]))
        context = replace(
            block.context,
            number=int(mined["number"], 16),
            timestamp=int(mined["timestamp"], 16),
            coinbase=bytes.fromhex(mined["miner"][2:]),
            gas_limit=int(mined["gasLimit"], 16),
            base_fee=int(mined["baseFeePerGas"], 16),
            prev_randao=bytes.fromhex(mined["mixHash"][2:]),
            parent_hash=bytes.fromhex(mined["parentHash"][2:]),
        )
        kept = tuple(raws[tx_hash] for tx_hash in mined["transactions"])
        return replace(block, context=context, transactions=kept), Answer(tuple(ran))

    def _prepare(self, block: Block) -> None:
        calls: list[tuple[str, tuple[Any, ...]]] = []
        for address, entry in block.accounts.items():
            calls += [
                ("anvil_setBalance", (f"0x{address}", entry["balance"])),
                ("anvil_setNonce", (f"0x{address}", entry["nonce"])),
                ("anvil_setCode", (f"0x{address}", f"0x{entry['code']}")),
            ]
            for slot, value in entry["storage"].items():
                words = (f"0x{int(slot, 16):064x}", f"0x{int(value, 16):064x}")
                calls.append(("anvil_setStorageAt", (f"0x{address}", *words)))
        calls.append(("anvil_setCoinbase", (f"0x{block.context.coinbase.hex()}",)))
        calls.append(("anvil_setNextBlockBaseFeePerGas", (hex(block.context.base_fee),)))
        for reply in self._anvil.ask_all(calls):
            if "error" in reply:
                raise RuntimeError(f"anvil: {reply['error']}")

    def state(self, wanted: Answer, ran: Answer) -> Answer:
        """Add to an answer the accounts and slots that another holds, as they stand here.

        anvil keeps slots of value 0 in its storage tries, so their roots say nothing.
        """
        slots = [(a, s) for a, known in (wanted.storage or {}).items() for s in known]
        addresses = list(wanted.accounts or {})
        calls: list[tuple[str, tuple[Any, ...]]] = []
        calls += [("eth_getProof", (f"0x{address}", [], "latest")) for address in addresses]
        calls += [("eth_getStorageAt", (f"0x{a}", f"0x{s:064x}", "latest")) for a, s in slots]
        replies = [reply["result"] for reply in self._anvil.ask_all(calls)]
        proofs = zip(addresses, replies, strict=False)
        accounts = {address: account_of_proof(proof) for address, proof in proofs}
        storage: dict[str, dict[int, int]] = {address: {} for address in addresses}
        for (address, slot), value in zip(slots, replies[len(addresses) :], strict=True):
            storage[address][slot] = int(value, 16)
        return replace(ran, accounts=accounts, storage=storage)

    def _keep_hash(self, mined: dict[str, Any]) -> None:
        self._hashes[int(mined["number"], 16)] = bytes.fromhex(mined["hash"][2:])

    def block_hash(self, height: int) -> bytes:
        return self._hashes[height]

    def close(self) -> None:
        self._anvil.close()


def signers_of(block: Block) -> set[str]:
    """Return who signed the delegations of a block."""
    items = [a for raw in block.transactions for a in decode_transaction(raw).authorization_list]
    return {signer.hex() for signer in (item.signer() for item in items) if signer is not None}


def account_of_proof(proof: dict[str, Any]) -> tuple[int, int, str]:
    """Return nonce, balance and code hash of an EIP-1186 proof."""
    code_hash = proof["codeHash"][2:]
    code_hash = code_hash if code_hash.strip("0") else EMPTY_CODE_HASH.hex()
    return int(proof["nonce"], 16), int(proof["balance"], 16), code_hash


def ran_of_receipt(receipt: dict[str, Any]) -> Ran:
    """Return what a receipt of anvil says, which holds no output."""
    logs: list[Log] = [
        (log["address"][2:], tuple(topic[2:] for topic in log["topics"]), log["data"][2:])
        for log in receipt["logs"]
    ]
    return Ran(receipt["status"] == "0x1", int(receipt["gasUsed"], 16), tuple(logs), None)
