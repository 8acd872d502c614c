"""The JSON-RPC reference: `python -m node.rpc.reference` writes `docs/RPC.md` anew.

It says in Markdown what the OpenRPC document (`node.rpc.openrpc`) says for programs.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import cast

from node.rpc.json_value import JsonValue
from node.rpc.openrpc import document

FILE = Path(__file__).parents[2] / "docs" / "RPC.md"
REF = "#/components/schemas/"
HEAD = """# JSON-RPC reference

Made from the code by `make reference`; do not edit. The same for programs is the OpenRPC document
that a node gives to `rpc.discover`. Which namespaces an endpoint answers, and the limits of a
request, are in [node/rpc](../node/rpc/README.md). Parameters stand in their order; those marked
*optional* may be left out at the end. Types with a capital letter are explained under
[Types](#types).
"""
NAMESPACES = {
    "admin": "Peers and facts of this node.",
    "anvil": "A development chain only, as anvil has them.",
    "cvm": "Models and inferences.",
    "debug": "Traces in geth's forms, and raw blocks.",
    "erigon": "What explorers ask beside `ots`, as Erigon has it.",
    "eth": "Ethereum's methods, as the execution-apis specify them.",
    "evm": "A development chain only.",
    "hardhat": "A development chain only, as Hardhat has them.",
    "net": "The network.",
    "ots": "For the Otterscan explorer.",
    "personal": "Signing by accounts of the node, which a development chain has.",
    "rpc": "About JSON-RPC itself.",
    "testing": "For tests of execution clients.",
    "trace": "Traces in Parity's form.",
    "txpool": "The transaction pool.",
    "wallet": "Requests of EIP-1193 pages.",
    "web3": "Small helpers.",
}

Schema = Mapping[str, JsonValue]


def text() -> str:
    """Return the file's text."""
    found = document(lambda _name: True)
    methods = cast(list[Schema], found["methods"])
    components = cast(Mapping[str, Mapping[str, Schema]], found["components"])["schemas"]
    return "\n".join([HEAD, *_methods(methods), "## Types\n", *_types(components)]).rstrip() + "\n"


def _methods(methods: Sequence[Schema]) -> Iterator[str]:
    for namespace, members in groupby(methods, key=_namespace):
        yield f"## {namespace}\n"
        yield f"{NAMESPACES[namespace]}\n"
        for method in members:
            yield from _method(method)


def _namespace(method: Schema) -> str:
    return str(method["name"]).replace(".", "_").partition("_")[0]


def _method(method: Schema) -> Iterator[str]:
    yield f"### {method['name']}\n"
    yield f"{method['summary']}\n"
    if "description" in method:
        yield f"{method['description']}\n"
    params = cast(list[Schema], method["params"])
    for param in params:
        optional = "" if param["required"] else ", *optional*"
        yield f"- `{param['name']}`{optional}: {_shown(_schema(param))}"
    if params:
        yield ""
    yield f"Result: {_shown(_schema(cast(Schema, method['result'])))}\n"


def _schema(holder: Schema) -> Schema:
    return cast(Schema, holder["schema"])


def _types(components: Mapping[str, Schema]) -> Iterator[str]:
    for name, schema in components.items():
        yield f"### {name}\n"
        yield f"{_shown(schema)}\n"


def _shown(schema: Schema) -> str:
    """Return a schema as code, with what it says in words behind it."""
    words = schema.get("description")
    return f"`{written(schema)}`" + (f": {words}" if words else "")


def written(schema: Schema) -> str:
    """Return a schema in the manner of TypeScript: `{ gas: Quantity, to?: Address | null }`."""
    match schema:
        case {"$ref": str(path)}:
            return path.removeprefix(REF)
        case {"anyOf": list(options)}:
            return " | ".join(written(cast(Schema, each)) for each in options)
        case {"enum": list(values)}:
            return " | ".join(json.dumps(value) for value in values)
        case {"type": "array", "items": items}:
            inner = written(cast(Schema, items))
            return f"({inner})[]" if " | " in inner else f"{inner}[]"
        case {"type": "object"}:
            return _object(schema)
        case {"pattern": str(pattern)}:
            return pattern
        case {"minimum": least, "maximum": most}:
            return f"{least} to {most}"
        case {"type": str(name)}:
            return name
        case _:
            return "any"


def _object(schema: Schema) -> str:
    properties = cast(Mapping[str, Schema], schema.get("properties", {}))
    required = cast(Sequence[str], schema.get("required", ()))
    members = [
        f"{name}{'' if name in required else '?'}: {written(each)}"
        for name, each in properties.items()
    ]
    others = schema.get("additionalProperties", False)
    if isinstance(others, Mapping):
        members.append(f"[name]: {written(others)}")
    return f"{{ {', '.join(members)} }}" if members else "{}"


if __name__ == "__main__":
    import node.rpc.methods  # noqa: F401 - fills the table

    FILE.write_text(text(), encoding="utf-8")
