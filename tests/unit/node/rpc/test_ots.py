"""ots_*: what Otterscan asks of blocks, transactions and addresses whose doings are known."""

from collections.abc import Callable, Iterator
from itertools import chain, repeat
from typing import Any

import pytest

from cvm.evm.creation_address import creation_address
from node.rpc.faults import LimitExceeded
from node.rpc.schemas.components import COMPONENTS
from node.rpc.schemas.ots_results import OTS_RESULTS
from node.tracing.otterscan_search import SearchJob
from tests.chain_world import USER
from tests.chain_world import signed as signed_bytes
from tests.evm_world import push
from tests.json_schema import mismatch
from tests.unit.node.rpc.rpc_caller import error, result
from tests.unit.node.rpc.traced_world import (
    CREATE,
    NOBODY,
    POP,
    REASON,
    SENDER,
    TracedWorld,
    call_code,
    image,
    inferring,
)

DELEGATECALL, STATICCALL = b"\xf4", b"\xfa"
STRANGER = b"\xd7" * 20
UNKNOWN = "0x" + 64 * "1"
MADE_NONE = "0x" + 40 * "9"


@pytest.fixture(scope="module")
def traced(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TracedWorld]:
    world = TracedWorld(tmp_path_factory.mktemp("traced"))
    yield world
    world.close()


@pytest.fixture(scope="module")
def mixed(traced: TracedWorld) -> tuple[bytes, bytes, str]:
    return traced.mixed()


@pytest.fixture(scope="module")
def factory(traced: TracedWorld, mixed: tuple[bytes, bytes, str]) -> tuple[bytes, str]:
    """Return a contract that created one which destroyed itself, and the transaction."""
    assert mixed
    initcode = bytes.fromhex("33ff")
    code = push(initcode) + push(0) + b"\x52" + push(2) + push(30) + push(4) + CREATE + POP
    contract = traced.deploy(code)
    return contract, traced.include(contract, value=4)


def hexed(data: bytes) -> str:
    return "0x" + data.hex()


def ask(traced: TracedWorld, method: str, *params: object) -> Any:
    found = result(traced.view, method, *params)
    assert mismatch(found, OTS_RESULTS[method], COMPONENTS) is None
    return found


def place_of(traced: TracedWorld, tx_hash: str) -> int:
    receipt: Any = result(traced.view, "eth_getTransactionReceipt", tx_hash)
    return int(receipt["blockNumber"], 16)


def test_the_level_is_the_one_that_otterscan_wants(traced: TracedWorld) -> None:
    assert ask(traced, "ots_getApiLevel") == 8
    head = ask(traced, "erigon_getHeaderByNumber", "latest")
    assert head["hash"] == hexed(traced.view.head().hash)
    assert ask(traced, "erigon_getHeaderByNumber", "0xffff") is None


def test_calls_come_one_by_one_with_depth_and_output(
    traced: TracedWorld, mixed: tuple[bytes, bytes, str]
) -> None:
    contract, reverter, tx_hash = mixed
    assert ask(traced, "ots_traceTransaction", tx_hash) == [
        {
            "type": "CALL",
            "depth": 0,
            "from": hexed(SENDER),
            "to": hexed(contract),
            "value": "0x9",
            "input": "0xaabbccdd01",
            "output": "0x",
        },
        {
            "type": "CALL",
            "depth": 1,
            "from": hexed(contract),
            "to": hexed(reverter),
            "value": "0x0",
            "input": "0x",
            "output": hexed(REASON),
        },
        {
            "type": "CALL",
            "depth": 1,
            "from": hexed(contract),
            "to": hexed(NOBODY),
            "value": "0x5",
            "input": "0x",
            "output": "0x",
        },
    ]


@pytest.mark.parametrize(
    ("opcode", "name"),
    [
        pytest.param(DELEGATECALL, "DELEGATECALL", id="delegate"),
        pytest.param(STATICCALL, "STATICCALL", id="static"),
    ],
)
def test_a_call_that_cannot_bring_value_shows_none(
    traced: TracedWorld, opcode: bytes, name: str
) -> None:
    code = push(0) * 4 + push(STRANGER) + push(50_000) + opcode + POP
    tx_hash = traced.include(traced.deploy(code), value=3)
    outer, inner = ask(traced, "ots_traceTransaction", tx_hash)
    assert (outer["value"], inner["type"], inner["value"]) == ("0x3", name, None)


