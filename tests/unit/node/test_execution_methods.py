"""What methods that execute do on a real chain: overrides, lists, proofs, simulations."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rlp
from trie.hexary import HexaryTrie

from cvm.evm.keccak import keccak256
from models_registry.addresses import MODEL_REGISTRY
from node.execution import trace_budget
from node.live_chain import LiveChain
from node.sample_models import sample_model_path
from node.tracing.trace_config import TraceConfig
from node.transaction_pool import TransactionPool
from opcodes.table import INFER_ADDRESS
from tests.chain_world import (
    CHAIN_ID,
    USER,
    ChainWorld,
    address_of,
    genesis_document,
    live_chain,
)
from tests.unit.node.rpc.rpc_caller import error, result

GENESIS = json.dumps(genesis_document()).encode()
SENDER = "0x" + address_of(USER).hex()
CODE_AT = "0x" + "c0de" * 10
OTHER = "0x" + "aa" * 20
RETURN_WORD = "5f5260205ff3"
SLOT = "0x" + "00" * 31 + "05"
WORD = "0x" + "00" * 31 + "2a"
REVERTS = "0x5f5ffd"
ENDLESS = "0x5b5f56"
LOGS = "0x5f5fa000"
LOG_LOOP = "0x5b5f5fa06120005a115f5700"
"""Logs nothing until 8,192 gas are left."""
OWNER = b"\xab" * 20
TRANSFER_FROM = bytes.fromhex("23b872dd")  # ERC-721, from, to and token


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ChainWorld]:
    world = ChainWorld(tmp_path_factory.mktemp("methods"), GENESIS)
    world.propose()
    yield world
    world.close()


@pytest.fixture(scope="module")
def view(world: ChainWorld) -> Iterator[LiveChain]:
    view = live_chain(world, TransactionPool(CHAIN_ID))
    yield view
    view.close()


def word(value: int) -> str:
    return f"0x{value:064x}"


@pytest.mark.parametrize(
    ("code", "state", "block", "expected"),
    [
        pytest.param("47", {"balance": "0x7"}, {}, 7, id="balance"),
        pytest.param("600554", {"state": {SLOT: WORD}}, {}, 42, id="state"),
        pytest.param("600554", {"stateDiff": {SLOT: WORD}}, {}, 42, id="state-diff"),
        pytest.param("43", {}, {"number": "0x1234"}, 0x1234, id="number"),
        pytest.param("42", {}, {"time": "0x77"}, 0x77, id="time"),
        pytest.param("41", {}, {"feeRecipient": OTHER}, int(OTHER, 16), id="fee-recipient"),
        pytest.param("44", {}, {"prevRandao": WORD}, 42, id="randao"),
        pytest.param("45", {}, {"gasLimit": "0x99"}, 0x99, id="gas-limit"),
        pytest.param("4a", {}, {"blobBaseFee": "0x5"}, 5, id="blob-base-fee"),
        pytest.param("48", {}, {"baseFeePerGas": "0x5"}, 0, id="base-fee-of-a-free-call"),
    ],
)
def test_a_call_sees_what_is_overridden(
    view: LiveChain, code: str, state: dict[str, Any], block: dict[str, Any], expected: int
) -> None:
    accounts = {CODE_AT: {"code": f"0x{code}{RETURN_WORD}", **state}}
    assert result(view, "eth_call", {"to": CODE_AT}, "latest", accounts, block) == word(expected)
    assert result(view, "eth_call", {"to": CODE_AT}, "latest") == "0x"


def test_a_replaced_storage_is_empty_elsewhere(world: ChainWorld, view: LiveChain) -> None:
    """The registry's storage is not empty: slot by slot it is, once all of it is replaced."""
    registry = "0x" + MODEL_REGISTRY.hex()
    storage = world.chain.storage_at(world.chain.head)
    used = next(slot for slot in range(64) if storage(MODEL_REGISTRY, slot))
    read: dict[str, Any] = {"code": f"0x60{used:02x}54{RETURN_WORD}"}
    value = storage(MODEL_REGISTRY, used)
    kept = {registry: read | {"stateDiff": {}}}
    assert result(view, "eth_call", {"to": registry}, "latest", kept) == word(value)
    replaced = {registry: read | {"state": {}}}
    assert result(view, "eth_call", {"to": registry}, "latest", replaced) == word(0)


