"""eth_getLogs: what a filter lets through, and which questions are too large."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cvm.evm.log import Log
from cvm.evm.log_bloom import bloom_bits
from cvm.evm.receipt import Receipt
from node.rpc import log_search
from node.rpc.log_filter import may_contain
from tests.unit.node.rpc.fake_chain import BOB, CONTRACT, FakeChain, small_chain
from tests.unit.node.rpc.rpc_caller import error, result, result_list

ABC = "0x" + "0" * 61 + "abc"
DEF = "0x" + "0" * 61 + "def"
OTHER = "0x" + "0" * 61 + "777"
CONTRACT_HEX = "0x" + CONTRACT.hex()
BOB_HEX = "0x" + BOB.hex()
EVERYTHING = {"fromBlock": "0x0", "toBlock": "latest"}


@pytest.mark.parametrize(
    ("wanted", "log_indexes"),
    [
        pytest.param({}, ["0x0", "0x1", "0x2"], id="everything"),
        pytest.param({"address": CONTRACT_HEX}, ["0x0", "0x2"], id="address"),
        pytest.param({"address": [CONTRACT_HEX, BOB_HEX]}, ["0x0", "0x1", "0x2"], id="addresses"),
        pytest.param({"address": "0x" + "11" * 20}, [], id="other-address"),
        pytest.param({"topics": []}, ["0x0", "0x1", "0x2"], id="no-topics"),
        pytest.param({"topics": [ABC]}, ["0x0", "0x1", "0x2"], id="first-topic"),
        pytest.param({"topics": [DEF]}, [], id="topic-at-another-place"),
        pytest.param({"topics": [None, DEF]}, ["0x0", "0x2"], id="second-topic"),
        pytest.param({"topics": [[], [OTHER, DEF]]}, ["0x0", "0x2"], id="alternatives"),
        pytest.param({"topics": [[OTHER, None]]}, ["0x0", "0x1", "0x2"], id="null-alternative"),
        pytest.param({"topics": [ABC, None]}, ["0x0", "0x2"], id="wildcard-wants-a-topic"),
        pytest.param({"topics": [ABC, DEF, None]}, [], id="more-topics-than-the-log"),
        pytest.param({"address": BOB_HEX, "topics": [ABC]}, ["0x1"], id="both"),
    ],
)
def test_a_filter_lets_through(wanted: dict[str, object], log_indexes: list[str]) -> None:
    logs = result_list(small_chain(), "eth_getLogs", {**EVERYTHING, **wanted})
    assert [log["logIndex"] for log in logs] == log_indexes


def test_a_filter_by_hash_searches_one_block() -> None:
    chain = small_chain()
    by_hash = [
        len(result_list(chain, "eth_getLogs", {"blockHash": "0x" + block.header.hash.hex()}))
        for block in chain.blocks
    ]
    assert by_hash == [0, 3, 0, 0]


def test_without_a_range_the_head_is_searched() -> None:
    assert result(small_chain(), "eth_getLogs", {}) == []


def test_logs_equal_those_of_the_receipts() -> None:
    chain = small_chain()
    receipts = result_list(chain, "eth_getBlockReceipts", "0x1")
    expected = [log for receipt in receipts for log in receipt["logs"]]  # type: ignore[attr-defined]
    assert result(chain, "eth_getLogs", EVERYTHING) == expected


def test_a_block_whose_bloom_says_no_is_not_read() -> None:
    chain = small_chain()
    chain.receipts_of.clear()
    assert result(chain, "eth_getLogs", {**EVERYTHING, "address": "0x" + "11" * 20}) == []


@pytest.mark.parametrize(
    ("wanted", "code", "message"),
    [
        pytest.param(
            {"fromBlock": "0x2", "toBlock": "0x9"},
            -32602,
            "block range extends beyond current head block: requested 9, head 3",
            id="beyond-the-head",
        ),
        pytest.param(
            {"fromBlock": "0x2", "toBlock": "0x1"},
            -32602,
            "invalid block range params: fromBlock 2 > toBlock 1",
            id="reversed",
        ),
        pytest.param(
            {"blockHash": "0x" + "de" * 32},
            -32000,
            "unknown block: 0x" + "de" * 32,
            id="unknown-hash",
        ),
    ],
)
def test_a_block_that_is_not_there_is_an_error(
    wanted: dict[str, object], code: int, message: str
) -> None:
    assert error(small_chain(), "eth_getLogs", wanted) == (code, message)


def test_a_range_has_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_search, "MAX_BLOCK_RANGE", 3)
    assert error(small_chain(), "eth_getLogs", EVERYTHING) == (
        -32005,
        "block range 0 to 3 holds 4 blocks; want at most 3",
    )
    assert result(small_chain(), "eth_getLogs", {"fromBlock": "0x2", "toBlock": "0x3"}) == []


def test_an_answer_has_a_bound_and_says_where_to_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_search, "MAX_LOGS", 2)
    code, message = error(small_chain(), "eth_getLogs", EVERYTHING)
    assert code == -32005
    assert message.startswith("query returned more than 2 results; ask for blocks 0x0 to 0x0")


@settings(derandomize=True, max_examples=50, deadline=None)
@given(
    addresses=st.lists(st.binary(min_size=20, max_size=20), max_size=4),
    topic=st.binary(min_size=32, max_size=32),
)
def test_the_bloom_of_a_receipt_holds_the_bits_of_its_logs(
    addresses: list[bytes], topic: bytes
) -> None:
    logs = tuple(Log(address, (topic,), b"") for address in addresses)
    expected = 0
    for address in addresses:
        expected |= bloom_bits(address) | bloom_bits(topic)
    assert Receipt(0, 1, 0, logs).bloom == expected


def test_every_condition_wants_one_of_its_values() -> None:
    masks = ((0b001, 0b010), (0b100,))
    assert may_contain(0b101, masks)
    assert may_contain(0b110, masks)
    assert not may_contain(0b011, masks)
    assert not may_contain(0b100, masks)
    assert may_contain(0, ())


def test_an_empty_chain_has_no_logs() -> None:
    chain = FakeChain()
    chain.add_block()
    assert result(chain, "eth_getLogs", EVERYTHING) == []


def test_a_block_that_is_not_here_is_an_error_and_no_empty_answer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    chain = small_chain()
    find = chain.header_by_number
    monkeypatch.setattr(
        chain, "header_by_number", lambda number: None if number == 1 else find(number)
    )
    assert error(chain, "eth_getLogs", EVERYTHING) == (
        -32000,
        "block 1 is not here: this chain starts from a later state",
    )
