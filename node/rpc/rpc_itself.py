"""The rpc methods: what this endpoint answers."""

from node.rpc.caller import ALWAYS, Caller, namespace_of
from node.rpc.openrpc import document
from node.rpc.registry import METHODS, JsonValue, rpc_method

VERSION = "1.0"


@rpc_method("rpc_modules")
async def modules(caller: Caller) -> JsonValue:
    """Return the namespaces that this endpoint answers, as geth's console asks for them."""
    names = {namespace_of(name) for name in METHODS if caller.may_call(name)}
    return dict.fromkeys(sorted(names | {ALWAYS}), VERSION)


@rpc_method("rpc.discover", is_long=True)
async def discover(caller: Caller) -> JsonValue:
    """Return the OpenRPC document of the methods that this endpoint answers."""
    return document(caller.may_call)
