"""The struct logger: every opcode with gas, stack, and on request memory and more (geth's default).

Form and meaning are those of execution-apis' debug_traceTransaction and of go-ethereum,
eth/tracers/logger. INFER, INFERARRAY and MODELINFO are opcodes like any other, with all that they
were charged as `gasCost`. An opcode that halts shows what it was charged until then, at least its
base price.
"""

from dataclasses import dataclass

from cvm.evm.message_rules import REVERTED
from cvm.evm.messages import Message, Outcome
from cvm.evm.opcode_table import OPCODES
from cvm.evm.tracer import TracedFrame
from node.execution.trace_budget import TraceBudget
from node.rpc.encoding import data, quantity, word
from node.rpc.json_value import JsonValue
from node.tracing.trace_words import INVALID_OPCODE, geth_error, invalid_opcode_name, opcode_name
from node.tracing.transaction_tracer import SilentTracer, TraceEnd

SLOAD, SSTORE = 0x54, 0x55
STEP_BYTES, QUOTES_BYTES, WORD_BYTES, SLOT_BYTES = 90, 3, 70, 140
"""Of JSON, roughly: what is counted against the budget."""


@dataclass(frozen=True, slots=True)
class StructLogOptions:
    """What each step shows; `limit` is the most steps that are kept, 0 all of them."""

    enable_memory: bool = False
    disable_stack: bool = False
    disable_storage: bool = False
    enable_return_data: bool = False
    limit: int = 0


@dataclass(slots=True)
class OpenStep:
    """A step whose price is not known yet."""

    frame: TracedFrame
    opcode: int
    gas: int
    entry: dict[str, JsonValue]


class StructLogger(SilentTracer):
    """See `transaction_tracer.TransactionTracer`."""

    def __init__(self, options: StructLogOptions, budget: TraceBudget) -> None:
        self._options = options
        self._budget = budget
        self._entries: list[JsonValue] = []
        self._open: OpenStep | None = None
        self._storage: dict[bytes, dict[str, JsonValue]] = {}

    def enter(self, message: Message, _opcode: int | None, depth: int, /) -> None:
        """Close the opcode that made a message; the gas of a creation is not part of its price."""
        if depth:
            self._close(message.gas if message.is_creation else 0)

    def step(self, frame: TracedFrame, opcode: int) -> None:
        """Write down an opcode; what it costs is known when the next thing happens."""
        self._close()
        options = self._options
        if options.limit and len(self._entries) >= options.limit:
            return
        gas = frame.gas
        entry: dict[str, JsonValue] = {"pc": frame.pc, "op": opcode_name(opcode), "gas": gas}
        entry |= {"gasCost": 0, "depth": frame.depth + 1}
        size = STEP_BYTES
        if not options.disable_stack:
            stack = [quantity(value) for value in frame.stack]
            entry["stack"] = stack
            size += sum(map(len, stack)) + QUOTES_BYTES * len(stack)
        if options.enable_memory and frame.memory:
            words = memory_words(bytes(frame.memory))
            entry["memory"] = words
            size += WORD_BYTES * len(words)
        if options.enable_return_data and frame.return_data:
            entry["returnData"] = data(frame.return_data)
            size += 2 * len(frame.return_data)
        if not options.disable_storage and opcode in (SLOAD, SSTORE):
            size += self._note_storage(frame, opcode, entry)
        if frame.world.refund:
            entry["refund"] = frame.world.refund
        self._budget.spend(size)
        self._entries.append(entry)
        self._open = OpenStep(frame, opcode, gas, entry)

    def exit(self, _outcome: Outcome, _depth: int, /) -> None:
        """Close the opcode with which a message ended."""
        self._close()

    def fault(self, frame: TracedFrame, error: str) -> None:
        """Close the opcode that halts."""
        last, self._open = self._open, None
        if last is None:
            return
        known = OPCODES.get(last.opcode)
        least = 0 if known is None else known.gas
        last.entry["gasCost"] = max(last.gas - frame.gas, least)
        last.entry["error"] = geth_error(error)
        if error == INVALID_OPCODE:
            name = invalid_opcode_name(last.opcode)
            last.entry |= {"op": name, "error": f"{geth_error(error)}: {name}"}

    def result(self, end: TraceEnd) -> JsonValue:
        """Return gas, outcome and steps of the transaction."""
        shows_output = end.error in (None, REVERTED)
        return {
            "gas": end.gas_used,
            "failed": end.error is not None,
            "returnValue": data(end.output if shows_output else b""),
            "structLogs": self._entries,
        }

    def _close(self, gas_elsewhere: int = 0) -> None:
        """Write down what the last opcode was charged."""
        last, self._open = self._open, None
        if last is not None:
            last.entry["gasCost"] = last.gas - last.frame.gas - gas_elsewhere

    def _note_storage(self, frame: TracedFrame, opcode: int, entry: dict[str, JsonValue]) -> int:
        """Show the slots that a contract has read and written so far; return their size."""
        stack = frame.stack
        if len(stack) < (1 if opcode == SLOAD else 2):
            return 0
        key = stack[-1]
        world = frame.world
        value = world.storage(world.account(frame.address), key) if opcode == SLOAD else stack[-2]
        slots = self._storage.setdefault(frame.address, {})
        slots[word(key)] = word(value)
        entry["storage"] = dict(slots)
        return SLOT_BYTES * len(slots)


def memory_words(memory: bytes) -> list[str]:
    """Return memory in words of 32 bytes, the last one filled up with zeros."""
    return [data(memory[at : at + 32].ljust(32, b"\0")) for at in range(0, len(memory), 32)]
