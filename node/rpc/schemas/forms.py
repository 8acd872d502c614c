"""Builds JSON Schemas: the few forms that parameters and results of JSON-RPC have."""

from collections.abc import Mapping, Sequence
from typing import TypeAlias

from node.rpc.json_value import JsonValue

Schema: TypeAlias = Mapping[str, JsonValue]

NULL: Schema = {"type": "null"}
BOOLEAN: Schema = {"type": "boolean"}
TEXT: Schema = {"type": "string"}
NUMBER: Schema = {"type": "number"}
INTEGER: Schema = {"type": "integer"}
ANYTHING: Schema = {}


def ref(name: str) -> Schema:
    """Return a reference to a schema of `components.COMPONENTS`."""
    return {"$ref": f"#/components/schemas/{name}"}


def matching(pattern: str, description: str) -> Schema:
    """Return a string that a regular expression describes."""
    return {"type": "string", "pattern": pattern, "description": description}


def hex_bytes(size: int, description: str) -> Schema:
    """Return so many bytes: 0x and two digits for each."""
    return matching(f"^0x[0-9a-f]{{{2 * size}}}$", description)


def one_of_words(*words: str) -> Schema:
    """Return a string that is one of these."""
    return {"type": "string", "enum": list(words)}


def array(items: Schema) -> Schema:
    """Return an array of equal items."""
    return {"type": "array", "items": items}


def mapping(values: Schema) -> Schema:
    """Return an object whose keys are data: addresses, nonces, names."""
    return {"type": "object", "additionalProperties": values}


def either(*choices: Schema) -> Schema:
    """Return what fits at least one of these."""
    return {"anyOf": list(choices)}


def nullable(schema: Schema) -> Schema:
    """Return a schema, or null."""
    return either(NULL, schema)


def record(required: Mapping[str, Schema], optional: Mapping[str, Schema] | None = None) -> Schema:
    """Return an object with these fields and no others."""
    return {
        "type": "object",
        "required": sorted(required),
        "properties": {**required, **(optional or {})},
        "additionalProperties": False,
    }


def fields(schema: Schema, names: Sequence[str]) -> dict[str, Schema]:
    """Return several fields of the same form."""
    return dict.fromkeys(names, schema)
