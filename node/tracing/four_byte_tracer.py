"""4byteTracer: how often each selector was called, with the size of the arguments behind it.

go-ethereum, eth/tracers/native/4byte.go. Precompiles have no selectors.
"""

from cvm.evm.messages import Message
from cvm.evm.precompiles.table import OSAKA_TABLE
from node.rpc.encoding import data
from node.rpc.json_value import JsonValue
from node.tracing.transaction_tracer import SilentTracer, TraceEnd
from opcodes.table import INFER_ADDRESS, MODELINFO_ADDRESS

SELECTOR_BYTES = 4
NO_SELECTORS = frozenset((*OSAKA_TABLE, INFER_ADDRESS, MODELINFO_ADDRESS))


class FourByteTracer(SilentTracer):
    """See `transaction_tracer.TransactionTracer`."""

    def __init__(self) -> None:
        self._counts: dict[str, int] = {}

    def enter(self, message: Message, _opcode: int | None, _depth: int, /) -> None:
        """Count the selector of a call."""
        if message.is_creation or message.code_address in NO_SELECTORS:
            return
        size = len(message.data)
        if size >= SELECTOR_BYTES:
            selector = data(bytes(message.data[:SELECTOR_BYTES]))
            key = f"{selector}-{size - SELECTOR_BYTES}"
            self._counts[key] = self._counts.get(key, 0) + 1

    def result(self, _end: TraceEnd, /) -> JsonValue:
        """Return the counts by selector and size."""
        return dict(self._counts)
