"""The OpenRPC document is made of the code, is complete, and is true of real answers."""

import asyncio
import json
import re
from collections.abc import Iterator
from dataclasses import replace

import pytest

from consensus.ethereum.ethereum_block import EthereumBlock
from cvm.evm.state_reader import Account
from models_registry.chunks import model_id
from node.execution.access_list import AccessListJob, AccessListResult
from node.execution.block_building import BuildJob, BuiltBlock
from node.execution.call_outcome import CallOutcome
from node.execution.proofs import AccountProof, ProofJob, SlotProof
from node.execution.simulation import SimulatedBlock
from node.rpc.caller import Caller
from node.rpc.events import ChainEvents
from node.rpc.methods import METHODS
from node.rpc.openrpc import FILE, RESULTS, document, text
from node.rpc.outbox import Outbox
from node.rpc.rpc_config import NAMESPACES
from node.rpc.schemas.argument_schemas import ARGUMENT_SCHEMAS
from node.rpc.schemas.components import COMPONENTS
from node.rpc.simulated_blocks import SimulatedBlocksJob, simulated_block_object
from node.rpc.subscriptions import ClientSubscriptions, SubscriptionHub
from node.tracing.trace_jobs import json_text
from opcodes.gas import InferenceGas
from opcodes.inference_host import InferenceCall
from opcodes.inference_trace import InferenceTrace
from tests.json_schema import mismatch
from tests.unit.node.rpc.fake_chain import (
    ACTIVE_MODEL,
    ALICE,
    GWEI,
    FakeChain,
    access_list_tx,
    dynamic_fee_tx,
    legacy_tx,
    set_code_tx,
    small_chain,
)
from tests.unit.node.rpc.fake_dev import SENT, FakeDev
from tests.unit.node.rpc.fake_node import fake_self
from tests.unit.node.rpc.rpc_caller import call, shared_node
from tests.unit.node.rpc.test_execution_apis import published  # noqa: F401 - a fixture

BLOCK_HASH = "0x" + small_chain().blocks[1].header.hash.hex()
FIRST_TX = "0x" + small_chain().blocks[1].transactions[0].hash.hex()
LATER_TXS = ["0x" + tx.hash.hex() for tx in small_chain().blocks[2].transactions]
ALICE_HEX, BOB_HEX = "0x" + ALICE.hex(), "0x" + "b0" * 20
MODEL = "0x" + ACTIVE_MODEL.hex()
HELD = "0x" + model_id(FakeChain().held).hex()
RUN = InferenceCall(ACTIVE_MODEL, ALICE, True, InferenceGas(3000, 5, 80, 20, 6), b"\1\2", b"\7")
HASH_OF_SENT = f"0x{SENT.hex()}"
CALL = {"to": "0x" + "cc" * 20}
TYPED = {
    "types": {"Note": [{"name": "text", "type": "string"}]},
    "primaryType": "Note",
    "domain": {"name": "notes"},
    "message": {"text": "hello"},
}
WISH = {"from": ALICE_HEX, "to": BOB_HEX, "gas": "0x5208", "gasPrice": hex(2 * GWEI)}