def test_operations_are_what_contracts_moved_made_and_destroyed(
    traced: TracedWorld, mixed: tuple[bytes, bytes, str], factory: tuple[bytes, str]
) -> None:
    contract, _reverter, tx_hash = mixed
    sent = {"type": 0, "from": hexed(contract), "to": hexed(NOBODY), "value": "0x5"}
    assert ask(traced, "ots_getInternalOperations", tx_hash) == [sent]
    maker, making = factory
    child = hexed(creation_address(maker, 1))
    assert ask(traced, "ots_getInternalOperations", making) == [
        {"type": 2, "from": hexed(maker), "to": child, "value": "0x4"},
        {"type": 1, "from": child, "to": hexed(maker), "value": "0x4"},
    ]


def test_an_inference_is_no_call(traced: TracedWorld) -> None:
    model = traced.world.register_model()
    tx_hash = traced.include(traced.deploy(inferring(model)), image())
    (outer,) = ask(traced, "ots_traceTransaction", tx_hash)
    assert outer["depth"] == 0
    assert ask(traced, "ots_getInternalOperations", tx_hash) == []


def test_the_error_of_a_transaction_is_what_it_reverted_with(
    traced: TracedWorld, mixed: tuple[bytes, bytes, str]
) -> None:
    assert ask(traced, "ots_getTransactionError", mixed[2]) == "0x"
    assert ask(traced, "ots_getTransactionError", traced.include(mixed[1])) == hexed(REASON)
    halting = traced.deploy(b"\xfe")
    assert ask(traced, "ots_getTransactionError", traced.include(halting)) == "0x"
    method = "ots_getTransactionError"
    assert error(traced.view, method, UNKNOWN) == (-32000, f"transaction {UNKNOWN} not found")


def test_code_is_told_as_it_was_after_a_block(
    traced: TracedWorld, mixed: tuple[bytes, bytes, str]
) -> None:
    contract = hexed(mixed[0])
    assert ask(traced, "ots_hasCode", contract, "latest")
    assert not ask(traced, "ots_hasCode", contract, "0x0")
    assert not ask(traced, "ots_hasCode", hexed(NOBODY))


def test_details_of_a_block_have_its_fees_and_no_transactions(
    traced: TracedWorld, mixed: tuple[bytes, bytes, str]
) -> None:
    receipt: Any = result(traced.view, "eth_getTransactionReceipt", mixed[2])
    found = ask(traced, "ots_getBlockDetails", receipt["blockNumber"])
    fees = int(receipt["gasUsed"], 16) * int(receipt["effectiveGasPrice"], 16)
    assert (found["totalFees"], found["block"]["transactionCount"]) == (hex(fees), 1)
    assert found["block"]["hash"] == receipt["blockHash"]
    assert ask(traced, "ots_getBlockDetailsByHash", receipt["blockHash"]) == found
    assert ask(traced, "ots_getBlockDetails", "0xffff") is None
    assert ask(traced, "ots_getBlockDetailsByHash", UNKNOWN) is None


def test_a_block_may_be_named_by_a_json_integer_as_otterscan_does(
    traced: TracedWorld, mixed: tuple[bytes, bytes, str]
) -> None:
    number = place_of(traced, mixed[2])
    for method, rest in (
        ("ots_getBlockDetails", ()),
        ("ots_getBlockTransactions", (0, 5)),
        ("erigon_getHeaderByNumber", ()),
    ):
        found = ask(traced, method, number, *rest)
        assert found is not None
        assert found == ask(traced, method, hex(number), *rest)
    assert ask(traced, "ots_hasCode", hexed(mixed[0]), number)
    for wrong in (-1, True, 1 << 64):
        assert error(traced.view, "ots_getBlockDetails", wrong)[0] == -32602


def several(traced: TracedWorld, to: bytes, count: int) -> tuple[int, list[str]]:
    """Include so many transactions in one block; return its number and their hashes."""
    world = traced.world
    raw = [
        signed_bytes(USER, world.nonce + i, to=to, data=b"\1\2\3\4\5\6", gas=100_000)
        for i in range(count)
    ]
    checked, left_out = world.propose(raw)
    assert left_out == ()
    world.nonce += count
    return int(checked.block.number), [hexed(tx.hash) for tx in checked.block.transactions]


