"""Transactions of every type, included and waiting, and their receipts."""

import pytest

from cvm.evm.creation_address import creation_address
from cvm.evm.header import BlockHeader
from node.rpc.encoding import header_fields
from tests.unit.node.rpc.fake_chain import ALICE, FakeChain, dynamic_fee_tx, small_chain
from tests.unit.node.rpc.rpc_caller import error, result, result_list, result_object

COMMON = {
    "blockHash", "blockNumber", "blockTimestamp", "chainId", "from", "gas", "gasPrice", "hash",
    "input", "nonce", "r", "s", "to", "transactionIndex", "type", "v", "value",
}  # fmt: skip
FEES = {"accessList", "maxFeePerGas", "maxPriorityFeePerGas", "yParity"}
RECEIPT = {
    "blockHash", "blockNumber", "contractAddress", "cumulativeGasUsed", "effectiveGasPrice", "from",
    "gasUsed", "logs", "logsBloom", "status", "to", "transactionHash", "transactionIndex", "type",
}  # fmt: skip
GWEI = 10**9


def transaction(chain: FakeChain, block: int, index: int) -> dict[str, object]:
    found = result_object(chain, "eth_getTransactionByBlockNumberAndIndex", hex(block), hex(index))
    return dict(found)


@pytest.mark.parametrize(
    ("block", "index", "kind", "keys"),
    [
        pytest.param(1, 0, "0x0", COMMON, id="legacy"),
        pytest.param(1, 1, "0x1", COMMON | {"accessList", "yParity"}, id="access-list"),
        pytest.param(1, 2, "0x2", COMMON | FEES, id="dynamic-fee"),
        pytest.param(
            2, 2, "0x3", COMMON | FEES | {"blobVersionedHashes", "maxFeePerBlobGas"}, id="blob"
        ),
        pytest.param(2, 1, "0x4", COMMON | FEES | {"authorizationList"}, id="set-code"),
    ],
)
def test_each_type_has_its_fields(block: int, index: int, kind: str, keys: set[str]) -> None:
    found = transaction(small_chain(), block, index)
    assert found["type"] == kind
    assert set(found) == keys


def test_a_legacy_transaction_tells_its_chain_by_v() -> None:
    found = transaction(small_chain(), 1, 0)
    assert (found["chainId"], found["v"]) == ("0x539", "0xa95")
    assert (found["nonce"], found["gas"], found["value"]) == ("0x0", "0xc350", "0x7")
    assert (found["input"], found["to"]) == ("0x0102", "0x" + "b0" * 20)
    assert found["from"] == "0x" + ALICE.hex()


def test_an_access_list_shows_slots_as_words() -> None:
    assert transaction(small_chain(), 1, 1)["accessList"] == [
        {
            "address": "0x" + "cc" * 20,
            "storageKeys": ["0x" + "0" * 64, "0x" + "0" * 63 + "5"],
        }
    ]


def test_an_authorization_shows_its_signature() -> None:
    assert transaction(small_chain(), 2, 1)["authorizationList"] == [
        {
            "chainId": "0x539",
            "address": "0x" + "cc" * 20,
            "nonce": "0x3",
            "yParity": "0x1",
            "r": "0x11",
            "s": "0x22",
        }
    ]