CALLS: tuple[tuple[str, tuple[object, ...]], ...] = (
    ("admin_addPeer", ("enode://a",)),
    ("admin_datadir", ()),
    ("admin_nodeInfo", ()),
    ("admin_peers", ()),
    ("admin_removePeer", ("enode://a",)),
    ("anvil_addBalance", (ALICE_HEX, 1)),
    ("anvil_autoImpersonateAccount", (True,)),
    ("anvil_dropAllTransactions", ()),
    ("anvil_dropTransaction", (HASH_OF_SENT,)),
    ("anvil_dropTransaction", (FIRST_TX,)),
    ("anvil_getAutomine", ()),
    ("anvil_getIntervalMining", ()),
    ("anvil_impersonateAccount", (ALICE_HEX,)),
    ("anvil_metadata", ()),
    ("anvil_mine", ("0x2", "0x3c")),
    ("anvil_nodeInfo", ()),
    ("anvil_removeBlockTimestampInterval", ()),
    ("anvil_removePoolTransactions", (ALICE_HEX,)),
    ("anvil_reset", ()),
    ("anvil_revert", ("0x0",)),
    ("anvil_setAutomine", (True,)),
    ("anvil_setBalance", (ALICE_HEX, "0x1")),
    ("anvil_setBlockTimestampInterval", (5,)),
    ("anvil_setCode", (ALICE_HEX, "0x00")),
    ("anvil_setIntervalMining", (5,)),
    ("anvil_setNextBlockBaseFeePerGas", ("0x7",)),
    ("anvil_setNextBlockTimestamp", (5,)),
    ("anvil_setNonce", (ALICE_HEX, "0x1")),
    ("anvil_setStorageAt", (ALICE_HEX, "0x0", "0x" + "00" * 32)),
    ("anvil_setTime", (5,)),
    ("anvil_snapshot", ()),
    ("anvil_stopImpersonatingAccount", (ALICE_HEX,)),
    ("cvm_backends", ()),
    ("cvm_estimateInference", (MODEL, "0x2")),
    ("cvm_getChunk", (HELD, "0x0")),
    ("cvm_getCommitCertificate", ("0x2",)),
    ("cvm_getCommitCertificate", ("0x0",)),
    ("cvm_getInferences", ({"fromBlock": "0x0"},)),
    ("cvm_getModel", (MODEL,)),
    ("cvm_getModel", ("0x" + "77" * 32,)),
    ("cvm_infer", (MODEL, "0x00")),
    ("cvm_listCertificates", ("0x1", "0x3")),
    ("cvm_listEvidence", ()),
    ("cvm_listModels", ()),
    ("cvm_missingChunks", (MODEL, "0x80000")),
    ("cvm_modelInterface", (MODEL,)),
    ("cvm_modelStatus", (MODEL,)),
    ("cvm_modelStatus", ("0x" + "77" * 32, "0x5")),
    ("cvm_nodeStatus", ()),
    ("cvm_putChunk", (HELD, "0x7", "0x0", "0x" + FakeChain().held.hex(), [])),
    ("cvm_traceInference", (FIRST_TX, {"nodes": True})),
    ("cvm_verifyInference", (FIRST_TX,)),
    ("debug_getBadBlocks", ()),
    ("debug_getRawHeader", ("0x1",)),
    ("debug_getRawReceipts", ("0x1",)),
    ("debug_getRawTransaction", (FIRST_TX,)),
    ("eth_accounts", ()),
    ("eth_baseFee", ()),
    ("eth_blobBaseFee", ()),
    ("eth_blockNumber", ()),
    ("eth_call", (CALL, "latest")),
    ("eth_capabilities", ()),
    ("eth_chainId", ()),
    ("eth_coinbase", ()),
    ("eth_config", ()),
    ("eth_createAccessList", (CALL,)),
    ("eth_estimateGas", (CALL,)),
    ("eth_feeHistory", ("0x4", "latest", [5, 95])),
    ("eth_fillTransaction", ({"from": ALICE_HEX, "to": BOB_HEX},)),
    ("eth_gasPrice", ()),
    ("eth_getAccountInfo", (ALICE_HEX,)),
    ("eth_getBalance", (ALICE_HEX,)),
    ("eth_getBlockAccessList", ("0x99",)),
    ("eth_getBlockByHash", (BLOCK_HASH, False)),
    ("eth_getBlockByNumber", ("0x0", True)),
    ("eth_getBlockByNumber", ("0x1", True)),
    ("eth_getBlockByNumber", ("0x2", True)),
    ("eth_getBlockByNumber", ("0x9", True)),
    ("eth_getBlockReceipts", ("0x1",)),
    ("eth_getBlockReceipts", ("0x2",)),
    ("eth_getBlockTransactionCountByHash", (BLOCK_HASH,)),
    ("eth_getBlockTransactionCountByNumber", ("0x1",)),
    ("eth_getCode", (ALICE_HEX,)),
    ("eth_getHeaderByHash", (BLOCK_HASH,)),
    ("eth_getHeaderByNumber", ("0x2",)),
    ("eth_getLogs", ({"fromBlock": "0x0"},)),
    ("eth_getProof", (ALICE_HEX, ["0x0"])),
    ("eth_getStorageAt", (ALICE_HEX, "0x0")),
    ("eth_getStorageValues", ({ALICE_HEX: ["0x0", "0x1"]},)),
    ("eth_getTransactionByBlockHashAndIndex", (BLOCK_HASH, "0x0")),
    ("eth_getTransactionByBlockNumberAndIndex", ("0x1", "0x1")),
    ("eth_getTransactionByHash", (LATER_TXS[0],)),
    ("eth_getTransactionByHash", (LATER_TXS[1],)),
    ("eth_getTransactionByHash", (LATER_TXS[2],)),
    ("eth_getTransactionCount", (ALICE_HEX, "pending")),
    ("eth_getTransactionReceipt", (LATER_TXS[2],)),
    ("eth_getUncleByBlockHashAndIndex", (BLOCK_HASH, "0x0")),
    ("eth_getUncleByBlockNumberAndIndex", ("0x1", "0x0")),
    ("eth_getUncleCountByBlockHash", (BLOCK_HASH,)),
    ("eth_getUncleCountByBlockNumber", ("0x1",)),
    ("eth_maxPriorityFeePerGas", ()),
    ("eth_newBlockFilter", ()),
    ("eth_newFilter", ({},)),
    ("eth_newPendingTransactionFilter", ()),
    ("eth_sendRawTransaction", ("0x02",)),
    ("eth_sendTransaction", (WISH,)),
    ("eth_sign", (ALICE_HEX, "0x00")),
    ("eth_signTransaction", ({**WISH, "nonce": "0x1"},)),
    ("eth_signTypedData_v4", (ALICE_HEX, TYPED)),
    ("eth_simulateV1", ({"blockStateCalls": [{}]},)),
    ("eth_subscribe", ("newHeads",)),
    ("eth_syncing", ()),
    ("eth_uninstallFilter", ("0x1",)),
    ("evm_increaseTime", (5,)),
    ("evm_mine", ()),
    ("evm_revert", (3,)),
    ("evm_setAccountNonce", (ALICE_HEX, 1)),
    ("evm_setAutomine", (False,)),
    ("evm_setIntervalMining", (0,)),
    ("evm_setNextBlockTimestamp", ("0x5",)),
    ("evm_setTime", (5,)),
    ("evm_snapshot", ()),
    ("hardhat_autoImpersonateAccount", (True,)),
    ("hardhat_dropTransaction", (FIRST_TX,)),
    ("hardhat_getAutomine", ()),
    ("hardhat_impersonateAccount", (ALICE_HEX,)),
    ("hardhat_metadata", ()),
    ("hardhat_mine", ()),
    ("hardhat_reset", ()),
    ("hardhat_setAutomine", (True,)),
    ("hardhat_setBalance", (ALICE_HEX, "0x1")),
    ("hardhat_setCode", (ALICE_HEX, "0x00")),
    ("hardhat_setNextBlockBaseFeePerGas", ("0x7",)),
    ("hardhat_setNonce", (ALICE_HEX, "0x1")),
    ("hardhat_setStorageAt", (ALICE_HEX, "0x0", "0x" + "00" * 32)),
    ("hardhat_stopImpersonatingAccount", (ALICE_HEX,)),
    ("net_listening", ()),
    ("net_peerCount", ()),
    ("net_version", ()),
    ("personal_sign", ("0x00", ALICE_HEX)),
    ("rpc.discover", ()),
    ("rpc_modules", ()),
    ("testing_buildBlockV1", (BLOCK_HASH, {"timestamp": "0x1"}, [])),
    ("txpool_content", ()),
    ("txpool_contentFrom", (ALICE_HEX,)),
    ("txpool_inspect", ()),
    ("txpool_status", ()),
    ("web3_clientVersion", ()),
    ("web3_sha3", ("0x",)),
)
TRACED = "runs blocks again: test_debug_trace, test_trace"
OTTERSCAN = "of a real chain: test_ots"
ELSEWHERE = {
    "debug_getRawBlock": TRACED,
    "debug_traceBlockByHash": TRACED,
    "debug_traceBlockByNumber": TRACED,
    "debug_traceCall": TRACED,
    "debug_traceTransaction": TRACED,
    "erigon_getHeaderByNumber": OTTERSCAN,
    "ots_getApiLevel": OTTERSCAN,
    "ots_getBlockDetails": OTTERSCAN,
    "ots_getBlockDetailsByHash": OTTERSCAN,
    "ots_getBlockTransactions": OTTERSCAN,
    "ots_getContractCreator": OTTERSCAN,
    "ots_getInternalOperations": OTTERSCAN,
    "ots_getTransactionBySenderAndNonce": OTTERSCAN,
    "ots_getTransactionError": OTTERSCAN,
    "ots_hasCode": OTTERSCAN,
    "ots_searchTransactionsAfter": OTTERSCAN,
    "ots_searchTransactionsBefore": OTTERSCAN,
    "ots_traceTransaction": OTTERSCAN,
    "trace_block": TRACED,
    "trace_call": TRACED,
    "trace_callMany": TRACED,
    "trace_filter": TRACED,
    "trace_get": TRACED,
    "trace_rawTransaction": TRACED,
    "trace_replayBlockTransactions": TRACED,
    "trace_replayTransaction": TRACED,
    "trace_transaction": TRACED,
    "eth_getFilterChanges": "its result depends on what was installed: see the filters below",
    "eth_getFilterLogs": "see the filters below",
    "eth_sendRawTransactionSync": "waits for a block: test_eth_send_sync",
    "eth_unsubscribe": "a flag: test_websocket",
}


