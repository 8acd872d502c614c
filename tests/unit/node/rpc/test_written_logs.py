"""Blocks of many logs are written down in slices, and come out as what they are."""

import asyncio
import json
from collections.abc import Sequence
from itertools import accumulate
from typing import Any

import pytest

from cvm.evm.log import Log
from cvm.evm.receipt import decode_receipts, encode_receipts
from node.rpc import turns
from node.rpc.encoding import receipt_object
from tests.unit.node.rpc.fake_chain import (
    CONTRACT,
    TOPIC,
    FakeChain,
    legacy_tx,
    receipt,
    small_chain,
)
from tests.unit.node.rpc.rpc_caller import call, local_caller

GWEI = 10**9
LOGS = 300


def chain_of_many_logs() -> FakeChain:
    """Return a chain whose head has two transactions with many logs, between others."""
    chain = small_chain()
    transactions = [legacy_tx(nonce, 2 * GWEI) for nonce in range(10, 14)]
    log = Log(CONTRACT, (TOPIC,), b"\1")
    counts = (0, LOGS, 1, LOGS)
    made = [
        receipt(tx, 21_000 * (place + 1), [log] * count)
        for place, (tx, count) in enumerate(zip(transactions, counts, strict=True))
    ]
    chain.add_block(transactions, made)
    return chain


def asked(chain: FakeChain, method: str, *params: object) -> Any:  # any JSON
    async def check() -> object:
        return (await call(local_caller(chain), method, *params))["result"]

    return asyncio.run(check())


def whole(chain: FakeChain) -> Sequence[dict[str, Any]]:
    block = chain.blocks[-1]
    receipts = chain.receipts(block.header.hash)
    firsts = accumulate((len(each.logs) for each in receipts), initial=0)
    objects = [
        receipt_object(block, receipts, *place)
        for place in zip(range(len(receipts)), firsts, strict=False)
    ]
    return list(json.loads(json.dumps(objects)))


def test_receipts_in_slices_are_those_in_one_go() -> None:
    chain = chain_of_many_logs()
    block = chain.blocks[-1]
    expected = whole(chain)
    assert asked(chain, "eth_getBlockReceipts", "latest") == expected
    for tx, one in zip(block.transactions, expected, strict=True):
        assert asked(chain, "eth_getTransactionReceipt", "0x" + tx.hash.hex()) == one


def test_logs_are_those_of_the_receipts() -> None:
    chain = chain_of_many_logs()
    expected = [log for one in whole(chain) for log in one["logs"]]
    block_hash = "0x" + chain.blocks[-1].header.hash.hex()
    assert [log["logIndex"] for log in expected] == [hex(n) for n in range(2 * LOGS + 1)]
    assert asked(chain, "eth_getLogs", {"blockHash": block_hash}) == expected
    other = {"blockHash": block_hash, "address": "0x" + "11" * 20}
    assert asked(chain, "eth_getLogs", other) == []


def test_stored_receipts_give_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    chain = chain_of_many_logs()
    expected = whole(chain)
    written = encode_receipts(chain.receipts(chain.blocks[-1].header.hash))
    monkeypatch.setattr(chain, "receipts", lambda _hash: decode_receipts(written))
    assert asked(chain, "eth_getBlockReceipts", "latest") == expected


@pytest.mark.parametrize(
    ("method", "least"),
    [
        pytest.param("eth_getBlockReceipts", 2 * LOGS, id="receipts"),
        pytest.param("eth_getTransactionReceipt", LOGS, id="one-receipt"),
        pytest.param("eth_getLogs", 2 * LOGS, id="logs-by-hash"),
    ],
)
def test_others_have_their_turns_between_the_logs(
    monkeypatch: pytest.MonkeyPatch, method: str, least: int
) -> None:
    monkeypatch.setattr(turns, "SLICE_S", 0.0)
    chain = chain_of_many_logs()
    head = chain.blocks[-1]
    params: dict[str, object] = {
        "eth_getBlockReceipts": "latest",
        "eth_getTransactionReceipt": "0x" + head.transactions[1].hash.hex(),
        "eth_getLogs": {"blockHash": "0x" + head.header.hash.hex()},
    }

    async def check() -> int:
        work = asyncio.create_task(call(local_caller(chain), method, params[method]))
        rounds = 0
        while not work.done():
            await asyncio.sleep(0)
            rounds += 1
        return rounds

    assert asyncio.run(check()) >= least
