"""Filters that a client polls: what each brings, when it ends, and how many there may be."""

import asyncio
import json
from dataclasses import dataclass, field
from typing import cast

import pytest

from cvm.evm.log import Log
from node.rpc.caller import Caller, RpcNode, rpc_node
from node.rpc.dispatcher import Limits, answer
from node.rpc.events import ChainEvents
from node.rpc.filter_table import MAX_FILTERS, MAX_RECENT_TRANSACTIONS
from tests.unit.node.rpc.fake_chain import (
    BOB,
    CONTRACT,
    GWEI,
    OTHER_TOPIC,
    TOPIC,
    FakeChain,
    dynamic_fee_tx,
    legacy_tx,
    receipt,
    small_chain,
)
from tests.unit.node.rpc.rpc_caller import request

NOT_FOUND = {"code": -32000, "message": "filter not found"}


@dataclass
class Polled:
    """A node whose clock and chain a test moves."""

    chain: FakeChain = field(default_factory=small_chain)
    now_s: float = 0.0
    events: ChainEvents = field(default_factory=ChainEvents)
    node: RpcNode = field(init=False)

    def __post_init__(self) -> None:
        self.node = rpc_node(self.chain, lambda: self.now_s, self.events)

    def ask(self, method: str, *params: object) -> dict[str, object]:
        body = json.dumps(request(method, *params)).encode()
        text = asyncio.run(answer(Caller(self.node), body, Limits()))
        assert text is not None
        return cast(dict[str, object], json.loads(text))

    def result(self, method: str, *params: object) -> object:
        response = self.ask(method, *params)
        assert "result" in response, response
        return response["result"]


def test_a_block_filter_brings_each_new_block_once() -> None:
    polled = Polled()
    filter_id = polled.result("eth_newBlockFilter")
    assert polled.result("eth_getFilterChanges", filter_id) == []
    added = [polled.chain.add_block(), polled.chain.add_block()]
    expected = ["0x" + block.header.hash.hex() for block in added]
    assert polled.result("eth_getFilterChanges", filter_id) == expected
    assert polled.result("eth_getFilterChanges", filter_id) == []


def test_a_log_filter_brings_new_logs_that_match_and_all_of_its_range_when_asked() -> None:
    polled = Polled()
    wanted = {"fromBlock": "0x0", "address": "0x" + CONTRACT.hex(), "topics": ["0x" + TOPIC.hex()]}
    filter_id = polled.result("eth_newFilter", wanted)
    tx = legacy_tx(6, 2 * GWEI)
    logs = [Log(CONTRACT, (TOPIC,), b"\x07"), Log(CONTRACT, (OTHER_TOPIC,), b""), Log(BOB, (), b"")]
    polled.chain.add_block([tx], [receipt(tx, 21_000, logs)])
    changes = cast(list[dict[str, object]], polled.result("eth_getFilterChanges", filter_id))
    assert [(log["blockNumber"], log["data"]) for log in changes] == [("0x4", "0x07")]
    assert polled.result("eth_getFilterChanges", filter_id) == []
    everything = cast(list[dict[str, object]], polled.result("eth_getFilterLogs", filter_id))
    assert [log["blockNumber"] for log in everything] == ["0x1", "0x1", "0x4"]


def test_a_log_filter_ends_where_its_range_does() -> None:
    polled = Polled()
    filter_id = polled.result("eth_newFilter", {"fromBlock": "0x5", "toBlock": "0x5"})
    for nonce in (6, 7, 8):
        tx = legacy_tx(nonce, 2 * GWEI)
        polled.chain.add_block([tx], [receipt(tx, 21_000, [Log(BOB, (), bytes([nonce]))])])
    changes = cast(list[dict[str, object]], polled.result("eth_getFilterChanges", filter_id))
    assert [log["data"] for log in changes] == ["0x07"]


