"""What the txpool_ methods show of the pool."""

import pytest

from node.rpc import txpool
from node.rpc.txpool import summary
from tests.unit.node.rpc.fake_chain import (
    ALICE,
    BOB,
    GWEI,
    FakeChain,
    access_list_tx,
    dynamic_fee_tx,
    legacy_tx,
    set_code_tx,
    small_chain,
)
from tests.unit.node.rpc.rpc_caller import error, result, result_object

ALICE_HEX = "0x19E7E376E7C213B7E7e7e46cc70A5dD086DAff2A"
BOB_HEX = "0xB0B0b0B0B0B0B0b0B0B0B0b0b0b0b0B0b0b0B0B0"
"""With the capitals of EIP-55."""


@pytest.fixture
def chain() -> FakeChain:
    chain = small_chain()
    chain.pool = [legacy_tx(6, 2 * GWEI), dynamic_fee_tx(7, GWEI, to=b"")]
    chain.queue = [access_list_tx(9, 3 * GWEI), set_code_tx(12)]
    return chain


def test_the_status_counts_pending_and_queued(chain: FakeChain) -> None:
    chain.queue.pop()
    assert result(chain, "txpool_status") == {"pending": "0x2", "queued": "0x1"}


def test_an_empty_pool_has_empty_objects() -> None:
    empty: dict[str, object] = {"pending": {}, "queued": {}}
    assert result(small_chain(), "txpool_content") == empty
    assert result(small_chain(), "txpool_inspect") == empty
    assert result(small_chain(), "txpool_contentFrom", "0x" + "00" * 20) == empty


def test_the_content_is_by_sender_and_decimal_nonce(chain: FakeChain) -> None:
    content = result_object(chain, "txpool_content")
    assert {part: list(senders) for part, senders in content.items()} == {  # type: ignore[call-overload]
        "pending": [ALICE_HEX],
        "queued": [ALICE_HEX],
    }
    assert list(content["pending"][ALICE_HEX]) == ["6", "7"]  # type: ignore[index]
    assert list(content["queued"][ALICE_HEX]) == ["9", "12"]  # type: ignore[index]


def test_a_waiting_transaction_is_shown_as_eth_get_transaction_by_hash_does(
    chain: FakeChain,
) -> None:
    shown = result_object(chain, "txpool_contentFrom", "0x" + ALICE.hex())["pending"]
    for tx in chain.pool:
        whole = result(chain, "eth_getTransactionByHash", "0x" + tx.hash.hex())
        assert shown[str(tx.nonce)] == whole  # type: ignore[index]
        assert whole["blockHash"] is None  # type: ignore[index]
        assert whole["blockNumber"] is None  # type: ignore[index]
        assert whole["transactionIndex"] is None  # type: ignore[index]


def test_only_one_senders_transactions_are_shown_if_asked(chain: FakeChain) -> None:
    assert result(chain, "txpool_contentFrom", "0x" + BOB.hex()) == {"pending": {}, "queued": {}}


def test_a_summary_is_geths_line(chain: FakeChain) -> None:
    inspected = result_object(chain, "txpool_inspect")
    assert inspected["pending"] == {
        ALICE_HEX: {
            "6": f"{BOB_HEX}: 7 wei + 50000 gas \u00d7 2000000000 wei",
            "7": "contract creation: 0 wei + 70000 gas \u00d7 5000000000 wei",
        }
    }
    assert inspected["queued"][ALICE_HEX]["9"] == summary(chain.queue[0])  # type: ignore[index]


@pytest.mark.parametrize(
    ("method", "params"),
    [
        pytest.param("txpool_content", (), id="content"),
        pytest.param("txpool_inspect", (), id="inspect"),
        pytest.param("txpool_contentFrom", ("0x" + ALICE.hex(),), id="of one sender"),
    ],
)
def test_a_content_too_large_for_one_answer_is_refused(
    chain: FakeChain, method: str, params: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    size = sum(len(tx.raw) for tx in chain.pool + chain.queue)
    monkeypatch.setattr(txpool, "MAX_CONTENT_BYTES", size)
    result(chain, method, *params)
    monkeypatch.setattr(txpool, "MAX_CONTENT_BYTES", size - 1)
    assert error(chain, method, *params)[0] == -32005


def test_many_transactions_are_all_shown(chain: FakeChain, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(txpool, "TURN", 3)
    chain.pool = [legacy_tx(nonce, GWEI) for nonce in range(10)]
    shown = result_object(chain, "txpool_contentFrom", "0x" + ALICE.hex())["pending"]
    assert list(shown) == [str(nonce) for nonce in range(10)]  # type: ignore[call-overload]
