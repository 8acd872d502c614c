"""Traces of the same transactions, here and in anvil (revm), compared value by value.

Where anvil leaves geth, whose forms ours are, the difference stands in one of the functions below
with its reason, and is taken out of both answers first.
"""

import shutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.integration.anvil_twin import SHA256, Twin, hexed
from tests.rpc_compat.judging import difference
from tests.unit.node.rpc.rpc_caller import result
from tests.unit.node.rpc.traced_world import NOBODY, SENDER

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("anvil") is None, reason="anvil is not installed"),
]
Form = Callable[[Any, Any], tuple[Any, Any]]
"""Takes both answers, ours first, and returns what can be compared of them."""

CREATED = 2
REVM_WORDS = {
    "CreateCollision": "contract address collision",
    "StateChangeDuringStaticCall": "write protection",
}
"""Words of revm where geth has its own (core/vm/errors.go)."""


@pytest.fixture(scope="module")
def twin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Twin]:
    twin = Twin(tmp_path_factory.mktemp("twin"))
    try:
        twin.fill()
        twin.traced.compile_kernels()
        yield twin
    finally:
        twin.close()


def as_it_is(ours: Any, theirs: Any) -> tuple[Any, Any]:
    """Compare everything."""
    return ours, theirs


def steps(ours: Any, theirs: Any) -> tuple[Any, Any]:
    """Anvil shows what is empty, has its own view of a halt, and counts a child's gas.

    A halting step has revm's words there, at most the gas that was left, and no slot. The gas that
    a creation passes on is no part of the price of CREATE in geth.
    """
    for step in theirs["structLogs"]:
        for key, nothing in (("memory", []), ("refund", 0), ("returnData", "0x")):
            if step.get(key) == nothing:
                del step[key]
    for step in (*ours["structLogs"], *theirs["structLogs"]):
        if "error" in step:
            step.pop("storage", None)
            step |= {"error": "a halt", "gasCost": 0}
        if step["op"] in ("CREATE", "CREATE2"):
            step["gasCost"] = 0
    return ours, theirs


def tree(ours: Any, theirs: Any) -> tuple[Any, Any]:
    """Anvil takes the transaction's own price from the outermost gas."""
    for frame in (ours, theirs):
        del frame["gas"]
    in_geths_words(theirs)
    return ours, theirs


def in_geths_words(frame: Any) -> None:
    """Replace revm's words of a frame and of those below it."""
    if "error" in frame:
        frame["error"] = REVM_WORDS.get(frame["error"], frame["error"])
    for call in frame.get("calls", []):
        in_geths_words(call)


def difference_of_states(ours: Any, theirs: Any) -> tuple[Any, Any]:
    """Anvil shows accounts that were not there with a balance of 0 as they were."""
    before = theirs["pre"]
    theirs["pre"] = {key: each for key, each in before.items() if each != {"balance": "0x0"}}
    return ours, theirs


def selectors(ours: Any, theirs: Any) -> tuple[Any, Any]:
    """Anvil counts calls of precompiles, here one with four zeros and 36 bytes."""
    theirs.pop("0x00000000-36", None)
    return ours, theirs


def states(ours: Any, theirs: Any) -> tuple[Any, Any]:
    """Anvil leaves out a slot that a static frame failed to write."""
    for address, account in ours.items():
        if "storage" in account and "storage" not in theirs[address]:
            assert set(account.pop("storage").values()) == {hexed(bytes(32))}
    return ours, theirs


PRESTATE = {"tracer": "prestateTracer"}


