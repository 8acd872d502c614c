"""As much of JSON Schema as execution-apis' openrpc.json and our own use for results."""

import re
from collections.abc import Mapping

Schema = Mapping[str, object]
PREFIX = "#/components/schemas/"

_TYPES: dict[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "boolean": (bool,),
    "integer": (int,),
    "number": (int, float),
    "null": (type(None),),
}


def mismatch(value: object, schema: object, components: Schema) -> str | None:
    """Return where a value breaks its schema, or None."""
    assert isinstance(schema, dict)
    if "$ref" in schema:
        return mismatch(value, _named(str(schema["$ref"]), components), components)
    kind = schema.get("type")
    if kind is not None and not isinstance(value, _TYPES[kind]):
        return f"{value!r} is not of type {kind}"
    if isinstance(value, bool) and kind in ("integer", "number"):
        return f"{value!r} is not of type {kind}"
    if "minimum" in schema and isinstance(value, int | float) and value < schema["minimum"]:
        return f"{value!r} is below {schema['minimum']}"
    if "maximum" in schema and isinstance(value, int | float) and value > schema["maximum"]:
        return f"{value!r} is above {schema['maximum']}"
    if "pattern" in schema and not re.search(schema["pattern"], str(value)):
        return f"{value!r} does not match {schema['pattern']}"
    if "enum" in schema and value not in schema["enum"]:
        return f"{value!r} is not one of {schema['enum']}"
    for part in (_of_choices, _of_object, _of_array):
        found = part(value, schema, components)
        if found is not None:
            return found
    return None


def _named(reference: str, components: Schema) -> object:
    """Return what a reference into the components leads to, be it a part of one."""
    found: object = components
    for name in reference.removeprefix(PREFIX).split("/"):
        assert isinstance(found, dict)
        found = found[name]
    return found


def _of_choices(value: object, schema: Schema, components: Schema) -> str | None:
    for part in _list(schema, "allOf"):
        found = mismatch(value, part, components)
        if found is not None:
            return found
    choices = _list(schema, "oneOf") + _list(schema, "anyOf")
    misses = [mismatch(value, choice, components) for choice in choices]
    if misses and None not in misses:
        return f"no choice fits: {misses}"
    return None


def _of_object(value: object, schema: Schema, components: Schema) -> str | None:
    if not isinstance(value, dict):
        return None
    missing = [name for name in _list(schema, "required") if name not in value]
    if missing:
        return f"missing {missing}"
    properties = schema.get("properties", {})
    assert isinstance(properties, dict)
    if schema.get("additionalProperties") is False and set(value) - set(properties):
        return f"unknown {sorted(set(value) - set(properties))}"
    others = schema.get("additionalProperties")
    if isinstance(others, dict):
        for name in set(value) - set(properties):
            found = mismatch(value[name], others, components)
            if found is not None:
                return f"{name}: {found}"
    for name in set(value) & set(properties):
        found = mismatch(value[name], properties[name], components)
        if found is not None:
            return f"{name}: {found}"
    return None


def _of_array(value: object, schema: Schema, components: Schema) -> str | None:
    if not isinstance(value, list) or "items" not in schema:
        return None
    for index, item in enumerate(value):
        found = mismatch(item, schema["items"], components)
        if found is not None:
            return f"[{index}]: {found}"
    return None


def _list(schema: Schema, name: str) -> list[object]:
    found = schema.get(name, [])
    assert isinstance(found, list)
    return found