def execution_answers(chain: FakeChain) -> dict[type, object]:
    """Return what jobs give: a list, a proof, a made-up block of three calls, a built block."""
    view = chain.blocks[1]
    block = EthereumBlock(view.header, view.transactions, (), ())
    senders = tuple(tx.sender for tx in view.transactions)
    log = chain.receipts_of[view.header.hash][1].logs[0]
    outcomes = (
        CallOutcome(b"", ((0, log),), 21_000, 21_000, None, reverted=False),
        CallOutcome(b"", (), 21_000, 21_000, "execution reverted", reverted=True),
        CallOutcome(b"\x07", (), 21_000, 21_000, None, reverted=False),
    )
    simulated = simulated_block_object(SimulatedBlock(block, senders, outcomes), is_full=False)
    slot = SlotProof(0, 7, (b"\xc1\x80",))
    return {
        AccessListJob: AccessListResult(((ALICE, (0, 5)),), 21_000, "OutOfGas"),
        ProofJob: AccountProof(Account(), (b"\xc1\x80",), (slot,)),
        SimulatedBlocksJob: json_text([simulated]),
        BuildJob: BuiltBlock(block, 7),
    }


def full_chain() -> FakeChain:
    """Return a chain with a full pool, and an inference in block 1."""
    chain = small_chain()
    chain.pool = [legacy_tx(6, 2 * GWEI), dynamic_fee_tx(7, GWEI, to=b"")]
    chain.queue = [access_list_tx(9, 3 * GWEI), set_code_tx(12)]
    chain.answers = execution_answers(chain)
    chain.traces = (InferenceTrace(0, RUN, ()),)
    chain.block_traces = {chain.blocks[1].header.hash: [(0, InferenceTrace(0, RUN))]}
    return chain