@pytest.mark.parametrize(
    ("number", "size", "places"),
    [
        pytest.param(0, 2, [3, 4], id="the last"),
        pytest.param(1, 2, [1, 2], id="those before"),
        pytest.param(2, 2, [0], id="what remains"),
        pytest.param(3, 2, [], id="beyond"),
        pytest.param(0, 25, [0, 1, 2, 3, 4], id="all"),
    ],
)
def test_a_page_of_a_block_counts_from_its_end(
    traced: TracedWorld, number: int, size: int, places: list[int]
) -> None:
    block, hashes = several(traced, STRANGER, 5)
    found = ask(traced, "ots_getBlockTransactions", hex(block), number, size)
    wanted = [hashes[place] for place in places]
    assert [tx["hash"] for tx in found["fullblock"]["transactions"]] == wanted
    assert [receipt["transactionHash"] for receipt in found["receipts"]] == wanted
    assert all(tx["input"] == "0x01020304" for tx in found["fullblock"]["transactions"])
    assert found["fullblock"]["transactionCount"] == 5


@pytest.mark.parametrize("size", [pytest.param(0, id="none"), pytest.param(26, id="too many")])
def test_a_page_holds_one_to_25(traced: TracedWorld, size: int) -> None:
    refused = (-32602, f"page size {size}; want 1 to 25")
    assert error(traced.view, "ots_getBlockTransactions", "0x1", 0, size) == refused
    assert error(traced.view, "ots_searchTransactionsAfter", MADE_NONE, 0, size) == refused
    assert error(traced.view, "ots_searchTransactionsBefore", MADE_NONE, 0, size) == refused


def test_a_transaction_is_found_by_sender_and_nonce(traced: TracedWorld) -> None:
    _block, hashes = several(traced, STRANGER, 3)
    last = traced.world.nonce - 1
    method = "ots_getTransactionBySenderAndNonce"
    for behind in range(3):
        assert ask(traced, method, hexed(SENDER), last - behind) == hashes[2 - behind]
    first: Any = result(traced.view, "eth_getBlockByNumber", "0x1", False)
    assert ask(traced, method, hexed(SENDER), 0) == first["transactions"][0]
    assert ask(traced, method, hexed(SENDER), last + 1) is None
    assert ask(traced, method, hexed(NOBODY), 0) is None


def creating_one() -> bytes:
    """Return code that creates a contract whose code is one byte."""
    initcode = bytes.fromhex("600160005360016000f3")
    return push(initcode) + push(0) + b"\x52" + push(10) + push(22) + push(0) + CREATE + POP


def test_a_contract_knows_its_creator_and_transaction(
    traced: TracedWorld, mixed: tuple[bytes, bytes, str], factory: tuple[bytes, str]
) -> None:
    made = ask(traced, "ots_getContractCreator", hexed(mixed[0]))
    receipt: Any = result(traced.view, "eth_getTransactionReceipt", made["hash"])
    assert (made["creator"], receipt["contractAddress"]) == (hexed(SENDER), hexed(mixed[0]))
    maker = traced.deploy(creating_one())
    tx_hash = traced.include(maker)
    address = hexed(creation_address(maker, 1))
    expected = {"hash": tx_hash, "creator": hexed(maker)}
    assert ask(traced, "ots_getContractCreator", address) == expected
    for nobody in (hexed(NOBODY), hexed(creation_address(factory[0], 1)), MADE_NONE):
        assert ask(traced, "ots_getContractCreator", nobody) is None


def test_a_contract_of_genesis_has_no_creator(traced: TracedWorld) -> None:
    alloc = traced.world.chain.genesis.alloc
    registry = next(hexed(address) for address, account in alloc if account.code)
    assert ask(traced, "ots_hasCode", registry)
    assert ask(traced, "ots_getContractCreator", registry) is None


def test_what_a_failed_call_created_was_not_created_then(traced: TracedWorld) -> None:
    maker = traced.deploy(creating_one() + push(0) + push(0) + b"\xfd")
    tx_hash = traced.include(maker)
    assert ask(traced, "ots_traceTransaction", tx_hash)[1]["type"] == "CREATE"
    assert ask(traced, "ots_getContractCreator", hexed(creation_address(maker, 1))) is None


