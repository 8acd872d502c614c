"""A real `cvm dev` process under load is killed at random times; it is back soon, and whole."""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from threading import Timer
from typing import Any
from urllib.error import URLError

from eth_account import Account

from tests.integration.node_process import (
    DEV_ACCOUNT,
    DEV_KEY,
    NodeProcess,
    dev_node,
)

BACK_WITHIN_S = 5.0
LONGEST_LIFE_S = 1.5
RECIPIENT = "0x0000000000000000000000000000000000104254"


@dataclass
class Told:
    """What the node said of transactions before it was killed: block, and balance after it."""

    receipts: dict[str, str] = field(default_factory=dict)
    highest: int = 0
    included: int = 0


class NodeLost(Exception):
    """A node that came back lacks what it had said."""


def kill_nodes(folder: Path, kills: int, seed: int, say: Callable[[str], None]) -> dict[str, Any]:
    """Start, load, kill and start again; return what was lost, and how long it took to answer."""
    random, told = Random(seed), Told()
    faults: list[str] = []
    back_s: list[float] = []
    for kill in range(kills + 1):
        started = time.monotonic()
        with dev_node(folder) as node:
            node.result("eth_blockNumber")
            back_s.append(time.monotonic() - started)
            try:
                check_node(node, told)
            except NodeLost as lost:
                faults.append(f"after kill {kill}: {lost}")
            if kill < kills:
                load_until_killed(node, told, random.random() * LONGEST_LIFE_S)
        if (kill + 1) % 10 == 0:
            say(f"nodes: {kill + 1} kills, {len(told.receipts)} receipts, {len(faults)} faults")
    # The first start makes the chain.
    again = sorted(back_s[1:])
    return {
        "kills": kills,
        "seed": seed,
        "faults": faults[:20],
        "receipts": len(told.receipts),
        "blocks": told.highest,
        "back_within_s": {
            "fastest": round(again[0], 2),
            "median": round(statistics.median(again), 2),
            "slowest": round(again[-1], 2),
            "bar": BACK_WITHIN_S,
            "within_the_bar": sum(each < BACK_WITHIN_S for each in again),
        },
        "passed": not faults,
    }


def load_until_killed(node: NodeProcess, told: Told, life_s: float) -> None:
    """Send transfers as fast as they are taken until SIGKILL comes from another thread."""
    killer = Timer(life_s, node.process.kill)
    killer.start()
    try:
        nonce = int(node.result("eth_getTransactionCount", DEV_ACCOUNT, "pending"), 16)
        while True:
            tx_hash = node.result("eth_sendRawTransaction", transfer(nonce))
            nonce += 1
            receipt = None
            while receipt is None:
                receipt = node.result("eth_getTransactionReceipt", tx_hash)
            told.receipts[tx_hash] = receipt["blockHash"]
            told.highest = max(told.highest, int(receipt["blockNumber"], 16))
    except (URLError, OSError, ValueError):
        node.process.wait()
    finally:
        killer.join()


def transfer(nonce: int) -> str:
    """Return a signed transfer of one wei."""
    fields: dict[str, Any] = {
        "type": 2,
        "chainId": 31_337,
        "nonce": nonce,
        "to": RECIPIENT,
        "value": 1,
        "gas": 21_000,
        "maxFeePerGas": 10**11,
        "maxPriorityFeePerGas": 1,
    }
    return f"0x{Account.sign_transaction(fields, DEV_KEY).raw_transaction.hex()}"


def check_node(node: NodeProcess, told: Told) -> None:
    """Compare a node that came back with what it had said; raises `NodeLost`."""
    head = int(node.result("eth_blockNumber"), 16)
    if head < told.highest:
        raise NodeLost(f"the head is {head}, it was {told.highest}")
    for tx_hash, block_hash in list(told.receipts.items())[-40:]:
        receipt = node.result("eth_getTransactionReceipt", tx_hash)
        if receipt is None or receipt["blockHash"] != block_hash or receipt["status"] != "0x1":
            raise NodeLost(f"the receipt of {tx_hash} in block {block_hash}")
    balance = int(node.result("eth_getBalance", RECIPIENT, "latest"), 16)
    sent = int(node.result("eth_getTransactionCount", DEV_ACCOUNT, "latest"), 16)
    if balance != sent or sent < len(told.receipts):
        raise NodeLost(f"{balance} wei arrived, {sent} were sent, {len(told.receipts)} told")
