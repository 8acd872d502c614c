"""Every block of execution-apis' chain is traced; its struct logs are compared value by value."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from consensus.ethereum.ethereum_block import split_blocks
from cvm.evm.creation_address import creation_address
from node.ethereum_archive import import_ethereum_blocks, init_ethereum_chain
from node.execution.ethereum_chain import EthereumExecutionChain
from node.sender_recovery import SenderRecovery
from node.storage.chain_database import ChainDatabase
from node.tracing.otterscan_jobs import ContractCreator, ContractCreatorJob, SenderNonceJob
from node.tracing.otterscan_search import SearchJob
from node.tracing.trace_config import parse_trace_config
from node.tracing.trace_jobs import TraceBlockJob
from tests.conformance.archives import files_of, require_suite
from tests.rpc_compat.io_file import parse_io
from tests.rpc_compat.judging import difference

HEAD, PARIS, MADE = 54, 37, 31
ALL_TRACERS = {
    "tracer": "muxTracer",
    "tracerConfig": {
        "callTracer": {"withLog": True},
        "flatCallTracer": {},
        "prestateTracer": {},
        "4byteTracer": {},
        "noopTracer": {},
    },
}
FOLDER = "debug_traceBlockByNumber/"


@pytest.fixture(scope="module")
def files() -> dict[str, bytes]:
    return {name.split("rpc/", 1)[-1]: data for name, data in files_of(require_suite("rpc-compat"))}


@pytest.fixture(scope="module")
def chain(
    files: dict[str, bytes], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[EthereumExecutionChain]:
    database = ChainDatabase(tmp_path_factory.mktemp("traces") / "chain")
    recovery = SenderRecovery()
    forks = init_ethereum_chain(database, files["genesis.json"])
    import_ethereum_blocks(database, forks, split_blocks(files["chain.rlp"]), recovery)
    recovery.close()
    yield EthereumExecutionChain(database, forks)
    database.close()


def trace(chain: EthereumExecutionChain, number: int, config: dict[str, Any]) -> Any:
    header = chain.header_at(number)
    assert header is not None
    return json.loads(TraceBlockJob(header.hash, parse_trace_config(config)).run(chain).text)


def test_struct_logs_are_those_of_the_suite(
    chain: EthereumExecutionChain, files: dict[str, bytes]
) -> None:
    compared = 0
    for name in sorted(name for name in files if name.startswith(FOLDER)):
        for sent, expected in parse_io(name, files[name].decode()).exchanges:
            if "error" in expected:
                continue
            number, *config = sent["params"]
            found = trace(chain, int(number, 16), config[0] if config else {})
            assert difference(expected["result"], found, name) is None
            compared += len(found)
    assert compared > 20


def test_otterscan_finds_every_transaction_and_the_makers_of_contracts(
    chain: EthereumExecutionChain,
) -> None:
    made, of_last = 0, []
    for number in range(HEAD, 0, -1):
        header = chain.header_at(number)
        block = None if header is None else chain.block(header.hash)
        assert block is not None
        for index, tx in enumerate(block.transactions):
            assert SenderNonceJob(tx.sender, tx.nonce).run(chain) == tx.hash
            found = None
            if not tx.to:
                found = ContractCreatorJob(creation_address(tx.sender, tx.nonce)).run(chain)
            if found is not None:
                assert found == ContractCreator(tx.hash, tx.sender)
                made += 1
            of_last.append((block.header.hash, index, tx.sender))
    assert made == MADE
    sender = of_last[0][2]
    page = SearchJob(sender, HEAD, goes_up=False, page_size=1_000).run(chain)
    found_places = {(each.block_hash, index) for each in page.blocks for index in each.indices}
    assert page.is_complete
    assert found_places >= {(at, index) for at, index, who in of_last if who == sender}


def test_every_block_is_traced_by_all_tracers_at_once(chain: EthereumExecutionChain) -> None:
    logs_found = 0
    for number in range(1, HEAD + 1):
        found = trace(chain, number, ALL_TRACERS)
        header = chain.header_at(number)
        block = None if header is None else chain.block(header.hash)
        assert header is not None
        assert block is not None
        assert [item["txHash"] for item in found] == [
            "0x" + tx.hash.hex() for tx in block.transactions
        ]
        calls = [item["result"]["callTracer"] for item in found]
        assert sum(int(call["gasUsed"], 16) for call in calls) == header.gas_used
        logs = [log for call in calls for log in logs_of(call)]
        assert [int(log["index"], 16) for log in logs] == list(range(len(logs)))
        logs_found += len(logs)
        for item, tx in zip(found, block.transactions, strict=True):
            flat = item["result"]["flatCallTracer"]
            assert flat[0]["transactionHash"] == "0x" + tx.hash.hex()
            assert len(flat) == 1 + sum(call["subtraces"] for call in flat)
            assert item["result"]["prestateTracer"]["0x" + tx.sender.hex()]["balance"] != "0x0"
    assert logs_found > 0


def test_a_difference_shows_what_the_sender_paid(chain: EthereumExecutionChain) -> None:
    config = {"tracer": "prestateTracer", "tracerConfig": {"diffMode": True}}
    compared = 0
    for number in range(PARIS, HEAD + 1):
        header = chain.header_at(number)
        block = None if header is None else chain.block(header.hash)
        assert block is not None
        for item, tx in zip(trace(chain, number, config), block.transactions, strict=True):
            sender = "0x" + tx.sender.hex()
            before, after = item["result"]["pre"][sender], item["result"]["post"][sender]
            assert int(after["balance"], 16) < int(before["balance"], 16)
            assert after["nonce"] == before.get("nonce", 0) + 1
            compared += 1
    assert compared > 0


def logs_of(frame: Any) -> list[Any]:
    own = list(frame.get("logs", ()))
    inner = [log for call in frame.get("calls", ()) for log in logs_of(call)]
    return sorted(own + inner, key=lambda log: int(log["index"], 16))
