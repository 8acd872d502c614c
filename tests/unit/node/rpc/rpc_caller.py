"""Ask a chain through the dispatcher, from JSON text to JSON text, as HTTP does."""

import asyncio
import json
from collections.abc import Mapping, Sequence

from node.rpc.caller import DEV_NAMESPACES, LOCAL_NAMESPACES, Caller, RpcNode, rpc_node
from node.rpc.chain_view import ChainView
from node.rpc.dispatcher import Limits, answer
from node.rpc.events import ChainEvents
from node.rpc.node_facts import NodeSelf

JsonObject = dict[str, object]


def ask(chain: ChainView, body: str | bytes, limits: Limits | None = None) -> object:
    """Return the decoded answer to a body, None where there is none."""
    raw = body.encode() if isinstance(body, str) else body
    text = asyncio.run(answer(local_caller(chain), raw, limits or Limits()))
    return None if text is None else json.loads(text)


def shared_node(chain: ChainView, itself: NodeSelf | None = None) -> RpcNode:
    """Return what the endpoints of a node share; its clock stands still."""
    return rpc_node(chain, lambda: 0.0, ChainEvents(), itself)


def local_caller(chain: ChainView, itself: NodeSelf | None = None) -> Caller:
    """Return who may call every method and cannot be notified."""
    return Caller(shared_node(chain, itself), LOCAL_NAMESPACES | DEV_NAMESPACES)


async def call(caller: Caller, method: str, *params: object) -> JsonObject:
    """Return the whole response to one request."""
    text = await answer(caller, json.dumps(request(method, *params)).encode(), Limits())
    assert text is not None
    response = json.loads(text)
    assert isinstance(response, dict)
    return response


def request(method: str, *params: object) -> JsonObject:
    return {"jsonrpc": "2.0", "id": 1, "method": method, "params": list(params)}


def result(chain: ChainView, method: str, *params: object) -> object:
    """Return the result of a call that must succeed."""
    response = ask(chain, json.dumps(request(method, *params)))
    assert isinstance(response, dict)
    assert set(response) == {"jsonrpc", "id", "result"}, response
    return response["result"]


def result_object(chain: ChainView, method: str, *params: object) -> Mapping[str, object]:
    value = result(chain, method, *params)
    assert isinstance(value, dict)
    return value


def result_list(chain: ChainView, method: str, *params: object) -> Sequence[JsonObject]:
    value = result(chain, method, *params)
    assert isinstance(value, list)
    return value


def error(chain: ChainView, method: str, *params: object) -> tuple[int, str]:
    """Return code and message of a call that must fail."""
    return error_of(ask(chain, json.dumps(request(method, *params))))


def error_of(response: object) -> tuple[int, str]:
    assert isinstance(response, dict)
    assert set(response) == {"jsonrpc", "id", "error"}, response
    found = response["error"]
    assert isinstance(found, dict)
    return found["code"], found["message"]