def test_a_precompile_moves_and_leaves_nothing_behind(view: LiveChain) -> None:
    identity = word(4)[:2] + word(4)[26:]
    accounts = {identity: {"movePrecompileToAddress": OTHER}}
    call = {"data": "0x0102"}
    assert result(view, "eth_call", {"to": OTHER, **call}, "latest", accounts) == "0x0102"
    assert result(view, "eth_call", {"to": identity, **call}, "latest", accounts) == "0x"
    assert result(view, "eth_call", {"to": identity, **call}, "latest") == "0x0102"


@pytest.mark.parametrize(
    ("accounts", "words"),
    [
        pytest.param(
            {OTHER: {"movePrecompileToAddress": CODE_AT}},
            "account 0xaAaAaAaaAaAaAaaAaAAAAAAAAaaaAaAaAaaAaaAa is not a precompile",
            id="no-precompile",
        ),
        pytest.param(
            {OTHER: {"state": {}, "stateDiff": {}}},
            "account 0xaAaAaAaaAaAaAaaAaAAAAAAAAaaaAaAaAaaAaaAa has both 'state' and 'stateDiff'",
            id="two-kinds-of-storage",
        ),
        pytest.param(
            {
                "0x0000000000000000000000000000000000000001": {"movePrecompileToAddress": OTHER},
                OTHER: {"balance": "0x1"},
            },
            "account 0xaAaAaAaaAaAaAaaAaAAAAAAAAaaaAaAaAaaAaaAa is already overridden",
            id="a-place-that-is-taken",
        ),
    ],
)
def test_overrides_that_contradict_each_other_are_refused(
    view: LiveChain, accounts: dict[str, Any], words: str
) -> None:
    assert error(view, "eth_call", {"to": OTHER}, "latest", accounts) == (-32000, words)


def test_a_halt_has_geths_words(view: LiveChain) -> None:
    accounts = {CODE_AT: {"code": ENDLESS}}
    call = {"to": CODE_AT, "gas": "0x7530"}
    assert error(view, "eth_call", call, "latest", accounts) == (-32000, "out of gas")


def test_an_estimate_believes_an_overridden_balance(view: LiveChain) -> None:
    call = {"from": OTHER, "to": CODE_AT, "value": "0x5"}
    rich = {OTHER: {"balance": "0x6"}}
    assert result(view, "eth_estimateGas", call, "latest", rich) == "0x5208"
    assert error(view, "eth_estimateGas", call, "latest")[0] == -32000


def test_an_authorization_costs_its_gas(view: LiveChain) -> None:
    authorization = {
        "chainId": "0x1",
        "address": OTHER,
        "nonce": "0x0",
        "yParity": "0x0",
        "r": "0x" + "11" * 32,
        "s": "0x" + "22" * 32,
    }
    call = {"from": SENDER, "to": OTHER, "authorizationList": [authorization]}
    assert result(view, "eth_estimateGas", call) == hex(21_000 + 25_000)


def test_an_access_list_holds_what_is_touched_and_is_not_warm_anyway(view: LiveChain) -> None:
    """Slot 5 of the contract itself, the balance of another, and the identity precompile."""
    code = "0x60055450" + "73" + "bb" * 20 + "3150" + "60043150" + "00"
    found = result(
        view,
        "eth_createAccessList",
        {"from": SENDER, "to": CODE_AT},
        "latest",
        {CODE_AT: {"code": code}},
    )
    assert found == {
        "accessList": [
            {"address": "0x" + "bb" * 20, "storageKeys": []},
            {"address": CODE_AT, "storageKeys": [SLOT]},
        ],
        "gasUsed": hex(21_000 + 3 + 100 + 2 + 3 + 100 + 2 + 3 + 100 + 2 + 2 * 2_400 + 1_900),
    }


