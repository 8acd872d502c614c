"""Records the calls of a transaction as a tree: what every tracer of calls is made from.

A contract that destroys itself and an INFER or INFERARRAY are frames too, of a kind of their own,
though no code runs in them. MODELINFO reads a fact and is none.
"""

from dataclasses import dataclass, field

from cvm.evm.calls import CALL, CALLCODE, CREATE, CREATE2, DELEGATECALL, STATICCALL
from cvm.evm.messages import Message, Outcome
from cvm.evm.tracer import TracedFrame
from node.execution.trace_budget import TraceBudget
from node.tracing.inferences import inference_input
from node.tracing.trace_words import INVALID_OPCODE, MODEL_ERROR, opcode_name
from node.tracing.transaction_tracer import TraceStart
from opcodes.table import INFER, INFERARRAY

SELFDESTRUCT = 0xFF
LOG0, LOG4 = 0xA0, 0xA4
ADDRESS_MASK = (1 << 160) - 1
FRAME_BYTES = 400
"""Of JSON, roughly, beside input and output."""


@dataclass(frozen=True, slots=True)
class FrameLog:
    """A log: `position` is how many calls of its frame came before it, `order` counts all logs."""

    address: bytes
    topics: tuple[bytes, ...]
    data: bytes
    position: int
    order: int


@dataclass(slots=True)
class CallFrame:
    """One frame; `value` is None where the kind has none. `error` names a halt or a revert.

    `model_id` is that of an inference, whose `to` is empty; `bad_opcode` the byte that is none.
    """

    kind: str
    sender: bytes
    to: bytes
    value: int | None
    gas: int
    input: bytes
    gas_used: int = 0
    output: bytes = b""
    error: str | None = None
    model_id: bytes | None = None
    bad_opcode: int | None = None
    calls: list["CallFrame"] = field(default_factory=list)
    logs: list[FrameLog] = field(default_factory=list)

    @property
    def is_creation(self) -> bool:
        """Tell whether initcode ran."""
        return self.kind in ("CREATE", "CREATE2")


@dataclass(slots=True)
class Begun:
    """An opcode that becomes a frame or a log once it has succeeded."""

    opcode: int
    frame: TracedFrame
    gas: int
    stack: tuple[int, ...]
    data: bytes = b""
    balance: int = 0


