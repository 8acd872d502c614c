"""Blocks and the chain's own facts, by number, tag and hash."""

import pytest

from node.rpc.chain_view import SyncProgress
from tests.unit.node.rpc.fake_chain import small_chain
from tests.unit.node.rpc.rpc_caller import result, result_object

UNKNOWN_HASH = "0x" + "de" * 32

HEADER_KEYS = {
    "baseFeePerGas", "blobGasUsed", "difficulty", "excessBlobGas", "extraData", "gasLimit",
    "gasUsed", "hash", "logsBloom", "miner", "mixHash", "nonce", "number",
    "parentBeaconBlockRoot", "parentHash", "receiptsRoot", "requestsHash", "sha3Uncles", "size",
    "stateRoot", "timestamp", "transactions", "transactionsRoot", "uncles", "withdrawals",
    "withdrawalsRoot",
}  # fmt: skip
"""Of a Prague block: execution-apis, eth_getBlockByNumber; totalDifficulty left with the merge."""


@pytest.mark.parametrize(
    ("method", "expected"),
    [
        pytest.param("eth_chainId", "0x539", id="chain-id"),
        pytest.param("eth_blockNumber", "0x3", id="height"),
        pytest.param("eth_syncing", False, id="at-the-tip"),
        pytest.param("eth_accounts", [], id="no-accounts"),
        pytest.param("net_version", "1337", id="network-in-decimal"),
        pytest.param("net_listening", True, id="listening"),
        pytest.param("net_peerCount", "0x3", id="peers"),
        pytest.param("web3_clientVersion", "cvm/v0.1.0/test", id="client"),
    ],
)
def test_plain_facts(method: str, expected: object) -> None:
    assert result(small_chain(), method) == expected


def test_sha3_is_keccak_256() -> None:
    assert result(small_chain(), "web3_sha3", "0x68656c6c6f20776f726c64") == (
        "0x47173285a8d7341e5e972fc677286384f802f8ef42a5ec5f03bbfa254cb01fad"
    )


def test_a_node_that_catches_up_says_how_far_it_is() -> None:
    chain = small_chain()
    chain.progress = SyncProgress(1, 16, 300)
    assert result(chain, "eth_syncing") == {
        "startingBlock": "0x1",
        "currentBlock": "0x10",
        "highestBlock": "0x12c",
    }


def test_a_block_has_the_fields_of_prague() -> None:
    chain = small_chain()
    block = result_object(chain, "eth_getBlockByNumber", "0x1", False)
    assert set(block) == HEADER_KEYS
    assert block["hash"] == "0x" + chain.blocks[1].header.hash.hex()
    assert block["parentHash"] == "0x" + chain.blocks[0].header.hash.hex()
    assert block["nonce"] == "0x0000000000000000"
    assert block["number"] == "0x1"
    assert block["size"] == "0x259"
    assert block["gasUsed"] == "0x16378"
    assert block["extraData"] == "0x63766d"
    assert block["baseFeePerGas"] == "0x3b9aca00"
    assert block["parentBeaconBlockRoot"] == "0x" + "01" * 32
    assert block["transactions"] == ["0x" + tx.hash.hex() for tx in chain.blocks[1].transactions]
    assert block["withdrawals"] == [
        {"index": "0x0", "validatorIndex": "0x5", "address": "0x" + "b0" * 20, "amount": "0x64"}
    ]


def test_a_full_block_holds_the_transactions_themselves() -> None:
    chain = small_chain()
    block = result_object(chain, "eth_getBlockByNumber", "0x2", True)
    alone = [
        result(chain, "eth_getTransactionByHash", "0x" + tx.hash.hex())
        for tx in chain.blocks[2].transactions
    ]
    assert block["transactions"] == alone


@pytest.mark.parametrize(
    ("tag", "number"),
    [
        ("earliest", "0x0"),
        ("latest", "0x3"),
        ("safe", "0x3"),
        ("finalized", "0x3"),
        ("pending", "0x3"),
    ],
)
def test_a_tag_names_a_block(tag: str, number: str) -> None:
    assert result_object(small_chain(), "eth_getBlockByNumber", tag, False)["number"] == number


def test_a_block_is_the_same_by_hash_as_by_number() -> None:
    chain = small_chain()
    by_hash = result(chain, "eth_getBlockByHash", "0x" + chain.blocks[1].header.hash.hex(), True)
    assert by_hash == result(chain, "eth_getBlockByNumber", "0x1", True)


@pytest.mark.parametrize(
    ("method", "params"),
    [
        pytest.param("eth_getBlockByNumber", ("0x4", False), id="above-the-head"),
        pytest.param("eth_getBlockByHash", (UNKNOWN_HASH, False), id="unknown-hash"),
        pytest.param("eth_getBlockTransactionCountByNumber", ("0x4",), id="count-above-the-head"),
        pytest.param("eth_getBlockTransactionCountByHash", (UNKNOWN_HASH,), id="count-by-hash"),
        pytest.param("eth_getBlockReceipts", (UNKNOWN_HASH,), id="receipts"),
        pytest.param("eth_getTransactionByHash", (UNKNOWN_HASH,), id="transaction"),
        pytest.param("eth_getTransactionReceipt", (UNKNOWN_HASH,), id="receipt"),
        pytest.param("eth_getTransactionByBlockNumberAndIndex", ("0x1", "0x3"), id="index"),
        pytest.param(
            "eth_getTransactionByBlockHashAndIndex", (UNKNOWN_HASH, "0x0"), id="hash-and-index"
        ),
        pytest.param("cvm_getModel", (UNKNOWN_HASH,), id="model"),
    ],
)
def test_what_is_not_there_is_null(method: str, params: tuple[object, ...]) -> None:
    assert result(small_chain(), method, *params) is None


def test_transactions_are_counted() -> None:
    chain = small_chain()
    block_hash = "0x" + chain.blocks[1].header.hash.hex()
    assert result(chain, "eth_getBlockTransactionCountByNumber", "0x1") == "0x3"
    assert result(chain, "eth_getBlockTransactionCountByHash", block_hash) == "0x3"
    assert result(chain, "eth_getBlockTransactionCountByNumber", "latest") == "0x0"