def test_an_access_list_comes_with_the_error_of_its_message(view: LiveChain) -> None:
    accounts = {CODE_AT: {"code": REVERTS}}
    found = result(view, "eth_createAccessList", {"to": CODE_AT}, "latest", accounts)
    assert isinstance(found, dict)
    assert (found["accessList"], found["error"]) == ([], "execution reverted")


@pytest.mark.parametrize(
    ("method", "params"),
    [
        pytest.param("eth_createAccessList", [{"data": ENDLESS}], id="access-list"),
        pytest.param(
            "eth_simulateV1",
            [
                {
                    "blockStateCalls": [
                        {
                            "blockOverrides": {"gasLimit": "0x2faf080"},
                            "calls": [{"data": ENDLESS}],
                        }
                    ],
                    "traceTransfers": True,
                }
            ],
            id="simulation-with-transfers",
        ),
        pytest.param("trace_call", [{"data": ENDLESS}, ["trace"]], id="trace"),
    ],
)
def test_what_is_watched_ends_before_its_process_would(
    view: LiveChain, method: str, params: list[object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trace_budget, "MOST_TIME_S", 0.01)
    assert error(view, method, *params) == (-32000, "execution aborted (timeout = 0.01s)")


def test_a_deep_stack_of_long_words_counts_in_full(
    view: LiveChain, monkeypatch: pytest.MonkeyPatch
) -> None:
    """900 words of 69 bytes each stand in the answer at every one of 500 steps, and more."""
    monkeypatch.setattr(
        TraceConfig, "budget", lambda _config: trace_budget.TraceBudget(max_bytes=20_000_000)
    )
    code = "0x7f" + "ff" * 32 + "80" * 900 + "5a50" * 250
    found = error(view, "debug_traceCall", {"data": code}, "latest", {})
    assert found[0] == -32005
    assert found[1].startswith("trace over 20000000 bytes")


def test_proofs_lead_from_the_root_to_the_account_and_nowhere_else(
    world: ChainWorld, view: LiveChain
) -> None:
    root = world.chain.head.state_root
    found: Any = result(view, "eth_getProof", SENDER, ["0x1", SLOT], "latest")
    nodes = [bytes.fromhex(node[2:]) for node in found["accountProof"]]
    assert proven(root, address_of(USER), nodes) != b""
    assert [each["key"] for each in found["storageProof"]] == ["0x1", SLOT]
    assert [each["value"] for each in found["storageProof"]] == ["0x0", "0x0"]
    absent: Any = result(view, "eth_getProof", OTHER, [], "latest")
    nodes = [bytes.fromhex(node[2:]) for node in absent["accountProof"]]
    assert proven(root, bytes.fromhex(OTHER[2:]), nodes) == b""
    assert (absent["balance"], absent["nonce"]) == ("0x0", "0x0")


def proven(root: bytes, address: bytes, nodes: list[bytes]) -> bytes:
    """Return what py-trie reads of an account from its proof."""
    trie: Any = HexaryTrie  # it has no types
    value: bytes = trie.get_from_proof(root, keccak256(address), [rlp.decode(n) for n in nodes])
    return value


def test_slots_are_counted_before_they_are_read(view: LiveChain) -> None:
    found = error(view, "eth_getProof", SENDER, ["no slot"] * 1_025)
    assert found == (-32602, "too many slots (max 1024)")


def test_many_slots_are_read_at_once(view: LiveChain) -> None:
    assert result(view, "eth_getStorageValues", {OTHER: ["0x0", SLOT]}) == {OTHER: [word(0)] * 2}
    too_many = {OTHER: ["0x0"] * 1_025}
    assert error(view, "eth_getStorageValues", too_many) == (-32602, "too many slots (max 1024)")
    assert error(view, "eth_getStorageValues", {}) == (-32602, "empty request")


def simulated(view: LiveChain, *blocks: dict[str, Any], **options: Any) -> Any:
    return result(view, "eth_simulateV1", {"blockStateCalls": list(blocks), **options}, "latest")


def test_simulated_blocks_stand_on_each_other(world: ChainWorld, view: LiveChain) -> None:
    rich = {"stateOverrides": {OTHER: {"balance": "0x64"}}}
    pay = {"calls": [{"from": OTHER, "to": CODE_AT, "value": "0x64"}]}
    back = {"calls": [{"from": CODE_AT, "to": OTHER, "value": "0x63"}]}
    first, second = simulated(view, rich | pay, back)
    head = world.chain.head
    assert first["parentHash"] == "0x" + head.hash.hex()
    assert second["parentHash"] == first["hash"]
    assert [first["number"], second["number"]] == [hex(head.block_number + n) for n in (1, 2)]
    assert [call["status"] for block in (first, second) for call in block["calls"]] == ["0x1"] * 2
    with world.chain.state_at(head) as state:
        assert state.account(bytes.fromhex(OTHER[2:])) is None


def test_transfers_are_logs_where_that_is_wanted_and_failed_ones_are_not(view: LiveChain) -> None:
    accounts = {
        OTHER: {"balance": "0x64"},
        CODE_AT: {"code": REVERTS},
    }
    calls = [
        {"from": OTHER, "to": CODE_AT, "value": "0x1"},
        {"from": OTHER, "to": SENDER, "value": "0x2"},
    ]
    block = {"stateOverrides": accounts, "calls": calls}
    reverted, sent = simulated(view, block, traceTransfers=True)[0]["calls"]
    assert (reverted["logs"], reverted["error"]["code"]) == ([], 3)
    assert [(log["address"], log["data"]) for log in sent["logs"]] == [("0x" + "ee" * 20, word(2))]
    assert simulated(view, block)[0]["calls"][1]["logs"] == []


def test_logs_of_contracts_are_the_same_watched_or_not(view: LiveChain) -> None:
    block = {"stateOverrides": {CODE_AT: {"code": LOGS}}, "calls": [{"to": CODE_AT}] * 2}
    plain, traced = simulated(view, block)[0], simulated(view, block, traceTransfers=True)[0]
    assert plain == traced
    assert [call["logs"][0]["logIndex"] for call in plain["calls"]] == ["0x0", "0x1"]


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        pytest.param({}, -32602, "empty input", id="nothing"),
        pytest.param({"blockStateCalls": [{}] * 257}, -38026, "too many blocks", id="many"),
        pytest.param(
            {"blockStateCalls": [{"blockOverrides": {"number": "0x1000"}}]},
            -38026,
            "too many blocks",
            id="far-away",
        ),
        pytest.param(
            {"blockStateCalls": [{"calls": [{"from": OTHER, "value": "0x1", "to": OTHER}]}]},
            -38014,
            "err: insufficient funds for gas * price + value: address "
            "0xaAaAaAaaAaAaAaaAaAAAAAAAAaaaAaAaAaaAaaAa have 0 want 1 (supplied gas 33554432)",
            id="poor",
        ),
        pytest.param(
            {"blockStateCalls": [{"calls": [{"to": OTHER, "gas": "0x64"}]}]},
            -38013,
            "err: intrinsic gas too low: have 100, want 21000 (supplied gas 100)",
            id="intrinsic-gas",
        ),
        pytest.param(
            {"blockStateCalls": [{"calls": [{"to": OTHER, "gas": "0xfffffffff"}]}]},
            -38015,
            "block gas limit reached: 68719476735 >= 33554432",
            id="block-gas",
        ),
        pytest.param(
            {
                "blockStateCalls": [
                    {"calls": [{"from": OTHER, "to": OTHER, "nonce": "0x5", "gas": "0x5208"}]}
                ],
                "validation": True,
            },
            -38011,
            "err: nonce too high: address 0xaAaAaAaaAaAaAaaAaAAAAAAAAaaaAaAaAaaAaaAa, tx: 5 "
            "state: 0 (supplied gas 21000)",
            id="nonce",
        ),
        pytest.param(
            {
                "blockStateCalls": [
                    {
                        "stateOverrides": {OTHER: {"balance": "0x1ffff"}},
                        "calls": [
                            {"from": OTHER, "to": OTHER, "gas": "0x5208"}
                            | {"blobVersionedHashes": [WORD]}
                        ],
                    }
                ]
            },
            -38014,
            "err: insufficient funds for gas * price + value: address "
            "0xaAaAaAaaAaAaAaaAaAAAAAAAAaaaAaAaAaaAaaAa have 131071 want 131072 "
            "(supplied gas 21000)",
            id="blobs-that-cannot-be-paid",
        ),
        pytest.param(
            {"blockStateCalls": [{"calls": [{"to": "c0de"}]}]},
            -32602,
            "invalid argument 0: blockStateCalls: calls: to: json: cannot unmarshal hex string "
            "without 0x prefix into Go value of type common.Address",
            id="no-address",
        ),
        pytest.param(
            {"blockStateCalls": [{}], "validation": 1},
            -32602,
            "invalid argument 0: validation: json: cannot unmarshal number into Go value of type "
            "bool",
            id="no-flag",
        ),
        pytest.param(
            {"blockStateCalls": [{"calls": [{}] * 2_380}, {"calls": [{}]}, {"calls": [{}]}]},
            -32602,
            "invalid argument 0: blockStateCalls: 2382 calls of all blocks together; want at most "
            "2380",
            id="more-calls-than-gas",
        ),
        pytest.param(
            {"blockStateCalls": [{"stateOverrides": {f"0x{i:040x}": {} for i in range(10_001)}}]},
            -32602,
            "invalid argument 0: blockStateCalls: 10001 stateOverrides of all blocks together; "
            "want at most 10000",
            id="accounts",
        ),
        pytest.param(
            {
                "blockStateCalls": [
                    {
                        "stateOverrides": {CODE_AT: {"code": LOG_LOOP}},
                        "blockOverrides": {"gasLimit": "0x2faf080"},
                        "calls": [{"to": CODE_AT}],
                    }
                ]
            },
            -32005,
            "what the calls return and log is over 25000000 bytes; ask for fewer",
            id="logs",
        ),
    ],
)
def test_a_simulation_is_refused_with_code_and_words(
    view: LiveChain, options: dict[str, Any], code: int, words: str
) -> None:
    assert error(view, "eth_simulateV1", options, "latest") == (code, words)


