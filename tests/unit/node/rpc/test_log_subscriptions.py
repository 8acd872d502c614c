"""Filters for logs: what a new head costs, and how much their clients may ask for."""

import json

import pytest

from cvm.evm.header import BlockHeader
from cvm.evm.log import Log
from node.rpc import filter_table, log_search, subscriptions, written_logs
from node.rpc.caller import rpc_node
from node.rpc.events import ChainEvents, NewHead
from node.rpc.faults import LimitExceeded
from node.rpc.filter_table import TooManyFilters
from node.rpc.json_value import JsonValue
from node.rpc.log_filter import LogFilter, followed_heights, parse_log_filter
from node.rpc.outbox import Outbox
from node.rpc.subscriptions import ClientSubscriptions, SubscriptionHub
from tests.unit.node.rpc.fake_chain import CONTRACT, GWEI, TOPIC, legacy_tx, receipt, small_chain
from tests.unit.node.rpc.rpc_caller import error

LOGS = 50


def address(number: int) -> str:
    return f"0x{number:040x}"


def wanting(*addresses: str) -> LogFilter:
    return parse_log_filter({"address": ["0x" + CONTRACT.hex(), *addresses]})


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> list[JsonValue]:
    """Return a list of every value that is written down as JSON from now on."""
    values: list[JsonValue] = []

    def dumped(value: JsonValue) -> bytes:
        values.append(value)
        return json.dumps(value).encode()

    monkeypatch.setattr(subscriptions, "dumped", dumped)
    return values


def new_head(events: ChainEvents) -> None:
    chain, tx = small_chain(), legacy_tx(0, 2 * GWEI)
    logs = [Log(CONTRACT, (TOPIC,), bytes([place])) for place in range(LOGS)]
    block = chain.add_block([tx], [receipt(tx, 21_000, logs)])
    receipts = chain.receipts(block.header.hash)
    events.new_head(NewHead(block.header, tuple(block.transactions), receipts))


def test_a_log_is_written_once_however_many_filters_let_it_through(
    written: list[JsonValue],
) -> None:
    events, outbox = ChainEvents(), Outbox()
    client = ClientSubscriptions(SubscriptionHub(small_chain(), events), outbox)
    for number in range(20):
        client.logs(wanting(address(number)))
    new_head(events)
    assert outbox.size()[0] == 20 * LOGS
    assert len(written) == LOGS


def test_nothing_more_is_written_for_a_client_that_was_given_up(written: list[JsonValue]) -> None:
    events, outbox = ChainEvents(), Outbox(max_waiting=5)
    ClientSubscriptions(SubscriptionHub(small_chain(), events), outbox).logs(wanting())
    new_head(events)
    assert outbox.is_given_up
    assert len(written) == 7  # five that wait, the one that is too many, and where it stops


def test_the_filters_of_a_client_name_a_bounded_number_of_values(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(subscriptions, "MAX_WANTED_VALUES", 6)
    hub = SubscriptionHub(small_chain(), ChainEvents())
    client = ClientSubscriptions(hub, Outbox())
    first = client.logs(wanting(address(1), address(2)))
    client.logs(wanting(address(3)))
    with pytest.raises(LimitExceeded, match="may name 6 addresses and topics"):
        client.logs(wanting(address(4)))
    assert client.unsubscribe(first)
    client.logs(wanting(address(4)))


def test_the_polled_filters_of_a_node_name_a_bounded_number_of_values(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(filter_table, "MAX_WANTED_VALUES", 3)
    filters = rpc_node(small_chain(), lambda: 0.0, ChainEvents()).filters
    wanted = wanting(address(1))
    first = filters.follow_logs(wanted, followed_heights(wanted))
    with pytest.raises(TooManyFilters):
        filters.follow_logs(wanted, followed_heights(wanted))
    assert filters.uninstall(first)
    filters.follow_logs(wanted, followed_heights(wanted))


def test_a_search_makes_no_more_logs_of_a_block_than_it_may_return(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made: list[int] = []

    def log_object(
        _log: Log, _header: BlockHeader, _tx_hash: bytes, _tx_index: int, log_index: int
    ) -> dict[str, JsonValue]:
        made.append(log_index)
        return {}

    monkeypatch.setattr(written_logs, "log_object", log_object)
    monkeypatch.setattr(log_search, "MAX_LOGS", 10)
    chain, tx = small_chain(), legacy_tx(0, 2 * GWEI)
    chain.add_block([tx], [receipt(tx, 21_000, [Log(CONTRACT, (TOPIC,), b"")] * LOGS)])
    code, message = error(chain, "eth_getLogs", {})
    assert (code, message[:39]) == (-32005, "query returned more than 10 results; as")
    assert made == list(range(11))
