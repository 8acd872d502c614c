"""Accounts as they stand after a block, and at `pending` for nonces."""

import pytest

from tests.unit.node.rpc.fake_chain import ALICE, legacy_tx, small_chain
from tests.unit.node.rpc.rpc_caller import error, result

ALICE_HEX = "0x" + ALICE.hex()
CONTRACT_HEX = "0x" + "cc" * 20
NOBODY_HEX = "0x" + "00" * 20
ONE = "0x" + "0" * 63 + "1"
FORTY_TWO = "0x" + "0" * 62 + "2a"
UNKNOWN_HASH = "0x" + "de" * 32


@pytest.mark.parametrize(
    ("method", "params", "expected"),
    [
        pytest.param("eth_getBalance", (ALICE_HEX, "latest"), "0xde0b6b3a7640000", id="balance"),
        pytest.param("eth_getBalance", (NOBODY_HEX, "latest"), "0x0", id="no-balance"),
        pytest.param("eth_getBalance", (ALICE_HEX,), "0xde0b6b3a7640000", id="default-block"),
        pytest.param("eth_getBalance", (ALICE_HEX, None), "0xde0b6b3a7640000", id="null-block"),
        pytest.param("eth_getCode", (CONTRACT_HEX, "0x1"), "0x6000", id="code"),
        pytest.param("eth_getCode", (ALICE_HEX, "safe"), "0x", id="no-code"),
        pytest.param("eth_getStorageAt", (CONTRACT_HEX, "0x1", "latest"), FORTY_TWO, id="slot"),
        pytest.param("eth_getStorageAt", (CONTRACT_HEX, ONE), FORTY_TWO, id="slot-of-32-bytes"),
        pytest.param("eth_getStorageAt", (CONTRACT_HEX, "0x2"), "0x" + "0" * 64, id="empty-slot"),
        pytest.param("eth_getTransactionCount", (ALICE_HEX, "latest"), "0x6", id="nonce"),
    ],
)
def test_reads_an_account(method: str, params: tuple[object, ...], expected: str) -> None:
    assert result(small_chain(), method, *params) == expected


def test_the_pending_nonce_follows_what_waits_in_the_pool() -> None:
    chain = small_chain()
    chain.pool.append(legacy_tx(6, 10**10))
    assert result(chain, "eth_getTransactionCount", ALICE_HEX, "pending") == "0x7"
    assert result(chain, "eth_getTransactionCount", ALICE_HEX, "latest") == "0x6"


def test_a_block_is_named_by_hash_too() -> None:
    chain = small_chain()
    block_hash = "0x" + chain.blocks[1].header.hash.hex()
    wanted = {"blockHash": block_hash, "requireCanonical": True}
    assert result(chain, "eth_getBalance", ALICE_HEX, wanted) == "0xde0b6b3a7640000"
    assert result(chain, "eth_getBalance", ALICE_HEX, block_hash) == "0xde0b6b3a7640000"


def test_a_block_beside_the_chain_is_refused_where_a_canonical_one_is_required() -> None:
    chain = small_chain()
    aside = small_chain().add_block()
    chain.add_block(withdrawals=small_chain().blocks[1].withdrawals)  # type: ignore[arg-type]
    stored = {block.header.hash: block for block in (*chain.blocks, aside)}
    chain.block_by_hash = stored.get  # type: ignore[method-assign, assignment]
    wanted = {"blockHash": "0x" + aside.header.hash.hex(), "requireCanonical": True}
    code, message = error(chain, "eth_getBalance", ALICE_HEX, wanted)
    assert (code, message[-27:]) == (-32000, " is not currently canonical")


@pytest.mark.parametrize(
    ("block", "message"),
    [
        pytest.param("0x4", "header not found", id="above-the-head"),
        pytest.param(UNKNOWN_HASH, "header not found", id="unknown-hash"),
    ],
)
def test_an_unknown_block_is_an_error(block: str, message: str) -> None:
    assert error(small_chain(), "eth_getBalance", ALICE_HEX, block) == (-32000, message)