@pytest.mark.parametrize(
    ("config", "form"),
    [
        pytest.param({}, steps, id="struct"),
        pytest.param({"enableMemory": True, "enableReturnData": True}, steps, id="struct memory"),
        pytest.param({"disableStack": True, "disableStorage": True}, steps, id="struct bare"),
        pytest.param({"tracer": "callTracer"}, tree, id="callTracer"),
        pytest.param(
            {"tracer": "callTracer", "tracerConfig": {"withLog": True}}, tree, id="callTracer logs"
        ),
        pytest.param(
            {"tracer": "callTracer", "tracerConfig": {"onlyTopCall": True}}, tree, id="top call"
        ),
        pytest.param(
            {**PRESTATE, "tracerConfig": {"includeEmpty": True}}, states, id="prestateTracer"
        ),
        pytest.param(
            {**PRESTATE, "tracerConfig": {"diffMode": True}}, difference_of_states, id="diffMode"
        ),
        pytest.param({"tracer": "4byteTracer"}, selectors, id="4byteTracer"),
        pytest.param({"tracer": "noopTracer"}, as_it_is, id="noopTracer"),
    ],
)
def test_every_transaction_has_the_trace_that_anvil_gives(
    twin: Twin, config: dict[str, Any], form: Form
) -> None:
    differences = {}
    for name, tx_hash in twin.hashes.items():
        ours, theirs = form(*twin.both("debug_traceTransaction", tx_hash, config))
        found = difference(theirs, ours, "")
        if found is not None:
            differences[name] = found
    assert differences == {}


@pytest.mark.parametrize(
    ("config", "form"),
    [
        pytest.param({"enableMemory": True}, steps, id="struct"),
        pytest.param(
            {"tracer": "callTracer", "tracerConfig": {"withLog": True}}, tree, id="callTracer"
        ),
        pytest.param(
            {**PRESTATE, "tracerConfig": {"includeEmpty": True}}, states, id="prestateTracer"
        ),
    ],
)
@pytest.mark.parametrize(
    "overrides",
    [
        pytest.param({}, id="as it is"),
        pytest.param(
            {
                "stateOverrides": {
                    hexed(SENDER): {"balance": "0xde0b6b3a7640000"},
                    hexed(NOBODY): {"code": "0x4342475f5260205ff3", "nonce": "0x7"},
                }
            },
            id="accounts",
        ),
        pytest.param({"blockOverrides": {"number": "0x1234", "time": "0xffffffff"}}, id="block"),
    ],
)
def test_a_traced_message_is_the_one_that_anvil_traces(
    twin: Twin, config: dict[str, Any], form: Form, overrides: dict[str, Any]
) -> None:
    differences = {}
    for name, contract in (*twin.contracts.items(), ("nobody", NOBODY)):
        message = {"from": hexed(SENDER), "to": hexed(contract), "data": "0xaabbccdd01"}
        message |= {"gas": hex(100_000), "value": "0x4"}
        given = {**config, **overrides}
        ours, theirs = form(*twin.both("debug_traceCall", message, "latest", given))
        found = difference(theirs, ours, "")
        if found is not None:
            differences[name] = found
    assert differences == {}


def calls_only(ours: Any, theirs: Any) -> tuple[Any, Any]:
    """Anvil leaves creations and self-destructions out, and shows a value that cannot move."""
    kinds = ("CALL", "CALLCODE", "DELEGATECALL", "STATICCALL")
    for call in theirs:
        if call["type"] in ("DELEGATECALL", "STATICCALL"):
            call["value"] = None
    return [call for call in ours if call["type"] in kinds], theirs


def inner_operations(ours: Any, theirs: Any) -> tuple[Any, Any]:
    """Anvil shows what the transaction itself did, and no CREATE that destroyed itself."""
    theirs = [each for each in theirs if each["from"] != hexed(SENDER)]
    return [each for each in ours if each["type"] != CREATED], theirs


def unplaced(ours: Any, theirs: Any) -> tuple[Any, Any]:
    """Leave out the hashes of blocks, which differ because the chains do.

    A failed call has a null result and revm's words in anvil. It shows calls of precompiles too:
    a transaction that has some has the others at other places, and is not compared.
    """
    if any(call["action"].get("to") == hexed(SHA256) for call in theirs):
        return None, None
    for call in (*ours, *theirs):
        del call["blockHash"]
        if "error" in call and call["error"] != "Reverted":
            call |= {"error": "a halt", "result": None}
    return ours, theirs