def test_the_price_of_an_included_transaction_is_base_fee_and_tip() -> None:
    assert transaction(small_chain(), 1, 2)["gasPrice"] == hex(GWEI + GWEI // 2)


def test_a_creation_has_no_destination() -> None:
    assert transaction(small_chain(), 2, 0)["to"] is None


def test_a_waiting_transaction_has_no_block_and_shows_its_fee_cap() -> None:
    chain = small_chain()
    tx = dynamic_fee_tx(6, GWEI)
    chain.pool.append(tx)
    found = result_object(chain, "eth_getTransactionByHash", "0x" + tx.hash.hex())
    for key in ("blockHash", "blockNumber", "blockTimestamp", "transactionIndex"):
        assert found[key] is None
    assert found["gasPrice"] == hex(5 * GWEI)
    assert set(found) == COMMON | FEES
    assert result(chain, "eth_getTransactionReceipt", "0x" + tx.hash.hex()) is None


def test_a_transaction_is_found_by_every_way() -> None:
    chain = small_chain()
    block = chain.blocks[1]
    by_hash = result(chain, "eth_getTransactionByHash", "0x" + block.transactions[1].hash.hex())
    by_block = result(
        chain, "eth_getTransactionByBlockHashAndIndex", "0x" + block.header.hash.hex(), "0x1"
    )
    assert by_hash == by_block == transaction(chain, 1, 1)


def test_receipts_count_gas_and_logs_through_the_block() -> None:
    chain = small_chain()
    receipts = result_list(chain, "eth_getBlockReceipts", "0x1")
    assert [set(receipt) for receipt in receipts] == [RECEIPT] * 3
    assert [r["gasUsed"] for r in receipts] == ["0x5208", "0x7530", "0x9c40"]
    assert [r["cumulativeGasUsed"] for r in receipts] == ["0x5208", "0xc738", "0x16378"]
    assert [r["status"] for r in receipts] == ["0x1", "0x1", "0x0"]
    assert [r["type"] for r in receipts] == ["0x0", "0x1", "0x2"]
    logs = [log for receipt in receipts for log in receipt["logs"]]  # type: ignore[attr-defined]
    assert [log["logIndex"] for log in logs] == ["0x0", "0x1", "0x2"]
    assert [log["transactionIndex"] for log in logs] == ["0x1", "0x1", "0x2"]


def test_a_receipt_alone_equals_the_one_in_its_block() -> None:
    chain = small_chain()
    alone = [
        result(chain, "eth_getTransactionReceipt", "0x" + tx.hash.hex())
        for tx in chain.blocks[1].transactions
    ]
    assert alone == result(chain, "eth_getBlockReceipts", "0x1")


def test_a_log_names_its_block_and_transaction() -> None:
    chain = small_chain()
    tx = chain.blocks[1].transactions[2]
    logs = result_object(chain, "eth_getTransactionReceipt", "0x" + tx.hash.hex())["logs"]
    assert logs == [
        {
            "address": "0x" + "cc" * 20,
            "topics": ["0x" + "0" * 61 + "abc", "0x" + "0" * 61 + "def"],
            "data": "0x2a",
            "blockNumber": "0x1",
            "blockHash": "0x" + chain.blocks[1].header.hash.hex(),
            "blockTimestamp": "0x6553f102",
            "transactionHash": "0x" + tx.hash.hex(),
            "transactionIndex": "0x2",
            "logIndex": "0x2",
            "removed": False,
        }
    ]


def test_a_creation_tells_the_address_of_its_contract() -> None:
    receipt = result_list(small_chain(), "eth_getBlockReceipts", "0x2")[0]
    assert receipt["contractAddress"] == "0x" + creation_address(ALICE, 3).hex()
    assert receipt["to"] is None


def test_a_contract_address_follows_sender_and_nonce() -> None:
    sender = bytes.fromhex("6ac7ea33f8831ea9dcc53393aaa88b25a785dbf0")
    assert creation_address(sender, 0).hex() == "cd234a471b72ba2f1ccf0a70fcaba648a5eecd8d"
    assert creation_address(sender, 1).hex() == "343c43a37d37dff08ae8c4a11544c718abb4fcf8"


def test_a_blob_transaction_tells_what_its_blobs_cost() -> None:
    receipt = result_list(small_chain(), "eth_getBlockReceipts", "0x2")[2]
    assert (receipt["blobGasUsed"], receipt["blobGasPrice"]) == ("0x20000", "0x1")


def test_a_header_of_an_early_fork_has_no_later_fields() -> None:
    found = header_fields(BlockHeader(difficulty=1, block_number=5, gas_limit=5000, timestamp=9))
    assert {"baseFeePerGas", "withdrawalsRoot", "blobGasUsed", "requestsHash"} & set(found) == set()


def test_a_sent_transaction_is_handed_on_as_it_is() -> None:
    chain = small_chain()
    assert result(chain, "eth_sendRawTransaction", "0x02c0") == "0x" + "99" * 32
    assert chain.submitted == [b"\x02\xc0"]


def test_a_refused_transaction_keeps_the_pools_words() -> None:
    assert error(small_chain(), "eth_sendRawTransaction", "0x") == (
        -32000,
        "rlp: cannot decode transaction: no bytes",
    )
