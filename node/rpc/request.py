"""From the JSON of a request's body to checked JSON-RPC 2.0 requests."""

from collections.abc import Callable
from dataclasses import dataclass
from types import NoneType
from typing import TypeAlias

from node.rpc.faults import InvalidParams, InvalidRequest, MethodNotFound, RpcError
from node.rpc.methods import METHODS
from node.rpc.parameters import MAX_SHOWN_CHARACTERS, shown
from node.rpc.registry import Method

RequestId: TypeAlias = str | int | float | None
_ID_TYPES = (str, int, float, NoneType)


@dataclass(frozen=True, slots=True)
class Request:
    """A call that can be run; a notification wants no answer."""

    id: RequestId
    is_notification: bool
    method: Method
    params: list[object]


class BadRequest(Exception):
    """A request that cannot be run, with the id that its answer carries."""

    def __init__(self, request_id: RequestId, error: RpcError, *, is_notification: bool) -> None:
        super().__init__(error.message)
        self.request_id = request_id
        self.error = error
        self.is_notification = is_notification


def parse_request(value: object, may_call: Callable[[str], bool]) -> Request:
    """Return one request of a known method that may be called; raises `BadRequest`."""
    if not isinstance(value, dict):
        raise BadRequest(
            None,
            InvalidRequest(f"invalid request: {shown(value)} is not an object"),
            is_notification=False,
        )
    request_id = value.get("id")
    if not isinstance(request_id, _ID_TYPES) or isinstance(request_id, bool):
        error = InvalidRequest("invalid request: id is not a string, a number or null")
        raise BadRequest(None, error, is_notification=False)
    name = value.get("method")
    if value.get("jsonrpc") != "2.0" or not isinstance(name, str) or not name:
        raise BadRequest(request_id, InvalidRequest(_what_is_missing(value)), is_notification=False)
    is_notification = "id" not in value
    try:
        method = _method(name, may_call)
        return Request(request_id, is_notification, method, _params(value.get("params")))
    except RpcError as error:
        raise BadRequest(request_id, error, is_notification=is_notification) from error


def _method(name: str, may_call: Callable[[str], bool]) -> Method:
    method = METHODS.get(name)
    if method is None or not may_call(name):
        raise MethodNotFound(name[:MAX_SHOWN_CHARACTERS])
    return method


def _params(value: object) -> list[object]:
    if value is None:
        return []
    if not isinstance(value, list):
        raise InvalidParams(f"non-array args: params is {shown(value)}; want an array")
    return value


def _what_is_missing(value: dict[str, object]) -> str:
    if value.get("jsonrpc") != "2.0":
        return f'invalid request: jsonrpc is {shown(value.get("jsonrpc"))}; want "2.0"'
    return f"invalid request: method is {shown(value.get('method'))}; want a method's name"
