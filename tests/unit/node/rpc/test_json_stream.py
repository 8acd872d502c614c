"""A stream of bytes is cut into JSON values, wherever its pieces begin and end."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from node.rpc.json_stream import JsonStream, MessageTooLong

MAX_BYTES = 1_000


def cut(pieces: list[bytes]) -> list[bytes]:
    stream = JsonStream(MAX_BYTES)
    return [value for piece in pieces for value in stream.feed(piece)]


@pytest.mark.parametrize(
    ("pieces", "values"),
    [
        pytest.param([b'{"a":1}'], [b'{"a":1}'], id="one"),
        pytest.param([b'{"a":1}{"b":2}\n'], [b'{"a":1}', b'{"b":2}'], id="two-without-space"),
        pytest.param([b" \n[1]\r\n\t{}"], [b"[1]", b"{}"], id="space-between"),
        pytest.param([b'{"a":"}', b'"}'], [b'{"a":"}"}'], id="bracket-in-a-string"),
        pytest.param([rb'{"a":"\"}"}'], [rb'{"a":"\"}"}'], id="escaped-quote"),
        pytest.param([b'{"a":"\\', b'"}"}'], [rb'{"a":"\"}"}'], id="escape-between-pieces"),
        pytest.param([b'{"a":"\\\\"}'], [rb'{"a":"\\"}'], id="escaped-backslash"),
        pytest.param([b"42 {}"], [b"42 ", b"{}"], id="a-scalar-ends-with-space"),
        pytest.param([b"}\n{}"], [b"}\n", b"{}"], id="a-stray-bracket-is-no-request"),
        pytest.param([b'{"a":'], [], id="not-whole-yet"),
    ],
)
def test_each_value_is_found(pieces: list[bytes], values: list[bytes]) -> None:
    assert cut(pieces) == values


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=8,
)


@settings(derandomize=True, max_examples=200, deadline=None)
@given(st.lists(st.lists(JSON, max_size=3), max_size=4), st.integers(1, 7))
def test_the_size_of_the_pieces_does_not_matter(values: list[object], size: int) -> None:
    text = b"".join(json.dumps(value).encode() for value in values)
    pieces = [text[start : start + size] for start in range(0, len(text), size)]
    stream = JsonStream(1 << 20)
    found = [json.loads(value) for piece in pieces for value in stream.feed(piece)]
    assert found == values


def test_a_value_that_does_not_end_is_given_up() -> None:
    stream = JsonStream(MAX_BYTES)
    assert list(stream.feed(b'{"a":"' + b"x" * (MAX_BYTES - 6))) == []
    with pytest.raises(MessageTooLong, match="message too large: want at most 1000 bytes"):
        list(stream.feed(b"x"))