@pytest.mark.parametrize(
    ("method", "form"),
    [
        pytest.param("ots_traceTransaction", calls_only, id="ots_traceTransaction"),
        pytest.param("ots_getInternalOperations", inner_operations, id="operations"),
        pytest.param("ots_getTransactionError", as_it_is, id="ots_getTransactionError"),
        pytest.param("trace_transaction", unplaced, id="trace_transaction"),
    ],
)
def test_every_transaction_has_the_calls_that_anvil_gives(
    twin: Twin, method: str, form: Form
) -> None:
    differences = {}
    for name, tx_hash in twin.hashes.items():
        ours, theirs = form(*twin.both(method, tx_hash))
        found = difference(theirs, ours, "")
        if found is not None:
            differences[name] = found
    assert differences == {}


def came(account: Any) -> Any:
    """Return the balance with which an account came; anvil says so of contracts only."""
    balance = account["balance"]
    return balance["+"] if "+" in balance else balance["*"]["to"]


def test_every_replay_changes_what_anvil_says(twin: Twin) -> None:
    differences = {}
    for name, tx_hash in twin.hashes.items():
        receipt: Any = result(twin.traced.view, "eth_getTransactionReceipt", tx_hash)
        asked = ("trace_replayBlockTransactions", receipt["blockNumber"], ["stateDiff"])
        ((ours,), (theirs,)) = twin.both(*asked)
        for address, account in ours["stateDiff"].items():
            if "+" in account["balance"]:
                ours["stateDiff"][address] = came(account)
                theirs["stateDiff"][address] = came(theirs["stateDiff"][address])
        found = difference(theirs, ours, "")
        if found is not None:
            differences[name] = found
    assert differences == {}


def test_contracts_nonces_and_codes_are_told_as_anvil_tells_them(twin: Twin) -> None:
    asked: list[tuple[str, tuple[object, ...]]] = [("ots_getApiLevel", ())]
    for contract in (*twin.contracts.values(), NOBODY):
        asked += [("ots_getContractCreator", (hexed(contract),))]
        asked += [("ots_hasCode", (hexed(contract), number)) for number in ("0x2", "latest")]
    for nonce in range(len(twin.hashes) + 1):
        asked.append(("ots_getTransactionBySenderAndNonce", (hexed(SENDER), nonce)))
    answers = {(method, params): twin.both(method, *params) for method, params in asked}
    assert {key: both for key, both in answers.items() if both[0] != both[1]} == {}


def page_of(answer: Any) -> tuple[list[str], bool, bool]:
    """Return the hashes of a page, and whether it is the first and the last."""
    hashes = [tx["hash"] for tx in answer["txs"]]
    assert [receipt["transactionHash"] for receipt in answer["receipts"]] == hashes
    return hashes, answer["firstPage"], answer["lastPage"]


@pytest.mark.parametrize("method", ["ots_searchTransactionsBefore", "ots_searchTransactionsAfter"])
def test_a_search_finds_the_pages_that_anvil_finds(twin: Twin, method: str) -> None:
    pages = {}
    for address in (*twin.contracts.values(), SENDER, NOBODY):
        for block in (0, 2, 7, 12):
            both = twin.both(method, hexed(address), block, 3)
            pages[hexed(address), block] = tuple(page_of(each) for each in both)
    assert {key: both for key, both in pages.items() if both[0] != both[1]} == {}
    assert sum(len(ours[0]) for ours, _theirs in pages.values()) > 20


def test_a_block_has_the_details_that_anvil_gives(twin: Twin) -> None:
    for name, tx_hash in twin.hashes.items():
        receipt: Any = result(twin.traced.view, "eth_getTransactionReceipt", tx_hash)
        number = receipt["blockNumber"]
        ours, theirs = twin.both("ots_getBlockDetails", number)
        assert (ours["totalFees"], ours["issuance"]) == (theirs["totalFees"], theirs["issuance"])
        assert ours["block"]["transactionCount"] == theirs["block"]["transactionCount"], name
        ours, theirs = twin.both("ots_getBlockTransactions", int(number, 16), 0, 5)
        shown = [
            [tx["input"] for tx in each["fullblock"]["transactions"]] for each in (ours, theirs)
        ]
        assert shown[0] == shown[1]
        used = [[r["gasUsed"] for r in each["receipts"]] for each in (ours, theirs)]
        assert used[0] == used[1]