def answer_of(method: str, *params: object) -> object:
    """Return the result of a call by a client that may call everything and be notified."""

    async def ask() -> dict[str, object]:
        chain = full_chain()
        hub = SubscriptionHub(chain, ChainEvents())
        subscriber = ClientSubscriptions(hub, Outbox())
        node = shared_node(chain, replace(fake_self(), dev=FakeDev()))
        return await call(Caller(node, frozenset(NAMESPACES), subscriber), method, *params)

    response = asyncio.run(ask())
    assert "result" in response, response
    return response["result"]


def test_the_file_is_what_the_code_says() -> None:
    assert FILE.read_text() == text(), "run `python -m node.rpc.openrpc` and commit the file"


def test_every_method_has_a_result_and_every_parser_a_schema() -> None:
    assert set(RESULTS) == set(METHODS)
    parsers = {each.parse for method in METHODS.values() for each in method.parameters}
    assert parsers == set(ARGUMENT_SCHEMAS)


def references(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        if "$ref" in value:
            yield str(value["$ref"]).removeprefix("#/components/schemas/")
        for each in value.values():
            yield from references(each)
    elif isinstance(value, list):
        for each in value:
            yield from references(each)


def test_every_reference_leads_to_a_schema_and_every_schema_is_used() -> None:
    assert set(references(document(lambda _name: True))) == set(COMPONENTS)


def test_every_method_and_parameter_is_described() -> None:
    methods = json.loads(text())["methods"]
    assert [method["name"] for method in methods] == sorted(METHODS)
    assert all(re.fullmatch(r"[A-Z].*[.:,;]?", method["summary"]) for method in methods)
    block = next(method for method in methods if method["name"] == "eth_getBalance")["params"][1]
    reference = {"$ref": "#/components/schemas/BlockReference"}
    assert block == {"name": "block", "required": False, "schema": reference}


def test_each_endpoint_discovers_what_it_answers() -> None:
    caller = Caller(shared_node(small_chain()), frozenset({"net"}))
    found = asyncio.run(call(caller, "rpc.discover"))["result"]
    assert isinstance(found, dict)
    assert [method["name"] for method in found["methods"]] == [
        "net_listening",
        "net_peerCount",
        "net_version",
        "rpc.discover",
        "rpc_modules",
    ]


def test_every_method_is_called_below() -> None:
    assert {method for method, _ in CALLS} | set(ELSEWHERE) == set(METHODS)


@pytest.mark.parametrize(
    ("method", "params"),
    [pytest.param(*each, id=f"{place}-{each[0]}") for place, each in enumerate(CALLS)],
)
def test_a_real_answer_fits_its_schema(method: str, params: tuple[object, ...]) -> None:
    assert mismatch(answer_of(method, *params), RESULTS[method], COMPONENTS) is None


def test_what_filters_bring_fits_its_schema() -> None:
    block = small_chain().blocks[1]
    hashes: list[object] = ["0x" + block.header.hash.hex()]
    for found in (hashes, [], answer_of("eth_getLogs", {"fromBlock": "0x0"})):
        assert mismatch(found, RESULTS["eth_getFilterChanges"], COMPONENTS) is None
    logs = answer_of("eth_getLogs", {"fromBlock": "0x0"})
    assert mismatch(logs, RESULTS["eth_getFilterLogs"], COMPONENTS) is None


@pytest.mark.parametrize(
    ("method", "wrong"),
    [
        pytest.param("eth_chainId", "0x01", id="leading-zero"),
        pytest.param("eth_getBlockByNumber", {"number": "0x1"}, id="fields-left-out"),
        pytest.param("eth_syncing", None, id="null"),
        pytest.param("txpool_status", {"pending": 1, "queued": "0x0"}, id="number"),
        pytest.param("net_version", "0x1", id="not-decimal"),
        pytest.param(
            "eth_getAccountInfo",
            {"balance": "0x0", "nonce": "0x0", "code": "0x", "root": "0x"},
            id="unknown-field",
        ),
    ],
)
def test_a_wrong_answer_does_not_fit(method: str, wrong: object) -> None:
    assert mismatch(wrong, RESULTS[method], COMPONENTS) is not None


def exchanges(texts: dict[str, str]) -> Iterator[tuple[str, object]]:
    """Yield method and result of every published exchange of a method that we have."""
    for path, content in sorted(texts.items()):
        if not path.endswith(".io"):
            continue
        lines = [line for line in content.splitlines() if line.startswith((">> ", "<< "))]
        for asked, told in zip(lines[::2], lines[1::2], strict=True):
            method = json.loads(asked[3:])["method"]
            answer = json.loads(told[3:])
            if method in METHODS and "result" in answer:
                yield method, answer["result"]


def test_published_answers_fit_our_schemas(published: dict[str, str]) -> None:  # noqa: F811
    found = list(exchanges(published))
    assert len(found) >= 60
    faults = {(method, mismatch(result, RESULTS[method], COMPONENTS)) for method, result in found}
    assert {each for each in faults if each[1] is not None} == set()


def test_our_answers_fit_the_published_schemas(published: dict[str, str]) -> None:  # noqa: F811
    specification = json.loads(published["openrpc.json"])
    shared = specification["components"]["schemas"]
    schemas = {each["name"]: each["result"]["schema"] for each in specification["methods"]}
    compared = [each for each in CALLS if each[0] in schemas]
    assert len(compared) >= 50
    faults = [
        (method, mismatch(answer_of(method, *params), schemas[method], shared))
        for method, params in compared
    ]
    assert [each for each in faults if each[1] is not None] == []
