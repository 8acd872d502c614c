"""Runs messages in plain Python: the definition of the compiled loop, and where tracers look."""

from cvm.evm.calls import CALL, CALLCODE, can_start, prepare_call, prepare_creation
from cvm.evm.halts import Halt, InvalidOpcode, StackOverflow, StackUnderflow
from cvm.evm.host_opcodes import HOST_OPCODES, selfdestruct
from cvm.evm.machine_limits import CALL_DEPTH_LIMIT, STACK_LIMIT
from cvm.evm.message_rules import REVERTED, Rules, begin, code_account, end_creation, halted
from cvm.evm.messages import Message, Outcome, Status, TransactionEnvironment
from cvm.evm.native_interpreter import CALLS, CREATIONS, SELFDESTRUCT
from cvm.evm.opcode_table import opcodes_of
from cvm.evm.plain_frame import PlainFrame
from cvm.evm.plain_opcodes import PLAIN_OPCODES
from cvm.evm.tracer import Tracer

STOP, RETURN, REVERT = 0x00, 0xF3, 0xFD


class PlainInterpreter:
    """One block's interpreter; frames stand on a list, never on Python's own stack."""

    def __init__(self, rules: Rules, tracer: Tracer | None = None) -> None:
        self._rules = rules
        self._world = rules.world
        self._known = opcodes_of(rules.world.fork)
        self._tracer = tracer
        self._frames: list[PlainFrame] = []
        self._transaction = TransactionEnvironment(bytes(20), 0)

    def execute(self, message: Message, transaction: TransactionEnvironment) -> Outcome:
        """Run a message; see `message_rules.Interpreter`."""
        self._transaction = transaction
        self._frames.clear()
        if self._tracer is not None:
            self._tracer.enter(message, None, 0)
        mark = self._world.mark()
        outcome = begin(self._rules, message)
        if outcome is None:
            self._push(message, mark, (0, 0))
            outcome = self._run()
        elif not outcome.is_success:
            self._world.undo(mark)
        if self._tracer is not None:
            self._tracer.exit(outcome, 0)
        return outcome

    def _run(self) -> Outcome:
        """Run until the outermost frame has ended."""
        while True:
            frame = self._frames[-1]
            try:
                ended = self._step(frame)
            except Halt as halt:
                if self._tracer is not None:
                    self._tracer.fault(frame, type(halt).__name__)
                ended = halted(halt)
            if ended is not None:
                outcome = self._close(frame, ended)
                if not self._frames:
                    return outcome
                self._resume(self._frames[-1], frame, outcome)

    def _step(self, frame: PlainFrame) -> Outcome | None:
        """Do one opcode; the outcome if the frame ends with it."""
        code = frame.code.data
        byte = code[frame.pc] if frame.pc < len(code) else STOP
        if self._tracer is not None:
            self._tracer.step(frame, byte)
        opcode = self._known.get(byte)
        added = self._rules.additions.opcodes.get(byte)
        if opcode is None:
            if added is None:
                raise InvalidOpcode
            added(frame)
            frame.pc += 1
            return None
        if len(frame.stack) < opcode.pops:
            raise StackUnderflow
        if len(frame.stack) - opcode.pops + opcode.pushes > STACK_LIMIT:
            raise StackOverflow
        if byte in HOST_OPCODES:
            HOST_OPCODES[byte](frame)
            frame.pc += 1
            return None
        frame.charge(opcode.gas)
        plain = PLAIN_OPCODES.get(byte)
        if plain is not None:
            plain(frame)
            frame.pc += 1
            return None
        return self._control(frame, byte)

    def _control(self, frame: PlainFrame, byte: int) -> Outcome | None:
        """Do an opcode that starts or ends a frame."""
        if byte in CALLS:
            self._call(frame, byte)
            return None
        if byte in CREATIONS:
            self._create(frame, byte)
            return None
        if byte == SELFDESTRUCT:
            selfdestruct(frame)
            return Outcome(Status.SUCCEEDED, frame.gas, b"")
        if byte == STOP:
            return Outcome(Status.SUCCEEDED, frame.gas, b"")
        offset, size = frame.pop(), frame.pop()
        frame.reserve((offset, size))
        output = frame.read(offset, size)
        if byte == RETURN:
            return Outcome(Status.SUCCEEDED, frame.gas, output)
        return Outcome(Status.REVERTED, frame.gas, output, REVERTED)

    def _call(self, frame: PlainFrame, opcode: int) -> None:
        """Do a call: enter its code, or finish it at once."""
        call = prepare_call(frame, opcode, lambda _address, at, size: frame.read(at, size))
        message, world = call.message, self._world
        result = (call.result_offset, call.result_size)
        sends = message.value if opcode in (CALL, CALLCODE) else 0
        if self._tracer is not None:
            self._tracer.enter(message, opcode, frame.depth + 1)
        if not can_start(frame, sends):
            refused = Outcome(Status.REVERTED, message.gas, b"")
            if self._tracer is not None:
                self._tracer.exit(refused._replace(error=refusal(frame)), frame.depth + 1)
            self._finish_call(frame, refused, (0, 0))
            return
        mark = world.mark()
        outcome = begin(self._rules, message)
        if outcome is None:
            self._push(message, mark, result)
            return
        if not outcome.is_success:
            world.undo(mark)
        if self._tracer is not None:
            self._tracer.exit(outcome, frame.depth + 1)
        self._finish_call(frame, outcome, result)

    def _create(self, frame: PlainFrame, opcode: int) -> None:
        """Do a CREATE or CREATE2: enter its initcode, or finish it at once."""
        message = prepare_creation(frame, opcode)
        frame.return_data = b""
        if message is None:
            frame.push(0)
            frame.pc += 1
            return
        if self._tracer is not None:
            self._tracer.enter(message, opcode, frame.depth + 1)
        mark = self._world.mark()
        outcome = begin(self._rules, message)
        if outcome is None:
            self._push(message, mark, (0, 0))
            return
        if self._tracer is not None:
            self._tracer.exit(outcome, frame.depth + 1)
        self._finish_creation(frame, message, outcome)

    def _push(self, message: Message, mark: tuple[int, ...], result: tuple[int, int]) -> None:
        """Put the frame of a message on top."""
        world = self._world
        code = message.code
        if code is None:
            code = world.codes.analysed(code_account(world, message.code_address))
        host, slots, log_bytes, logs, refund = mark
        self._frames.append(
            PlainFrame(
                world,
                self._rules.block,
                self._transaction,
                message,
                code,
                (host, slots, log_bytes, logs, refund),
                len(self._frames),
                message.gas,
                result,
            )
        )

    def _close(self, frame: PlainFrame, outcome: Outcome) -> Outcome:
        """Take a frame off; one that failed leaves no trace."""
        self._frames.pop()
        if frame.message.is_creation:
            outcome = end_creation(self._world, frame.message, outcome)
        if not outcome.is_success:
            self._world.undo(frame.mark)
        if self._tracer is not None and self._frames:
            self._tracer.exit(outcome, frame.depth)
        return outcome

    def _resume(self, caller: PlainFrame, frame: PlainFrame, outcome: Outcome) -> None:
        """Give a caller what its call or creation left."""
        if frame.message.is_creation:
            self._finish_creation(caller, frame.message, outcome)
        else:
            self._finish_call(caller, outcome, frame.result)

    def _finish_call(self, frame: PlainFrame, outcome: Outcome, result: tuple[int, int]) -> None:
        offset, size = result
        frame.return_gas(outcome.gas_left)
        frame.return_data = outcome.output
        frame.write(offset, outcome.output[:size])
        frame.push(int(outcome.is_success))
        frame.pc += 1

    def _finish_creation(self, frame: PlainFrame, message: Message, outcome: Outcome) -> None:
        frame.return_gas(outcome.gas_left)
        frame.return_data = outcome.output if outcome.status is Status.REVERTED else b""
        frame.push(int.from_bytes(message.target, "big") if outcome.is_success else 0)
        frame.pc += 1


def refusal(frame: PlainFrame) -> str:
    """Return why a call could not start, in geth's words."""
    if frame.depth + 1 > CALL_DEPTH_LIMIT:
        return "max call depth exceeded"
    return "insufficient balance for transfer"
