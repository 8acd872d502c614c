"""JSON from outside: depth is counted before json recurses."""

import pytest

from models_registry.cli.json_text import MAX_DEPTH, PIECE_BYTES, depth, parse_json


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(b"", 0, id="nothing"),
        pytest.param(b"5", 0, id="a number"),
        pytest.param(b'{"a": [1, {"b": []}], "c": {}}', 4, id="objects and lists"),
        pytest.param(b"]]]]", 0, id="only ends"),
        pytest.param(b"[" + b" " * PIECE_BYTES + b"[" + b" " * PIECE_BYTES + b"]]", 2, id="long"),
    ],
)
def test_depth_counts_open_brackets(text: bytes, expected: int) -> None:
    assert depth(text) == expected


def test_the_deepest_text_is_read_and_one_deeper_is_not() -> None:
    text = b"[" * MAX_DEPTH + b"]" * MAX_DEPTH
    assert depth(text) == MAX_DEPTH
    assert parse_json(text)
    for deeper in (b"[" + text + b"]", b"[" * 1_000_000, b'{"a":' * 100_000):
        with pytest.raises(ValueError, match="more than 64 brackets deep"):
            parse_json(deeper)
