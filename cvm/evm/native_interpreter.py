"""Runs messages on the compiled loop; what the loop leaves to its host is done here."""

from array import array
from functools import lru_cache

from cvm.evm.calls import (
    CALL,
    CALLCODE,
    CREATE,
    CREATE2,
    DELEGATECALL,
    STATICCALL,
    can_start,
    prepare_call,
    prepare_creation,
)
from cvm.evm.contract_code import ContractCode
from cvm.evm.forks import Fork
from cvm.evm.halts import NATIVE_HALTS, Halt, InvalidOpcode
from cvm.evm.host_opcodes import HOST_OPCODES, selfdestruct
from cvm.evm.machine_limits import STACK_LIMIT
from cvm.evm.message_rules import REVERTED, Rules, begin, code_account, end_creation
from cvm.evm.messages import Message, Outcome, Status, TransactionEnvironment
from cvm.evm.native import layout as at
from cvm.evm.native.frames import end_frame
from cvm.evm.native.loop import run
from cvm.evm.native_frame import NativeFrame
from cvm.evm.opcode_table import opcodes_of
from cvm.evm.world_state import Mark

CALLS = frozenset((CALL, CALLCODE, DELEGATECALL, STATICCALL))
CREATIONS = frozenset((CREATE, CREATE2))
SELFDESTRUCT = 0xFF


