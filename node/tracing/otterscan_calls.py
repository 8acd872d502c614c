"""What Otterscan shows of a transaction's calls, in the forms of its API, level 8.

The forms are Erigon's (rpc/jsonrpc/otterscan_*.go), which anvil shares. Inferences are no calls
and are left out, as in Parity's form.
"""

from collections.abc import Iterator
from types import MappingProxyType

from node.rpc.encoding import data, quantity
from node.rpc.json_value import JsonValue
from node.tracing.call_recorder import CallFrame
from node.tracing.flat_calls import INFERENCE, SELFDESTRUCTION

TRANSFER = 0
OPERATIONS = MappingProxyType({SELFDESTRUCTION: 1, "CREATE": 2, "CREATE2": 3})
"""Kinds of internal operations, beside transfers of value."""
WITHOUT_VALUE = frozenset(("STATICCALL", "DELEGATECALL"))


def frames_in_order(root: CallFrame) -> Iterator[tuple[CallFrame, int]]:
    """Yield every frame but inferences with its depth, callers first."""
    waiting = [(root, 0)]
    while waiting:
        frame, depth = waiting.pop()
        yield frame, depth
        calls = [call for call in frame.calls if call.kind != INFERENCE]
        waiting += [(call, depth + 1) for call in reversed(calls)]


def trace_entries(root: CallFrame) -> list[JsonValue]:
    """Return the calls one by one, for ots_traceTransaction."""
    return [
        {
            "type": frame.kind,
            "depth": depth,
            "from": data(frame.sender),
            "to": data(frame.to),
            "value": None if frame.kind in WITHOUT_VALUE else quantity(frame.value or 0),
            "input": data(frame.input),
            "output": data(frame.output),
        }
        for frame, depth in frames_in_order(root)
    ]


def internal_operations(root: CallFrame) -> list[JsonValue]:
    """Return transfers, creations and self-destructions that the transaction itself did not ask."""
    found: list[JsonValue] = []
    for frame, depth in frames_in_order(root):
        operation = operation_of(frame)
        if depth and operation is not None:
            found.append(
                {
                    "type": operation,
                    "from": data(frame.sender),
                    "to": data(frame.to),
                    "value": quantity(frame.value or 0),
                }
            )
    return found


def operation_of(frame: CallFrame) -> int | None:
    """Return the kind of a frame's operation, None where it moves and makes nothing."""
    if frame.kind == "CALL" and frame.value:
        return TRANSFER
    return OPERATIONS.get(frame.kind)


def names_address(root: CallFrame, address: bytes) -> bool:
    """Tell whether an address is at an end of any call, whatever became of it."""
    return any(address in (frame.sender, frame.to) for frame, _depth in frames_in_order(root))


def creator_of(root: CallFrame, address: bytes) -> bytes | None:
    """Return who created a contract last, None where nobody did; what failed creates nothing."""
    found = None
    waiting = [root]
    while waiting:
        frame = waiting.pop()
        if frame.error is not None:
            continue
        if frame.is_creation and frame.to == address:
            found = frame.sender
        waiting += reversed(frame.calls)
    return found
