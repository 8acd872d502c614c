"""Headers alone, and uncles: none here, counted where an old block has some."""

from dataclasses import replace

import pytest

from tests.unit.node.rpc.fake_chain import FakeChain, small_chain
from tests.unit.node.rpc.rpc_caller import error, result, result_object

HASH = "0x" + small_chain().blocks[1].header.hash.hex()
UNKNOWN = "0x" + "99" * 32


@pytest.mark.parametrize(
    ("method", "reference"),
    [
        pytest.param("eth_getHeaderByNumber", "0x1", id="number"),
        pytest.param("eth_getHeaderByHash", HASH, id="hash"),
    ],
)
def test_a_header_has_what_a_block_takes_from_it(method: str, reference: str) -> None:
    header = result_object(small_chain(), method, reference)
    block = result_object(small_chain(), "eth_getBlockByHash", HASH, False)
    assert header.items() <= block.items()
    assert block.keys() - header.keys() == {"size", "transactions", "uncles", "withdrawals"}


@pytest.mark.parametrize(
    ("method", "params", "expected"),
    [
        pytest.param("eth_getHeaderByNumber", ("0x9",), None, id="no-header"),
        pytest.param("eth_getHeaderByHash", (UNKNOWN,), None, id="no-header-of-that-hash"),
        pytest.param("eth_getUncleCountByBlockNumber", ("0x1",), "0x0", id="count-by-number"),
        pytest.param("eth_getUncleCountByBlockHash", (HASH,), "0x0", id="count-by-hash"),
        pytest.param("eth_getUncleCountByBlockHash", (UNKNOWN,), None, id="count-of-nothing"),
        pytest.param("eth_getUncleByBlockNumberAndIndex", ("0x1", "0x0"), None, id="by-number"),
        pytest.param("eth_getUncleByBlockHashAndIndex", (HASH, "0x0"), None, id="by-hash"),
    ],
)
def test_blocks_have_no_uncles(method: str, params: tuple[str, ...], expected: object) -> None:
    assert result(small_chain(), method, *params) == expected


def chain_with_uncle() -> FakeChain:
    chain = small_chain()
    chain.blocks[1] = replace(chain.blocks[1], ommer_hashes=(b"\x0e" * 32,))
    return chain


def test_the_uncles_of_an_old_block_are_counted_and_not_served() -> None:
    assert result(chain_with_uncle(), "eth_getUncleCountByBlockNumber", "0x1") == "0x1"
    found = error(chain_with_uncle(), "eth_getUncleByBlockNumberAndIndex", "0x1", "0x0")
    assert found == (-32001, "Resource not found: headers of uncles are not served here")
    assert result(chain_with_uncle(), "eth_getUncleByBlockNumberAndIndex", "0x1", "0x1") is None