def test_a_model_runs_as_a_contract_would_run_it(world: ChainWorld, view: LiveChain) -> None:
    model_id = world.register_model()
    world.propose()
    images = np.load(sample_model_path("digits_100_images.npy"), allow_pickle=False)
    image = images[0].tobytes()
    found: Any = result(view, "cvm_infer", "0x" + model_id.hex(), "0x" + image.hex())
    assert bytes.fromhex(found["output"][2:]) == world.chain.host.run(model_id, image)
    call = {"to": "0x" + INFER_ADDRESS.hex(), "data": "0x" + (model_id + image).hex()}
    called = result(view, "eth_call", call)
    assert called == found["output"]
    assert int(found["gasUsed"], 16) > 21_000
    code, words = error(view, "cvm_infer", "0x" + "77" * 32, "0x" + image.hex())
    assert (code, words) == (3, "execution reverted")


def test_a_simulated_inference_pays_the_owner(tmp_path: Path) -> None:
    world = ChainWorld(tmp_path, GENESIS)
    model_id = world.register_model(royalty_gas=10)
    passed_on = b"".join(part.rjust(32, b"\0") for part in (address_of(USER), OWNER, model_id))
    world.send(MODEL_REGISTRY, TRANSFER_FROM + passed_on)
    view = live_chain(world, TransactionPool(CHAIN_ID))
    image = bytes(28 * 28)
    infer = {"from": SENDER, "to": "0x" + INFER_ADDRESS.hex(), "gasPrice": "0x7"}
    infer["input"] = "0x" + (model_id + image).hex()
    balance_of_owner = "0x73" + OWNER.hex() + "31" + RETURN_WORD
    reading = {"stateOverrides": {CODE_AT: {"code": balance_of_owner}}}
    calls = {"calls": [infer, {"from": SENDER, "to": CODE_AT}]}
    (block,) = simulated(view, reading | calls)
    ran, read = block["calls"]
    assert ran["status"] == "0x1"
    assert int(read["returnData"], 16) == 10 * 7
    view.close()
    world.close()
