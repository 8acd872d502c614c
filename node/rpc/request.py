"""From the bytes of a request's body to checked JSON-RPC 2.0 requests."""

import json
import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from itertools import accumulate
from typing import NoReturn, TypeAlias

from node.rpc.faults import InvalidParams, InvalidRequest, MethodNotFound, ParseError, RpcError
from node.rpc.methods import METHODS
from node.rpc.parameters import MAX_SHOWN_CHARACTERS, shown
from node.rpc.registry import Method

RequestId: TypeAlias = str | int | float | None

_STRING = re.compile(rb'"(?:[^"\\]++|\\.)*+"?', re.DOTALL)
"""A JSON string, or what is left of the body where it is never closed; linear in time."""

_STEP = {ord("["): 1, ord("{"): 1, ord("]"): -1, ord("}"): -1}
_NO_BRACKETS = bytes(byte for byte in range(256) if byte not in _STEP)


MAX_MARKS = 1 << 18
"""Brackets, commas, quotes and escapes of one body: what its parsing costs, beyond its length.

A batch of 1,000 calls has 40,000; a body of nothing but `[],` takes 20 times its length as objects.
"""

_NO_MARKS = bytes(byte for byte in range(256) if byte not in b'[]{},"\\')


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


def parse_body(body: bytes, max_depth: int) -> object:
    """Return the JSON of a body; raises `ParseError`, or `InvalidRequest` for too much of it.

    The depth is checked first: json recurses on the C stack, and a library that raises Python's
    recursion limit would let it run through before RecursionError is raised.
    """
    if len(body) > MAX_MARKS and len(body.translate(None, _NO_MARKS)) > MAX_MARKS:
        raise InvalidRequest(f"too many values: want at most {MAX_MARKS} marks of JSON's grammar")
    if body.count(b"[") + body.count(b"{") > max_depth and _depth(body) > max_depth:
        raise ParseError(f"nested deeper than {max_depth} levels")
    try:
        value: object = _DECODER.decode(body.decode("utf-8"))
    except json.JSONDecodeError as fault:
        raise ParseError(f"{fault.msg} at character {fault.pos}") from fault
    except UnicodeDecodeError as fault:
        raise ParseError(f"byte {fault.start} is not UTF-8") from fault
    except ValueError as fault:
        raise ParseError("a number is not finite or has too many digits") from fault
    return value


def parse_request(value: object, may_call: Callable[[str], bool]) -> Request:
    """Return one request of a known method that may be called; raises `BadRequest`."""
    if not isinstance(value, dict):
        raise BadRequest(
            None,
            InvalidRequest(f"invalid request: {shown(value)} is not an object"),
            is_notification=False,
        )
    request_id = value.get("id")
    if not isinstance(request_id, str | int | float | None) or isinstance(request_id, bool):
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


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(name)


def _parse_finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(text)
    return number


_DECODER = json.JSONDecoder(parse_constant=_refuse_constant, parse_float=_parse_finite)


def _depth(body: bytes) -> int:
    """Return how deep arrays and objects nest, without recursion and without parsing."""
    brackets = _STRING.sub(b"", body).translate(None, _NO_BRACKETS)
    return max(accumulate(map(_STEP.__getitem__, brackets)), default=0)
