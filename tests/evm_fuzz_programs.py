"""Draws programs that mostly run: every opcode, fitting operands, now and then hostile ones."""

from collections.abc import Callable, Sequence
from random import Random

from cvm.evm.forks import Fork
from cvm.evm.opcode_table import opcodes_of
from tests.evm_assembly import (
    Kind,
    Program,
    Step,
    label,
    push_bytes,
    push_label,
    push_number,
)
from tests.evm_fuzz_inputs import precompile_input

POP, MSTORE, SSTORE, SLOAD, JUMP, JUMPI, GAS = 0x50, 0x52, 0x55, 0x54, 0x56, 0x57, 0x5A
CODECOPY, RETURNDATASIZE, RETURNDATACOPY = 0x39, 0x3D, 0x3E
CREATE, CALL, CALLCODE, RETURN, DELEGATECALL, CREATE2 = range(0xF0, 0xF6)
STATICCALL, REVERT, INVALID, SELFDESTRUCT = 0xFA, 0xFD, 0xFE, 0xFF
CALLS_WITH_VALUE = (CALL, CALLCODE)
HALTS = (0x00, RETURN, REVERT, SELFDESTRUCT)
ENDS = frozenset((JUMP, JUMPI, CREATE, CREATE2, CALL, CALLCODE, DELEGATECALL, STATICCALL, *HALTS))

SHAPES = {
    0x20: "os", 0x31: "a", 0x35: "p", 0x37: "ops", 0x39: "ops", 0x3B: "a", 0x3C: "aops",
    0x3E: "ors", 0x3F: "a", 0x40: "n", 0x51: "o", 0x52: "ov", 0x53: "ov", 0x54: "k", 0x55: "kw",
    0x5C: "k", 0x5D: "kw", 0x5E: "oos", **{0xA0 + n: "os" + n * "v" for n in range(5)},
}  # fmt: skip
"""Operands, the top of the stack first: offset, size, place in a source, address, key, stored
word, height, place in return data, any value."""

HOSTILE = (1 << 31, (1 << 32) - 1, 1 << 32, (1 << 63) - 1, (1 << 64) - 1, 1 << 255, (1 << 256) - 1)
WORDS = (0, 1, 2, 3, 31, 32, 33, 255, 256, 1 << 128, (1 << 64) - 1, 1 << 64, (1 << 128) - 1,
         1 << 255, (1 << 255) - 1, (1 << 256) - 1, (1 << 256) - 2)  # fmt: skip
READS = (0x30, 0x32, 0x33, 0x34, 0x36, 0x38, 0x3A, 0x3D, 0x41, 0x42, 0x43, 0x44, 0x45, 0x46,
         0x47, 0x48, 0x4A, 0x58, 0x59, 0x5A, 0x5F)  # fmt: skip