class NativeInterpreter:
    """One block's interpreter over the machine memory of its world."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._world = rules.world
        self._memory = rules.world.memory
        self._registers = self._memory.registers
        self._frame = NativeFrame(rules)
        self._creations: dict[int, Message] = {}
        self._halt: type[Halt] | None = None
        self._write_opcodes()
        self._write_block()

    def execute(self, message: Message, transaction: TransactionEnvironment) -> Outcome:
        """Run a message; see `message_rules.Interpreter`."""
        self._frame.transaction = transaction
        mark = self._world.mark()
        outcome = begin(self._rules, message)
        if outcome is None:
            self._write_word(at.ORIGIN, int.from_bytes(transaction.origin, "big"))
            self._write_word(at.GAS_PRICE, transaction.gas_price)
            self._memory.set_blob_hashes(transaction.blob_hashes)
            self._start_outermost(message, mark)
            outcome = self._run()
        if not outcome.is_success:
            self._world.undo(mark)
        return outcome

    # --- the loop

    def _run(self) -> Outcome:
        """Run until the outermost frame has ended."""
        registers, world, address = self._registers, self._world, self._memory.address
        while True:
            world.show_host()
            reason = run(address)
            while reason == 0 or reason == at.HOST_OPCODE or reason == at.FRAME_ENDED:
                if reason == 0:
                    world.show_host()
                    reason = run(address)
                elif reason == at.HOST_OPCODE:
                    reason = self._host_opcode()
                elif registers[at.DEPTH] == 0:
                    return self._outermost_outcome()
                else:
                    self._end_inner_creation()
                    reason = 0
            if reason == at.PRECOMPILE:
                self._run_precompile()
            elif reason == at.NEED_SLOT:
                frame = self._frame.refreshed()
                world.slots.slot_at(registers[at.SLOT_ACCOUNT], frame.top_address)
                world.slots.make_room()
            elif reason == at.NEED_BALANCE:
                frame = self._frame.refreshed()
                world.show_balance(world.numbered(frame.field(at.ADDRESS_ACCOUNT)))
            else:
                self._provide(reason)

    def _provide(self, reason: int) -> None:
        """Make room for what the loop asked for, or undo for a frame that failed."""
        needed = self._registers[at.NEEDED]
        if reason == at.NEED_MEMORY:
            self._memory.grow_memory(needed)
        elif reason == at.NEED_RETURN_DATA:
            self._memory.grow_return_data(needed)
        elif reason == at.NEED_LOGS:
            self._memory.grow_logs(needed)
        elif reason == at.NEED_SLOT_ROOM:
            self._world.slots.make_room()
        else:
            self._world.undo_host(self._frame.refreshed().field(at.HOST_MARK))

    def _host_opcode(self) -> int:
        """Do the opcode at pc; return 0 to go on in the loop, or why not."""
        frame = self._frame.refreshed()
        opcode = frame.opcode()
        try:
            simple = HOST_OPCODES.get(opcode) or self._rules.additions.opcodes.get(opcode)
            if simple is not None:
                simple(frame)
                frame.step()
                return 0
            if opcode in CALLS:
                return self._call(frame, opcode)
            if opcode in CREATIONS:
                return self._create(frame, opcode)
            if opcode != SELFDESTRUCT:
                raise InvalidOpcode
            selfdestruct(frame)
        except Halt as halt:
            self._registers[at.FAILURE] = 0
            self._halt = type(halt)
            return self._end_frame(at.HALTED)
        return self._end_frame(at.SUCCEEDED)

    def _end_frame(self, status: int, size: int = 0) -> int:
        """End the running frame with the start of its memory; return 0 or FRAME_ENDED."""
        while True:
            self._world.show_host()
            reason = int(end_frame(self._memory.address, status, 0, size))
            if reason in (0, at.FRAME_ENDED):
                return reason
            self._provide(reason)

    def _run_precompile(self) -> None:
        """Run the precompile whose frame the loop has pushed, and end the frame."""
        frame = self._frame.refreshed()
        precompile = self._rules.precompiles[frame.code_address()]
        data = frame.input()
        price, gas = precompile.gas(data), frame.gas
        output = precompile.run(bytes(data[: precompile.most_bytes])) if price <= gas else None
        if output is None:
            self._end_frame(at.HALTED)
            return
        frame.return_gas(-price)
        frame.place_output(output)
        self._end_frame(at.SUCCEEDED, len(output))

    # --- calls

    def _call(self, frame: NativeFrame, opcode: int) -> int:
        """Do a call: enter its code, or finish it at once."""
        call = prepare_call(frame, opcode, self._input_of_call)
        message, world = call.message, self._world
        sends = message.value if opcode in (CALL, CALLCODE) else 0
        if not can_start(frame, sends):
            self._finish_call(frame, Outcome(Status.REVERTED, message.gas, b""), 0, 0)
            return 0
        mark = world.mark()
        outcome = begin(self._rules, message)
        if outcome is None:
            data_at = frame.field(at.MEMORY_BASE) + call.data_offset if call.data_size else 0
            code = self._callable(message)
            frame.push_frame(message, code, mark, (data_at, call.data_size), 0)
            frame.set_result(call.result_offset, call.result_size)
            return 0
        if not outcome.is_success:
            world.undo(mark)
        self._finish_call(frame, outcome, call.result_offset, call.result_size)
        return 0

    def _input_of_call(self, address: bytes, offset: int, size: int) -> bytes:
        """Return what the host reads of a call's input; code reads it where it lies.

        A copy of a caller's whole memory is not what 100 gas pay for.
        """
        if address in self._rules.precompiles:
            return self._frame.view(offset, size)
        return (
            self._frame.read(offset, size) if address in self._rules.additions.precompiles else b""
        )

    def _callable(self, message: Message) -> ContractCode:
        """Return the code that a message runs; the loop may enter next what does not delegate.

        An account that delegates to itself runs its own designator, and its calls cost as others'
        that delegate.
        """
        world = self._world
        account = code_account(world, message.code_address)
        if account.address == message.code_address and world.delegate_of(account) is None:
            return world.codes.make_callable(account)
        return world.codes.analysed(account)

    def _finish_call(self, frame: NativeFrame, outcome: Outcome, offset: int, size: int) -> None:
        """Give a caller what a call that ran no code left."""
        frame.return_gas(outcome.gas_left)
        frame.set_return_data(outcome.output)
        frame.write(offset, outcome.output[:size])
        frame.push(int(outcome.is_success))
        frame.step()

    # --- creations

    def _create(self, frame: NativeFrame, opcode: int) -> int:
        """Do a CREATE or CREATE2: enter its initcode, or finish it at once."""
        message = prepare_creation(frame, opcode)
        frame.set_return_data(b"")
        if message is None:
            frame.push(0)
            frame.step()
            return 0
        mark = self._world.mark()
        outcome = begin(self._rules, message)
        if outcome is None:
            self._push_creation(message, mark)
        else:
            self._finish_creation(frame, message, outcome)
        return 0

    def _push_creation(self, message: Message, mark: Mark) -> None:
        """Push the frame of initcode, which the host ends; `_creations` keeps the code alive."""
        code = message.code
        if code is None:
            raise ValueError(f"the creation of 0x{message.target.hex()} has no initcode")
        self._frame.push_frame(message, code, mark, (0, 0), at.HOST_ENDS)
        self._creations[self._registers[at.DEPTH]] = message

    def _end_inner_creation(self) -> None:
        """Close the frame of initcode and go on in its creator."""
        depth = self._registers[at.DEPTH]
        message = self._creations.pop(depth)
        frame = self._frame.refreshed()
        mark = frame.mark()
        outcome = end_creation(self._world, message, self._ended_outcome())
        if not outcome.is_success:
            self._world.undo(mark)
        self._registers[at.DEPTH] = depth - 1
        self._finish_creation(frame.refreshed(), message, outcome)

    def _finish_creation(self, frame: NativeFrame, message: Message, outcome: Outcome) -> None:
        """Give a creator the new address, or 0 and what a REVERT said."""
        frame.return_gas(outcome.gas_left)
        frame.set_return_data(outcome.output if outcome.status is Status.REVERTED else b"")
        frame.push(int.from_bytes(message.target, "big") if outcome.is_success else 0)
        frame.step()

    # --- the outermost frame

    def _start_outermost(self, message: Message, mark: Mark) -> None:
        """Put the call's data below all memories and push the first frame."""
        size = len(message.data)
        if size > self._registers[at.MEMORY_SIZE]:
            self._memory.grow_memory(size)
        self._memory.memory[:size] = message.data
        self._registers[at.DEPTH] = -1
        self._creations.clear()  # those of a message that an addition's fault broke off
        if message.is_creation:
            self._push_creation(message, mark)
        else:
            code = self._callable(message)
            self._frame.push_frame(message, code, mark, (0, size), at.HOST_ENDS)

    def _outermost_outcome(self) -> Outcome:
        """Return how the first frame ended."""
        outcome = self._ended_outcome()
        message = self._creations.pop(0, None)
        return outcome if message is None else end_creation(self._world, message, outcome)

    def _ended_outcome(self) -> Outcome:
        """Return how the frame ended that the host must close."""
        registers = self._registers
        status = Status(registers[at.STATUS])
        output = bytes(self._memory.return_data[: registers[at.RETURN_SIZE]])
        error = None
        if status is Status.REVERTED:
            error = REVERTED
        elif status is Status.HALTED:
            halt = NATIVE_HALTS.get(registers[at.FAILURE]) or self._halt or Halt
            error = halt.__name__
        return Outcome(status, self._frame.refreshed().gas, output, error)

    # --- what the loop reads

    def _write_opcodes(self) -> None:
        """Write the table of opcodes of this fork."""
        added = frozenset(self._rules.additions.opcodes)
        self._memory.opcodes[:] = opcode_entries(self._world.fork, added)

    def _write_block(self) -> None:
        """Write the words of the block."""
        block = self._rules.block
        values = {
            at.COINBASE: int.from_bytes(block.coinbase, "big"),
            at.TIMESTAMP: block.timestamp,
            at.NUMBER: block.number,
            at.PREV_RANDAO: int.from_bytes(block.prev_randao, "big"),
            at.GAS_LIMIT: block.gas_limit,
            at.CHAIN_ID: block.chain_id,
            at.BASE_FEE: block.base_fee,
            at.BLOB_BASE_FEE: block.blob_base_fee,
        }
        for place, value in values.items():
            self._write_word(place, value)

    def _write_word(self, place: int, value: int) -> None:
        """Write a word of the environment."""
        start = place * at.WORD_BYTES
        self._memory.environment[start : start + at.WORD_BYTES] = value.to_bytes(32, "little")


@lru_cache(maxsize=32)
def opcode_entries(fork: Fork, added: frozenset[int]) -> memoryview:
    """Return what the loop must know of each byte; an opcode of the host is without base gas."""
    known = opcodes_of(fork)
    entries = array("q", bytes(8 * 256))
    for byte in range(256):
        opcode = known.get(byte)
        if opcode is not None:
            most = STACK_LIMIT - max(opcode.pushes - opcode.pops, 0)
            gas = 0 if byte in HOST_OPCODES else opcode.gas
            entries[byte] = gas | opcode.pops << at.NEEDED_SHIFT | most << at.MOST_SHIFT
        elif byte in added:
            entries[byte] = STACK_LIMIT << at.MOST_SHIFT
        else:
            entries[byte] = at.UNDEFINED << at.NEEDED_SHIFT
    return memoryview(entries).toreadonly()
