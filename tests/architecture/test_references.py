"""The references in docs/ are what the code makes of itself, and leave nothing out."""

from collections.abc import Callable
from pathlib import Path

import pytest

import node.cli.reference
import node.rpc.reference
from node.cli.app import FILES
from node.rpc.methods import METHODS
from node.rpc.reference import written
from node.rpc.schemas.forms import Schema


@pytest.mark.parametrize(
    ("file", "text"),
    [
        pytest.param(node.rpc.reference.FILE, node.rpc.reference.text, id="JSON-RPC"),
        pytest.param(node.cli.reference.FILE, node.cli.reference.text, id="commands"),
    ],
)
def test_a_reference_is_what_the_code_says(file: Path, text: Callable[[], str]) -> None:
    assert file.read_text("utf-8") == text(), "run `make reference` and commit the file"


def test_every_method_has_a_heading() -> None:
    lines = set(node.rpc.reference.text().splitlines())
    assert {name for name in METHODS if f"### {name}" not in lines} == set()


def test_every_command_has_a_heading() -> None:
    lines = set(node.cli.reference.text().splitlines())
    assert {name for name in FILES if f"## cvm {name}" not in lines} == set()


@pytest.mark.parametrize(
    ("schema", "text"),
    [
        ({"$ref": "#/components/schemas/Hash"}, "Hash"),
        ({"anyOf": [{"type": "null"}, {"type": "integer"}]}, "null | integer"),
        ({"enum": ["latest", "safe"], "type": "string"}, '"latest" | "safe"'),
        ({"type": "array", "items": {"type": "string"}}, "string[]"),
        (
            {"type": "array", "items": {"anyOf": [{"type": "null"}, {"type": "string"}]}},
            "(null | string)[]",
        ),
        (
            {
                "type": "object",
                "properties": {"gas": {"type": "integer"}, "to": {"type": "string"}},
                "required": ["gas"],
                "additionalProperties": {"type": "boolean"},
            },
            "{ gas: integer, to?: string, [name]: boolean }",
        ),
        ({"type": "object"}, "{}"),
        ({"type": "number", "minimum": 0, "maximum": 1}, "0 to 1"),
        ({"type": "string", "pattern": "^0x$"}, "^0x$"),
        ({}, "any"),
    ],
)
def test_a_schema_is_written_as_a_type(schema: Schema, text: str) -> None:
    assert written(schema) == text
