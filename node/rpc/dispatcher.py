"""Run the JSON-RPC requests of one body and put their answers together.

What goes wrong becomes an error object here, whatever it is: a fault nobody foresaw is logged, and
its caller reads `internal error` and no more.
"""

import asyncio
from dataclasses import dataclass
from time import perf_counter

import structlog

from consensus.faults import InvalidTransaction
from cvm.faults import LocalFault, ModelDataMissing
from models_registry.chunks import BadChunk
from node.execution.asker import ASKER
from node.rpc.caller import Caller
from node.rpc.faults import (
    InternalError,
    InvalidParams,
    InvalidRequest,
    ModelDataUnavailable,
    RateLimited,
    RequestTimedOut,
    ResponseTooLarge,
    RpcError,
    ServerError,
)
from node.rpc.going_on import go_on
from node.rpc.json_body import parse_body
from node.rpc.json_value import JsonResult, JsonText, JsonValue, to_text
from node.rpc.rate_limit import NOT_COUNTED, Meter
from node.rpc.request import BadRequest, Request, RequestId, parse_request
from node.rpc.turns import Slices, turns

_log = structlog.get_logger(__name__)

LONG_BODY_BYTES = 64 << 10
SHORT_BATCH_ITEMS = 10
"""What is larger waits for its turn before it is parsed, or between its answers."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of one HTTP request: body, nesting, batch and time."""

    max_body_bytes: int = 5 * 1024 * 1024
    max_depth: int = 64
    max_batch_items: int = 1_000
    max_batch_response_bytes: int = 25_000_000
    request_timeout_s: float = 30.0


async def answer(
    caller: Caller, body: bytes, limits: Limits, meter: Meter = NOT_COUNTED
) -> str | None:
    """Return the JSON that answers a body; None where it held notifications only.

    The first request of a body was counted when it came. Raises `RateLimited` where the others of a
    batch are too many.
    """
    ASKER.set(meter.asker)
    deadline = asyncio.get_running_loop().time() + limits.request_timeout_s
    if len(body) > LONG_BODY_BYTES:
        await turns().take(len(body) >> 20)
    try:
        value = parse_body(body, limits.max_depth)
        if isinstance(value, list):
            _validate_batch(value, limits)
            meter.take(len(value) - 1)
            return await _answer_batch(caller, value, limits, deadline)
    except RateLimited:
        raise
    except RpcError as error:
        return error_text(None, error)
    return await _answer_one(caller, value, deadline, Slices())


def error_text(request_id: RequestId, error: RpcError) -> str:
    """Return an error response as JSON text."""
    content: dict[str, JsonValue] = {"code": error.code, "message": error.message}
    if error.data is not None:
        content["data"] = error.data
    return f'{{"jsonrpc":"2.0","id":{to_text(request_id)},"error":{to_text(content)}}}'


def _validate_batch(items: list[object], limits: Limits) -> None:
    if not items:
        raise InvalidRequest("empty batch")
    if len(items) > limits.max_batch_items:
        raise InvalidRequest(
            f"batch too large: {len(items)} requests, want at most {limits.max_batch_items}"
        )


async def _answer_batch(
    caller: Caller, items: list[object], limits: Limits, deadline: float
) -> str | None:
    """Answer one after the other, as geth does; past the size bound each answer is an error."""
    texts: list[str] = []
    size_bytes = 0
    slices = Slices()
    for item in items:
        if len(items) > SHORT_BATCH_ITEMS:
            await slices.pause()
        if size_bytes > limits.max_batch_response_bytes:
            texts += _too_large(caller, item)
            continue
        text = await _answer_one(caller, item, deadline, slices)
        if text is None:
            continue
        size_bytes += len(text)
        texts += (
            _too_large(caller, item) if size_bytes > limits.max_batch_response_bytes else [text]
        )
    return f"[{','.join(texts)}]" if texts else None


def _too_large(caller: Caller, item: object) -> list[str]:
    try:
        request = parse_request(item, caller.may_call)
    except BadRequest as fault:
        return [] if fault.is_notification else [error_text(fault.request_id, ResponseTooLarge())]
    return [] if request.is_notification else [error_text(request.id, ResponseTooLarge())]


async def _answer_one(caller: Caller, value: object, deadline: float, slices: Slices) -> str | None:
    try:
        request = parse_request(value, caller.may_call)
    except BadRequest as fault:
        return None if fault.is_notification else error_text(fault.request_id, fault.error)
    try:
        result = await _watched(caller, request, deadline, slices)
    except RpcError as error:
        return None if request.is_notification else error_text(request.id, error)
    if request.is_notification:
        return None
    return f'{{"jsonrpc":"2.0","id":{_id_text(request.id)},"result":{result}}}'


async def _watched(caller: Caller, request: Request, deadline: float, slices: Slices) -> str:
    """Run a request, and tell who watches of it."""
    watcher = caller.node.watch.watcher
    if watcher is None:
        return await _run(caller, request, deadline, slices)
    began_s, is_error = perf_counter(), True
    try:
        text = await _run(caller, request, deadline, slices)
        is_error = False
    finally:
        watcher(request.method.name, perf_counter() - began_s, is_error)
    return text


async def _run(caller: Caller, request: Request, deadline: float, slices: Slices) -> str:
    """Run a request until the deadline and return its result as JSON text; raises `RpcError`."""
    if asyncio.get_running_loop().time() >= deadline:
        raise RequestTimedOut
    work, scope = _called(caller, request, slices), None
    try:
        try:
            wait = work.send(None)  # most requests wait for nothing, and need no timer
        except StopIteration as end:
            result = end.value
        else:
            async with (scope := asyncio.timeout_at(deadline)):
                result = await go_on(work, wait)
        return result.text if isinstance(result, JsonText) else to_text(result)
    except RpcError:
        raise
    except InvalidTransaction as fault:
        raise ServerError(str(fault)) from fault
    except BadChunk as fault:
        raise InvalidParams(str(fault)) from fault
    except ModelDataMissing as fault:
        raise ModelDataUnavailable(str(fault)) from fault
    except LocalFault as fault:
        raise ServerError(str(fault)) from fault
    except Exception as fault:
        if scope is not None and scope.expired():
            raise RequestTimedOut from fault
        _log.exception("rpc.internal_error", method=request.method.name)
        raise InternalError from fault


async def _called(caller: Caller, request: Request, slices: Slices) -> JsonResult:
    if request.method.is_long:
        await slices.pause()
    return await request.method.call(caller, request.params)


def _id_text(request_id: RequestId) -> str:
    return str(request_id) if type(request_id) is int else to_text(request_id)
