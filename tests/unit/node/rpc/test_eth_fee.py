"""Fees, by the rules of geth's oracle."""

from dataclasses import replace

import pytest

from cvm.evm.blob_gas import blob_base_fee
from cvm.evm.forks import OSAKA
from tests.unit.node.rpc.fake_chain import (
    COINBASE,
    GWEI,
    FakeChain,
    dynamic_fee_tx,
    receipt,
    small_chain,
)
from tests.unit.node.rpc.rpc_caller import error, result, result_object


def chain_with_tips(*tips: int) -> FakeChain:
    """Return a chain whose blocks each hold one transaction with a tip."""
    chain = FakeChain()
    chain.add_block()
    for nonce, tip in enumerate(tips):
        tx = dynamic_fee_tx(nonce, tip)
        chain.add_block([tx], [receipt(tx, 50_000)])
    return chain


@pytest.mark.parametrize(
    ("tips", "expected"),
    [
        pytest.param((), 1_000_000, id="genesis-only"),
        pytest.param((10, 20, 30, 40, 50), 30, id="sixtieth-percentile"),
        pytest.param((1, 1, 1), 1_000_000, id="tips-below-two-say-nothing"),
        pytest.param((3,) * 19 + (10**9,) * 30, 10**9, id="only-the-last-twenty-blocks"),
    ],
)
def test_the_suggested_tip(tips: tuple[int, ...], expected: int) -> None:
    assert result(chain_with_tips(*tips), "eth_maxPriorityFeePerGas") == hex(expected)


def test_a_producers_own_transactions_do_not_count() -> None:
    chain = chain_with_tips(10)
    assert chain.blocks[1].transactions[0].sender != COINBASE
    aside = chain.blocks[1]
    own = replace(aside.header, coinbase=aside.transactions[0].sender)
    chain.blocks[1] = type(aside)(own, aside.transactions, (), aside.size_bytes)
    assert result(chain, "eth_maxPriorityFeePerGas") == hex(1_000_000)


def test_gas_price_adds_the_base_fee() -> None:
    assert result(chain_with_tips(10, 10), "eth_gasPrice") == hex(GWEI + 10)


def test_the_next_base_fee_falls_after_an_empty_block() -> None:
    assert result(small_chain(), "eth_baseFee") == hex(GWEI - GWEI // 8)


def test_the_price_of_blob_gas_starts_at_one() -> None:
    assert result(small_chain(), "eth_blobBaseFee") == "0x1"


@pytest.mark.parametrize(
    ("excess", "expected"),
    [(0, 1), (5_007_716, 2), (10 * 5_007_716, 22_026), (50_000_000, 21_689)],
)
def test_the_price_of_blob_gas_grows_with_the_excess(excess: int, expected: int) -> None:
    assert blob_base_fee(excess, OSAKA) == expected


def test_fee_history_covers_a_range_and_the_block_after_it() -> None:
    assert result(small_chain(), "eth_feeHistory", "0x2", "0x2", []) == {
        "oldestBlock": "0x1",
        "baseFeePerGas": [hex(GWEI), hex(GWEI), hex(875_797_213)],
        "gasUsedRatio": [91_000 / 2**25, 107_000 / 2**25],
        "baseFeePerBlobGas": ["0x1", "0x1", "0x1"],
        "blobGasUsedRatio": [0.0, 131_072 / 1_179_648],
    }


def test_rewards_are_tips_weighted_by_gas() -> None:
    history = result_object(small_chain(), "eth_feeHistory", 1, "0x1", [0, 40, 50, 70, 100])
    # by tip: 0.5 gwei for 40,000 gas, 1 gwei for 21,000, 2 gwei for 30,000, of 91,000 in all
    assert history["reward"] == [
        [hex(GWEI // 2), hex(GWEI // 2), hex(GWEI), hex(2 * GWEI), hex(2 * GWEI)]
    ]


def test_an_empty_block_rewards_nothing() -> None:
    history = result_object(small_chain(), "eth_feeHistory", 1, "latest", [10, 90])
    assert history["reward"] == [["0x0", "0x0"]]


def test_more_blocks_than_there_are_start_at_genesis() -> None:
    history = result_object(small_chain(), "eth_feeHistory", "0x400", "latest", None)
    assert history["oldestBlock"] == "0x0"
    assert history["gasUsedRatio"] == [0.0, 91_000 / 2**25, 107_000 / 2**25, 0.0]


def test_no_blocks_have_no_history() -> None:
    assert result(small_chain(), "eth_feeHistory", 0, "latest", []) == {
        "oldestBlock": "0x0",
        "baseFeePerGas": [],
        "gasUsedRatio": [],
    }


def test_a_block_above_the_head_has_no_history() -> None:
    assert error(small_chain(), "eth_feeHistory", 1, "0x9") == (
        -32000,
        "request beyond head block: requested 9, head 3",
    )