def found_hashes(page: Any) -> list[str]:
    assert [tx["hash"] for tx in page["txs"]] == [r["transactionHash"] for r in page["receipts"]]
    return [tx["hash"] for tx in page["txs"]]


def test_an_address_is_found_as_sender_receiver_and_by_calls(traced: TracedWorld) -> None:
    target = b"\xa1" * 20
    caller = traced.deploy(call_code(target))
    direct = traced.include(target)
    traced.world.propose()
    inner = traced.include(caller)
    block, both = several(traced, target, 2)
    everything = [*reversed(both), inner, direct]
    search = "ots_searchTransactionsBefore"
    page = ask(traced, search, hexed(target), 0, 10)
    assert found_hashes(page) == everything
    assert (page["firstPage"], page["lastPage"]) == (True, True)
    receipts = page["receipts"]
    header: Any = result(traced.view, "eth_getBlockByNumber", hex(block), False)
    assert receipts[0]["timestamp"] == header["timestamp"]
    page = ask(traced, search, hexed(target), 0, 1)
    assert found_hashes(page) == everything[:2]
    assert (page["firstPage"], page["lastPage"]) == (True, False)
    page = ask(traced, search, hexed(target), block, 10)
    assert found_hashes(page) == everything[2:]
    assert (page["firstPage"], page["lastPage"]) == (False, True)


def test_a_search_upwards_gives_its_page_newest_first(traced: TracedWorld) -> None:
    target = b"\xa2" * 20
    first = traced.include(target)
    second = traced.include(target)
    third = traced.include(target)
    search = "ots_searchTransactionsAfter"
    page = ask(traced, search, hexed(target), 0, 2)
    assert found_hashes(page) == [second, first]
    assert (page["firstPage"], page["lastPage"]) == (False, True)
    page = ask(traced, search, hexed(target), place_of(traced, second), 2)
    assert found_hashes(page) == [third]
    assert (page["firstPage"], page["lastPage"]) == (True, False)


def test_a_contract_is_found_where_it_was_created(
    traced: TracedWorld, mixed: tuple[bytes, bytes, str]
) -> None:
    page = ask(traced, "ots_searchTransactionsAfter", hexed(mixed[0]), 0, 1)
    made = ask(traced, "ots_getContractCreator", hexed(mixed[0]))
    assert found_hashes(page) == [made["hash"]]


def test_nobody_is_found_nowhere(traced: TracedWorld) -> None:
    page = ask(traced, "ots_searchTransactionsBefore", MADE_NONE, 0, 5)
    assert page == {"txs": [], "receipts": [], "firstPage": True, "lastPage": True}
    page = ask(traced, "ots_searchTransactionsBefore", MADE_NONE, 1, 5)
    assert (page["txs"], page["lastPage"]) == ([], True)


def clock(*times_s: float) -> Callable[[], float]:
    """Return a clock that shows these times, and the last of them ever after."""
    shown = chain(times_s, repeat(times_s[-1]))
    return lambda: next(shown)


def test_a_search_whose_time_is_over_gives_what_it_found_or_says_where_it_was(
    traced: TracedWorld,
) -> None:
    execution = traced.world.chain.execution
    target = b"\xa3" * 20
    traced.include(target)
    traced.include(NOBODY)
    newest = traced.view.head().block_number
    third_is_late = (0, 1, 2, 99)
    page = SearchJob(target, newest, False, 5).search(execution, clock(*third_is_late))
    assert (len(page.blocks), page.is_complete) == (1, False)
    go_on = f"go on with ots_searchTransactionsBefore from block {newest - 1}"
    with pytest.raises(LimitExceeded, match=go_on):
        SearchJob(b"\xa4" * 20, newest, False, 5).search(execution, clock(*third_is_late))
    go_on = "go on with ots_searchTransactionsAfter from block 2"
    with pytest.raises(LimitExceeded, match=go_on):
        SearchJob(b"\xa4" * 20, 1, True, 5).search(execution, clock(*third_is_late))
    with pytest.raises(LimitExceeded, match=f"block {newest} alone takes longer than 0 s"):
        SearchJob(target, newest, False, 5, time_s=0).run(execution)
