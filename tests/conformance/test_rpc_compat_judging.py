"""The runner of execution-apis' tests says no where an answer differs, and why."""

from typing import Any

import pytest

from tests.rpc_compat.io_file import parse_io
from tests.rpc_compat.judging import Judge, difference

OPENRPC = {
    "components": {"schemas": {"uint": {"type": "string", "pattern": "^0x[0-9]+$"}}},
    "methods": [{"name": "eth_n", "result": {"schema": {"$ref": "#/components/schemas/uint"}}}],
}
SENT = {"method": "eth_n"}


@pytest.mark.parametrize(
    ("expected", "answer", "reason"),
    [
        pytest.param({"a": [1, {"b": None}]}, {"a": [1, {"b": None}]}, None, id="same"),
        pytest.param({"a": 1}, {"a": 2}, ".a is 2, expected 1", id="value"),
        pytest.param({"a": 1}, {"a": True}, ".a is True, expected 1", id="kind"),
        pytest.param({"a": 1}, {}, ".a is missing, expected 1", id="missing"),
        pytest.param({}, {"a": 1}, ".a is 1, expected none", id="too-much"),
        pytest.param({"a": [1]}, {"a": []}, ".a has 0 items, expected 1", id="length"),
        pytest.param({"a": [1, 2]}, {"a": [1, 3]}, ".a[1] is 3, expected 2", id="item"),
    ],
)
def test_the_first_difference_is_named(expected: Any, answer: Any, reason: str | None) -> None:
    assert difference(expected, answer, "") == reason


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        pytest.param({"result": "0x7"}, None, id="of-the-schema"),
        pytest.param({"result": "7"}, "'7' does not match ^0x[0-9]+$", id="of-none"),
        pytest.param({"error": {"code": 1}}, "error {'code': 1}", id="an-error"),
    ],
)
def test_a_file_of_the_schema_alone_is_held_to_it(answer: Any, reason: str | None) -> None:
    judge = Judge(OPENRPC)
    assert judge.reason(SENT, {"result": "0x5"}, answer, is_schema_enough=True) == reason
    assert judge.reason(SENT, {"result": "0x5"}, answer, is_schema_enough=False) is not None


def test_an_expected_error_is_compared_whole_even_there() -> None:
    expected = {"error": {"code": -32000, "message": "no"}}
    judge = Judge(OPENRPC)
    assert judge.reason(SENT, expected, expected, is_schema_enough=True) is None
    answer = {"error": {"code": -32000, "message": "No"}}
    assert judge.reason(SENT, expected, answer, is_schema_enough=True) is not None


def test_a_file_is_read_with_its_mark() -> None:
    file = parse_io("x.io", '// speconly: schema\n>> {"id":1}\n<< {"id":2}\n')
    assert (file.exchanges, file.is_speconly) == ((({"id": 1}, {"id": 2}),), True)
    with pytest.raises(ValueError, match="alternate"):
        parse_io("x.io", ">> 1\n>> 2\n")