class CallRecorder:
    """A `Tracer` that keeps the tree in `root`; logs only where they are wanted."""

    def __init__(self, budget: TraceBudget, *, with_logs: bool = False) -> None:
        self.root: CallFrame | None = None
        self.start: TraceStart | None = None
        self._budget = budget
        self._with_logs = with_logs
        self._frames: list[CallFrame] = []
        self._begun: Begun | None = None
        self._logs_seen = 0
        self._opcode: int | None = None
        self._bad_opcode: int | None = None

    def begin(self, start: TraceStart) -> None:
        """Keep what is known before."""
        self.start = start

    def enter(self, message: Message, opcode: int | None, _depth: int, /) -> None:
        """Open a frame."""
        self._begun = None
        frame = frame_of(message, opcode)
        self._budget.spend(FRAME_BYTES + 2 * len(frame.input))
        if self._frames:
            self._frames[-1].calls.append(frame)
        else:
            self.root = frame
        self._frames.append(frame)

    def step(self, frame: TracedFrame, opcode: int) -> None:
        """Finish what the opcode before began, and look whether this one matters."""
        self._finish()
        self._opcode = opcode
        stack = frame.stack
        if opcode in (INFER, INFERARRAY):
            if len(stack) >= (5 if opcode == INFER else 4):
                given = inference_input(frame, opcode)
                self._begun = Begun(opcode, frame, frame.gas, tuple(stack[-5:]), given)
        elif opcode == SELFDESTRUCT:
            if stack:
                balance = frame.world.account(frame.address).balance
                self._begun = Begun(opcode, frame, frame.gas, (stack[-1],), balance=balance)
        elif self._with_logs and LOG0 <= opcode <= LOG4 and len(stack) >= opcode - LOG0 + 2:
            words = tuple(reversed(stack[-(opcode - LOG0 + 2) :]))
            self._begun = Begun(opcode, frame, frame.gas, words)

    def exit(self, outcome: Outcome, _depth: int, /) -> None:
        """Close the frame; logs of one that failed never were."""
        if outcome.is_success:
            self._finish()
        self._begun = None
        frame = self._frames.pop()
        frame.gas_used = frame.gas - outcome.gas_left
        frame.output = outcome.output
        frame.error = outcome.error
        frame.bad_opcode, self._bad_opcode = self._bad_opcode, None
        if not outcome.is_success:
            forget_logs(frame)
        self._budget.spend(2 * len(frame.output))

    def fault(self, _frame: TracedFrame, error: str, /) -> None:
        """Drop what was begun; an inference that was not paid for is shown as failed."""
        if error == INVALID_OPCODE:
            self._bad_opcode = self._opcode
        begun, self._begun = self._begun, None
        if begun is None or begun.opcode not in (INFER, INFERARRAY) or error == INVALID_OPCODE:
            return
        self._frames[-1].calls.append(inference_frame(begun, b"", error))

    def _finish(self) -> None:
        begun, self._begun = self._begun, None
        if begun is None:
            return
        parent = self._frames[-1]
        if begun.opcode in (INFER, INFERARRAY):
            ok = bool(begun.frame.stack and begun.frame.stack[-1])
            made = inference_frame(begun, begun.frame.return_data, None if ok else MODEL_ERROR)
            self._budget.spend(FRAME_BYTES + 2 * len(made.input) + 2 * len(made.output))
            parent.calls.append(made)
        elif begun.opcode == SELFDESTRUCT:
            heir = (begun.stack[0] & ADDRESS_MASK).to_bytes(20, "big")
            address = begun.frame.address
            parent.calls.append(CallFrame("SELFDESTRUCT", address, heir, begun.balance, 0, b""))
        else:
            self._add_log(parent, begun)

    def _add_log(self, parent: CallFrame, begun: Begun) -> None:
        offset, size, *topics = begun.stack
        payload = bytes(begun.frame.memory[offset : offset + size]) if size else b""
        self._budget.spend(FRAME_BYTES + 2 * len(payload))
        parent.logs.append(
            FrameLog(
                begun.frame.address,
                tuple(topic.to_bytes(32, "big") for topic in topics),
                payload,
                len(parent.calls),
                self._logs_seen,
            )
        )
        self._logs_seen += 1


def frame_of(message: Message, opcode: int | None) -> CallFrame:
    """Return the frame of a message that begins."""
    kind = message_kind(message, opcode)
    inherits = opcode in (DELEGATECALL, CALLCODE)
    code = b"" if message.code is None else message.code.data
    return CallFrame(
        kind,
        sender=message.target if inherits else message.caller,
        to=message.target if message.is_creation else message.code_address,
        value=None if opcode == STATICCALL else message.value,
        gas=message.gas,
        input=code if message.is_creation else bytes(message.data),
    )


def message_kind(message: Message, opcode: int | None) -> str:
    """Return what made a message, as an opcode's name; a transaction calls or creates."""
    if message.is_creation:
        return "CREATE2" if opcode == CREATE2 else opcode_name(CREATE)
    return opcode_name(CALL if opcode is None else opcode)


def inference_frame(begun: Begun, output: bytes, error: str | None) -> CallFrame:
    """Return the frame of an inference: what it was charged is its gas, and all of it is used."""
    gas = begun.gas - begun.frame.gas
    model_id = begun.stack[-1].to_bytes(32, "big")
    return CallFrame(
        "INFER",
        sender=begun.frame.address,
        to=b"",
        value=None,
        gas=gas,
        input=begun.data,
        gas_used=gas,
        output=output,
        error=error,
        model_id=model_id,
    )


def forget_logs(frame: CallFrame) -> None:
    """Drop the logs of a frame that failed, and of all that it called."""
    waiting = [frame]
    while waiting:
        found = waiting.pop()
        found.logs.clear()
        waiting += found.calls