def test_a_transaction_filter_brings_what_came_since() -> None:
    polled = Polled()
    first, second = legacy_tx(6, 2 * GWEI), dynamic_fee_tx(7, GWEI)
    polled.events.new_pending(first)
    hashes = polled.result("eth_newPendingTransactionFilter")
    full = polled.result("eth_newPendingTransactionFilter", True)
    polled.chain.pool.append(second)
    polled.events.new_pending(second)
    assert polled.result("eth_getFilterChanges", hashes) == ["0x" + second.hash.hex()]
    found = cast(list[dict[str, object]], polled.result("eth_getFilterChanges", full))
    assert [tx["hash"] for tx in found] == ["0x" + second.hash.hex()]
    assert polled.result("eth_getFilterChanges", hashes) == []


def test_a_transaction_filter_keeps_the_newest() -> None:
    polled = Polled()
    filter_id = polled.result("eth_newPendingTransactionFilter")
    first, second = legacy_tx(6, 2 * GWEI), legacy_tx(7, 2 * GWEI)
    polled.events.new_pending(first)
    for _ in range(MAX_RECENT_TRANSACTIONS):
        polled.events.new_pending(second)
    found = cast(list[str], polled.result("eth_getFilterChanges", filter_id))
    assert len(found) == MAX_RECENT_TRANSACTIONS
    assert set(found) == {"0x" + second.hash.hex()}


def test_a_block_filter_follows_a_chain_that_went_back() -> None:
    polled = Polled()
    filter_id = polled.result("eth_newBlockFilter")
    dropped = polled.chain.add_block()
    assert len(cast(list[str], polled.result("eth_getFilterChanges", filter_id))) == 1
    polled.chain.blocks.pop()
    tx = legacy_tx(6, 2 * GWEI)
    added = [polled.chain.add_block([tx], [receipt(tx, 21_000)]), polled.chain.add_block()]
    assert added[0].header.hash != dropped.header.hash
    expected = ["0x" + block.header.hash.hex() for block in added]
    assert polled.result("eth_getFilterChanges", filter_id) == expected


@pytest.mark.parametrize(
    ("waited_s", "is_there"),
    [pytest.param(299.0, True, id="just-before"), pytest.param(300.0, False, id="five-minutes")],
)
def test_a_filter_that_is_not_polled_for_five_minutes_is_gone(
    waited_s: float, is_there: bool
) -> None:
    polled = Polled()
    filter_id = polled.result("eth_newBlockFilter")
    polled.now_s = 100.0
    assert polled.result("eth_getFilterChanges", filter_id) == []
    polled.now_s += waited_s
    response = polled.ask("eth_getFilterChanges", filter_id)
    assert response.get("result", response.get("error")) == ([] if is_there else NOT_FOUND)


def test_an_uninstalled_filter_is_gone() -> None:
    polled = Polled()
    filter_id = polled.result("eth_newBlockFilter")
    assert polled.result("eth_uninstallFilter", filter_id) is True
    assert polled.result("eth_uninstallFilter", filter_id) is False
    assert polled.ask("eth_getFilterChanges", filter_id)["error"] == NOT_FOUND


def test_only_a_log_filter_has_logs() -> None:
    polled = Polled()
    filter_id = polled.result("eth_newBlockFilter")
    assert polled.ask("eth_getFilterLogs", filter_id)["error"] == NOT_FOUND


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        pytest.param({"fromBlock": "pending"}, "pending logs are not supported", id="pending"),
        pytest.param({"toBlock": "0x1"}, "invalid block range params", id="ends-before-it-starts"),
        pytest.param(
            {"fromBlock": "0x5", "toBlock": "0x4"}, "invalid block range params", id="reversed"
        ),
        pytest.param(
            {"blockHash": "0x" + "11" * 32},
            "invalid block range params: a block that is named brings no new logs",
            id="one-block",
        ),
    ],
)
def test_a_range_that_no_new_log_can_be_in_is_refused(wanted: object, message: str) -> None:
    error = Polled().ask("eth_newFilter", wanted)["error"]
    assert error == {"code": -32602, "message": message}


def test_a_node_holds_a_bounded_number_of_filters_and_old_ones_make_room() -> None:
    polled = Polled()
    for _ in range(MAX_FILTERS):
        polled.node.filters.follow_blocks()
    error = polled.ask("eth_newBlockFilter")["error"]
    assert error == {
        "code": -32005,
        "message": "too many filters: this node holds 4096; uninstall one",
    }
    polled.now_s = 301.0
    assert isinstance(polled.result("eth_newBlockFilter"), str)