class ProgramDrawer:
    """One program as it is drawn; `addresses` are what it may call and ask about."""

    def __init__(
        self,
        source: Random,
        fork: Fork,
        addresses: Sequence[bytes],
        nesting: int = 0,
        is_initcode: bool = False,
    ) -> None:
        self._source, self._fork, self._addresses = source, fork, addresses
        self._nesting, self._is_initcode = nesting, is_initcode
        self._plain = [o for o in opcodes_of(fork).values() if o.byte not in ENDS]
        self._steps: list[Step] = []
        self._children: list[Program] = []
        self._height = self._floor = self._labels = 0
        self._statements: tuple[tuple[int, Callable[[], None]], ...] = (
            (40, self._opcode), (14, self._storage), (5, self._transient), (12, self._call),
            (4, self._precompile), (3, self._create if nesting < 2 else self._opcode),
            (5, self._loop), (5, self._branch), (6, self._shuffle), (3, self._return_data),
            (1, self._rare),
        )  # fmt: skip

    def draw(self, statements: int) -> Program:
        """Draw a program with an end."""
        self._body(statements)
        if self._source.random() < 0.7:
            self._show()
        self._end()
        return Program(tuple(self._steps), tuple(self._children))

    def _body(self, statements: int) -> None:
        weights = [weight for weight, _draw in self._statements]
        for _ in range(statements):
            self._source.choices(self._statements, weights)[0][1]()

    # --- steps and operands

    def _add(self, opcode: int, pops: int = 0, pushes: int = 0) -> None:
        self._steps.append(Step(opcode))
        self._height += pushes - pops

    def _push(self, step: Step) -> None:
        self._steps.append(step)
        self._height += 1

    def _number(self, value: int) -> None:
        self._push(push_number(value))

    def _operand(self, kind: str) -> None:
        """Push an operand of a kind; one in fifty is hostile."""
        source = self._source
        if source.random() < 0.02:
            self._number(source.choice(HOSTILE))
            return
        available = self._height - self._floor
        if kind in "vw" and available and source.random() < 0.45:
            self._add(0x7F + source.randint(1, min(16, available)), 0, 1)
        elif kind == "v":
            self._value()
        elif kind == "w":
            self._number(0 if source.random() < 0.45 else source.choice((1, 2, 3, 1 << 200)))
        elif kind == "a":
            self._address()
        elif kind == "n":
            self._add(0x43, 0, 1)
            self._number(source.choice((1, 2, 255, 256, 257, 0)))
            self._steps[-1], self._steps[-2] = self._steps[-2], self._steps[-1]
            self._add(0x03, 2, 1)
        else:
            most = {"o": 100, "s": 70, "p": 60, "k": 3, "r": 4}[kind]
            self._number(source.choice((0, source.randint(0, most), source.randint(0, most))))

    def _value(self) -> None:
        source, draw = self._source, self._source.random()
        if draw < 0.35:
            self._number(source.randint(0, 40))
        elif draw < 0.65:
            self._number(source.choice(WORDS))
        elif draw < 0.8:
            self._add(source.choice(READS), 0, 1)
        elif draw < 0.9:
            self._number(1 << source.randint(0, 255))
        else:
            self._push(push_bytes(source.randbytes(source.randint(1, 32))))

    def _address(self) -> None:
        draw = self._source.random()
        if draw < 0.08:
            self._add(self._source.choice((0x30, 0x32, 0x33, 0x41)), 0, 1)
        elif draw < 0.1:
            self._push(push_bytes(self._source.randbytes(20)))
        elif draw < 0.12:
            self._push(push_bytes(b"\xff" * 12 + self._source.choice(self._addresses)))
        else:
            self._push(push_bytes(self._source.choice(self._addresses)))

    # --- statements

    def _opcode(self) -> None:
        opcode = self._source.choice(self._plain)
        if 0x60 <= opcode.byte <= 0x7F:
            self._push(Step(opcode.byte, self._source.randbytes(opcode.byte - 0x5F)))
            return
        if 0x80 <= opcode.byte <= 0x9F:
            self._shuffle()
            return
        for kind in reversed(SHAPES.get(opcode.byte, opcode.pops * "v")):
            self._operand(kind)
        self._add(opcode.byte, opcode.pops, opcode.pushes)

    def _shuffle(self) -> None:
        """DUP, SWAP or POP of what is there."""
        available = self._height - self._floor
        draw = self._source.random()
        if available > 1 and draw < 0.4:
            self._add(0x8F + self._source.randint(1, min(16, available - 1)))
        elif available and draw < 0.7:
            self._add(0x7F + self._source.randint(1, min(16, available)), 0, 1)
        elif available:
            self._add(POP, 1)

    def _storage(self) -> None:
        if self._source.random() < 0.35:
            self._operand("k")
            self._add(SLOAD, 1, 1)
            return
        self._operand("w")
        self._operand("k")
        self._add(SSTORE, 2)

    def _transient(self) -> None:
        if self._source.random() < 0.5:
            self._operand("k")
            self._add(0x5C, 1, 1)
            return
        self._operand("w")
        self._operand("k")
        self._add(0x5D, 2)

    def _gas(self) -> None:
        draw = self._source.random()
        if draw < 0.5:
            self._add(GAS, 0, 1)
        elif draw < 0.85:
            self._number(self._source.choice((0, 700, 2_300, 2_600, 10_000, 30_000)))
        else:
            self._number(self._source.choice(HOSTILE))

    def _call(self) -> None:
        """Call in any way with ranges in memory, and what becomes of its result."""
        source = self._source
        opcode = source.choice((CALL, CALL, CALL, CALLCODE, DELEGATECALL, STATICCALL))
        for kind in "soso":
            self._operand(kind)
        if opcode in CALLS_WITH_VALUE:
            self._number(source.choice((0, 0, 0, 1, 7, 1 << 40, 1 << 100)))
        self._operand("a")
        self._gas()
        self._add(opcode, 7 if opcode in CALLS_WITH_VALUE else 6, 1)
        if source.random() < 0.3:
            self._add(POP, 1)
        elif source.random() < 0.3:
            self._operand("k")
            self._add(SSTORE, 2)

    def _store(self, data: bytes, offset: int) -> None:
        """Write bytes to memory, in whole words."""
        for start in range(0, len(data), 32):
            self._push(push_bytes(data[start : start + 32].ljust(32, b"\0")))
            self._number(offset + start)
            self._add(MSTORE, 2)

    def _precompile(self) -> None:
        source = self._source
        address, data = precompile_input(source, self._fork)
        self._store(data, 0)
        opcode = source.choice((CALL, STATICCALL, STATICCALL, DELEGATECALL, CALLCODE))
        for value in (source.choice((0, 32, 64)), source.randint(0, 64), len(data), 0):
            self._number(value)
        if opcode in CALLS_WITH_VALUE:
            self._number(source.choice((0, 0, 1)))
        self._number(address)
        self._gas()
        self._add(opcode, 7 if opcode in CALLS_WITH_VALUE else 6, 1)

    def _create(self) -> None:
        """CREATE or CREATE2 with drawn initcode, and often a call of what it made."""
        source = self._source
        drawer = ProgramDrawer(source, self._fork, self._addresses, self._nesting + 1, True)
        number = len(self._children)
        self._children.append(drawer.draw(source.randint(0, 6)))
        self._push(Step(0x61, kind=Kind.CHILD_SIZE, number=number))
        self._push(Step(0x61, kind=Kind.CHILD_OFFSET, number=number))
        self._number(0)
        self._add(CODECOPY, 3)
        opcode = source.choice((CREATE, CREATE2))
        if opcode == CREATE2:
            self._number(source.randint(0, 2))
        self._push(Step(0x61, kind=Kind.CHILD_SIZE, number=number))
        self._number(0 if source.random() < 0.95 else source.choice((1, 31, *HOSTILE)))
        self._number(source.choice((0, 0, 1, 1 << 100)))
        self._add(opcode, 4 if opcode == CREATE2 else 3, 1)
        if source.random() < 0.5:
            for value in (0, 0, 32, 0, source.choice((0, 1))):
                self._number(value)
            self._add(0x85, 0, 1)
            self._add(GAS, 0, 1)
            self._add(CALL, 7, 1)

    def _return_data(self) -> None:
        """Copy exactly what was returned, or a part of it."""
        self._add(RETURNDATASIZE, 0, 1)
        self._number(0)
        self._operand("o")
        self._add(RETURNDATACOPY, 3)

    def _show(self) -> None:
        """Fold the stack into one word, and write that and all memory where peers look."""
        if self._height:
            for _ in range(min(self._height - 1, 16)):
                self._number(31)
                self._add(0x02, 2, 1)
                self._add(0x01, 2, 1)
            self._number(7)
            self._add(SSTORE if self._source.random() < 0.3 else MSTORE, 2)
        self._add(0x59, 0, 1)
        self._number(0)
        self._add(0xA0, 2)

    def _new_label(self) -> int:
        self._labels += 1
        return self._labels

    def _level(self, height: int) -> None:
        """Bring the stack to a height."""
        while self._height > height:
            self._add(POP, 1)
        while self._height < height:
            self._number(0)

    def _loop(self) -> None:
        """Run a body a few times, or now and then until the gas is gone."""
        start, outer = self._new_label(), self._floor
        times = self._source.randint(1, 5)
        self._number(times if self._source.random() < 0.98 else (1 << 256) - 1)
        self._floor = self._height
        self._steps.append(label(start))
        self._body(self._source.randint(1, 4))
        self._level(self._floor)
        self._number(1)
        self._add(0x90)
        self._add(0x03, 2, 1)
        self._add(0x80, 0, 1)
        self._push(push_label(start))
        self._add(JUMPI, 2)
        self._floor = outer

    def _branch(self) -> None:
        """Jump over a part, or not."""
        end, height, outer = self._new_label(), self._height, self._floor
        self._operand("v")
        self._push(push_label(end))
        self._add(JUMPI, 2)
        self._floor = height
        self._body(self._source.randint(1, 3))
        self._level(height)
        self._floor = outer
        self._steps.append(label(end))

    def _rare(self) -> None:
        """End a frame early: bad jumps, no operands, a full stack, bytes of no meaning."""
        source = self._source
        chosen = source.randint(0, 6)
        if chosen == 0:
            self._operand("v")
            self._add(source.choice((JUMP, JUMPI)), 1)
        elif chosen == 1:
            self._steps.append(Step(source.randint(0, 255)))
        elif chosen == 2:
            start = self._new_label()
            self._steps.append(label(start))
            self._steps += [Step(0x80 if self._height else 0x30), push_label(start), Step(JUMP)]
        elif chosen == 3:
            self._steps.append(Step(source.choice((0x0C, 0x21, 0x4B, 0xB0, 0xEF, INVALID))))
        elif chosen == 4:
            self._steps += [Step(byte) for byte in source.randbytes(source.randint(1, 8))]
        elif chosen == 5:
            self._end()
        else:
            self._operand("a")
            self._add(SELFDESTRUCT, 1)

    def _end(self) -> None:
        """End the frame; initcode mostly returns a drawn program."""
        source, draw = self._source, self._source.random()
        if self._is_initcode and draw < 0.75:
            drawer = ProgramDrawer(source, self._fork, self._addresses, self._nesting + 1)
            number = len(self._children)
            self._children.append(drawer.draw(source.randint(0, 5)))
            self._push(Step(0x61, kind=Kind.CHILD_SIZE, number=number))
            self._push(Step(0x61, kind=Kind.CHILD_OFFSET, number=number))
            self._number(0)
            self._add(CODECOPY, 3)
            self._push(Step(0x61, kind=Kind.CHILD_SIZE, number=number))
            self._number(0)
            self._add(RETURN, 2)
        elif draw < 0.8:
            self._operand("s")
            self._operand("o")
            self._add(source.choices((RETURN, REVERT), (3, 1))[0], 2)
        elif draw < 0.9:
            self._add(0)
        elif draw < 0.95:
            self._operand("a")
            self._add(SELFDESTRUCT, 1)
