"""The OpenRPC document of this node: `python -m node.rpc.openrpc` writes `openrpc.json` anew.

Names, parameters and texts come from the methods themselves, schemas from `node.rpc.schemas`. The
specification is at https://spec.open-rpc.org.
"""

import inspect
import json
from collections.abc import Callable
from pathlib import Path

from node.rpc.json_value import JsonValue
from node.rpc.registry import METHODS, Method, Parameter
from node.rpc.schemas.argument_schemas import ARGUMENT_SCHEMAS
from node.rpc.schemas.components import COMPONENTS
from node.rpc.schemas.cvm_results import CVM_RESULTS
from node.rpc.schemas.dev_schemas import DEV_RESULTS
from node.rpc.schemas.eth_results import ETH_RESULTS, NODE_RESULTS
from node.rpc.schemas.execution_schemas import EXECUTION_RESULTS
from node.rpc.schemas.forms import ANYTHING, Schema
from node.rpc.schemas.ots_results import OTS_RESULTS
from node.rpc.schemas.trace_results import TRACE_RESULTS

OPENRPC_VERSION = "1.2.6"
API_VERSION = "0.1.0"
FILE = Path(__file__).with_name("openrpc.json")
RESULTS: dict[str, Schema] = {
    **ETH_RESULTS,
    **NODE_RESULTS,
    **CVM_RESULTS,
    **DEV_RESULTS,
    **TRACE_RESULTS,
    **OTS_RESULTS,
    **EXECUTION_RESULTS,
}


def document(may_call: Callable[[str], bool]) -> dict[str, JsonValue]:
    """Return the document of the methods that may be called."""
    return {
        "openrpc": OPENRPC_VERSION,
        "info": {
            "title": "cvm JSON-RPC",
            "version": API_VERSION,
            "description": "Ethereum's methods, and those of a chain whose contracts run models.",
        },
        "methods": [_method_object(METHODS[name]) for name in sorted(METHODS) if may_call(name)],
        "components": {"schemas": dict(sorted(COMPONENTS.items()))},
    }


def _method_object(method: Method) -> JsonValue:
    summary, _, rest = inspect.cleandoc(method.handler.__doc__ or "").partition("\n")
    found: dict[str, JsonValue] = {
        "name": method.name,
        "summary": summary,
        "paramStructure": "by-position",
        "params": [_parameter_object(each) for each in method.parameters],
        "result": {"name": "result", "schema": RESULTS.get(method.name, ANYTHING)},
    }
    description = " ".join(rest.split())
    return {**found, "description": description} if description else found


def _parameter_object(parameter: Parameter) -> JsonValue:
    return {
        "name": camel_case(parameter.name),
        "required": parameter.is_required,
        "schema": ARGUMENT_SCHEMAS.get(parameter.parse, ANYTHING),
    }


def camel_case(name: str) -> str:
    """Return a name of Python's as JSON has it: `block_hash` becomes `blockHash`."""
    first, *others = name.split("_")
    return first + "".join(word.capitalize() for word in others)


def text() -> str:
    """Return the file's text: the document of every method."""
    return json.dumps(document(lambda _name: True), indent=1, sort_keys=True) + "\n"


if __name__ == "__main__":
    import node.rpc.methods  # noqa: F401 - fills the table

    FILE.write_text(text())
