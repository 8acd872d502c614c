"""A trusted block as an operator writes it."""

import pytest

from node.checkpoint import BadCheckpoint, Checkpoint, parse_checkpoint

DIGITS = "ab" * 32


@pytest.mark.parametrize(
    ("text", "checkpoint"),
    [
        pytest.param(f"0x{DIGITS}", Checkpoint(b"\xab" * 32), id="a hash"),
        pytest.param(DIGITS.upper(), Checkpoint(b"\xab" * 32), id="without its prefix"),
        pytest.param(f" 7:0x{DIGITS}\n", Checkpoint(b"\xab" * 32, 7), id="with its height"),
    ],
)
def test_a_checkpoint_is_read(text: str, checkpoint: Checkpoint) -> None:
    assert parse_checkpoint(text) == checkpoint
    assert parse_checkpoint(str(checkpoint)) == checkpoint


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="nothing"),
        pytest.param("0x" + "ab" * 31, id="a short hash"),
        pytest.param("0x" + "zz" * 32, id="no digits"),
        pytest.param(f":0x{DIGITS}", id="no height before the colon"),
        pytest.param(f"-1:0x{DIGITS}", id="a negative height"),
        pytest.param(f"٣:0x{DIGITS}", id="digits of another script"),
        pytest.param(f"{'9' * 21}:0x{DIGITS}", id="a height of 21 digits"),
    ],
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(BadCheckpoint, match="a checkpoint is 0xHASH or NUMBER:0xHASH"):
        parse_checkpoint(text)
