"""The table of `cvm testnet` shows what a user copies from it, and whether the chain goes on."""

import io
from dataclasses import replace

import pytest
from rich.console import Console

from node.cli.network_board import STARTING, Head, NodeLine, summary, table_of

HEAD = Head(12_345, "0x" + "ab" * 32, 1_700_000_000)
LINE = NodeLine("validator-0", "http://127.0.0.1:8545", True, "ready", HEAD, 2, 3)
DOWN = NodeLine("validator-3", "http://127.0.0.1:8548", True, STARTING)
FOLLOWER = replace(LINE, name="node-0", is_validator=False)


def shown(*lines: NodeLine) -> str:
    text = io.StringIO()
    Console(file=text, width=80).print(table_of(lines, HEAD.time_s + 1))
    return text.getvalue()


@pytest.mark.parametrize(
    "status", ["ready", "syncing", f"not ready (model 0x{'cd' * 32} and 1 more missing)"]
)
def test_the_address_of_json_rpc_is_whole_in_eighty_columns(status: str) -> None:
    text = shown(replace(LINE, status=status))
    assert "http://127.0.0.1:8545" in text
    assert "validator-0" in text


def test_a_line_has_height_round_and_peers() -> None:
    (line,) = (line for line in shown(LINE).splitlines() if "8545" in line)
    assert line.split() == ["validator-0", "http://127.0.0.1:8545", "12345", "2", "3", "ready"]


def test_a_node_that_is_not_there_yet_has_no_numbers() -> None:
    (line,) = (line for line in shown(LINE, DOWN).splitlines() if "8548" in line)
    assert line.split() == ["validator-3", "http://127.0.0.1:8548", "-", "-", "-", "starting"]


def test_a_missing_model_is_named_in_short() -> None:
    text = shown(replace(LINE, status=f"not ready (model 0x{'cd' * 32} missing)"))
    assert "0xcdcdcdcd…" in text
    assert "cd" * 5 not in text


@pytest.mark.parametrize(
    ("lines", "text"),
    [
        pytest.param(
            [LINE] * 4,
            "block 12345 (0xabababab), 7 s old; 4 of 4 validators ready, 3 are needed",
            id="all is well",
        ),
        pytest.param(
            [LINE, LINE, LINE, DOWN, FOLLOWER],
            "block 12345 (0xabababab), 7 s old; 3 of 4 validators ready, 3 are needed",
            id="one is missing",
        ),
        pytest.param(
            [LINE, LINE, replace(DOWN, status="stopped"), replace(LINE, status="syncing")],
            "block 12345 (0xabababab), 7 s old; 2 of 4 validators ready, 3 are needed: no block "
            "can become final",
            id="too few",
        ),
        pytest.param(
            [DOWN] * 4,
            "0 of 4 validators ready, 3 are needed: the others start",
            id="nobody yet",
        ),
        pytest.param(
            [LINE, LINE, LINE, replace(LINE, head=replace(HEAD, block_hash="0x" + "ba" * 32))],
            "TWO BLOCKS at height 12345; 4 of 4 validators ready, 3 are needed",
            id="a fork",
        ),
        pytest.param(
            [LINE, LINE, LINE, replace(LINE, head=replace(HEAD, height=9, block_hash="0x09"))],
            "block 12345 (0xabababab), 7 s old; 4 of 4 validators ready, 3 are needed",
            id="one is behind",
        ),
    ],
)
def test_the_line_below_says_whether_the_chain_goes_on(lines: list[NodeLine], text: str) -> None:
    assert summary(lines, HEAD.time_s + 7) == text
