"""Programs of the EVM as lists of steps: assembled to bytecode, printed, and made smaller."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import Enum, auto

from cvm.evm.opcode_table import OPCODES

JUMPDEST, PUSH2 = 0x5B, 0x61


class Kind(Enum):
    """What a step is besides an opcode with its immediate bytes."""

    PLAIN = auto()
    LABEL = auto()
    PUSH_LABEL = auto()
    CHILD_OFFSET = auto()
    CHILD_SIZE = auto()


@dataclass(frozen=True, slots=True)
class Step:
    """One opcode; `number` names the label, or the child whose offset or size is pushed."""

    opcode: int
    data: bytes = b""
    kind: Kind = Kind.PLAIN
    number: int = 0

    @property
    def size_bytes(self) -> int:
        return 1 + (2 if self.kind not in (Kind.PLAIN, Kind.LABEL) else len(self.data))

    def text(self) -> str:
        """Return the step as a line of assembly."""
        known = OPCODES.get(self.opcode)
        name = known.name if known else f"0x{self.opcode:02x}"
        if self.kind is Kind.PLAIN:
            return f"{name} 0x{self.data.hex()}" if self.data else name
        return f"{name} {self.kind.name.lower()}:{self.number}"


@dataclass(frozen=True, slots=True)
class Program:
    """Steps, and the programs whose bytecode lies behind them for CODECOPY."""

    steps: tuple[Step, ...] = ()
    children: tuple["Program", ...] = ()

    def assemble(self) -> bytes:
        """Return the bytecode; a label that is gone has offset 0."""
        labels, place = {}, 0
        for step in self.steps:
            if step.kind is Kind.LABEL:
                labels[step.number] = place
            place += step.size_bytes
        children = [child.assemble() for child in self.children]
        starts = [place + sum(map(len, children[:i])) for i in range(len(children))]
        code = bytearray()
        for step in self.steps:
            code.append(step.opcode)
            if step.kind is Kind.PUSH_LABEL:
                code += (labels.get(step.number, 0) & 0xFFFF).to_bytes(2, "big")
            elif step.kind is Kind.CHILD_OFFSET:
                code += (starts[step.number] & 0xFFFF).to_bytes(2, "big")
            elif step.kind is Kind.CHILD_SIZE:
                code += (len(children[step.number]) & 0xFFFF).to_bytes(2, "big")
            else:
                code += step.data
        return bytes(code) + b"".join(children)

    def text(self, indent: str = "  ") -> str:
        """Return the program as assembly, its children indented below it."""
        lines = [indent + step.text() for step in self.steps]
        for number, child in enumerate(self.children):
            if child.steps:
                lines += [f"{indent}child {number}:", child.text(indent + "  ")]
        return "\n".join(lines)

    def smaller(self) -> Iterator["Program"]:
        """Yield programs with fewer steps: large pieces are left out first."""
        size = len(self.steps)
        while size:
            for start in range(0, len(self.steps), size):
                yield replace(self, steps=self.steps[:start] + self.steps[start + size :])
            size //= 2
        for number, child in enumerate(self.children):
            for less in child.smaller():
                children = (*self.children[:number], less, *self.children[number + 1 :])
                yield replace(self, children=children)


def label(number: int) -> Step:
    """Return a JUMPDEST that jumps can name."""
    return Step(JUMPDEST, kind=Kind.LABEL, number=number)


def push_label(number: int) -> Step:
    """Return the push of a label's offset."""
    return Step(PUSH2, kind=Kind.PUSH_LABEL, number=number)


def push_number(value: int) -> Step:
    """Return the shortest push of a number, not PUSH0."""
    data = value.to_bytes(max(1, -(-value.bit_length() // 8)), "big")
    return push_bytes(data)


def push_bytes(data: bytes) -> Step:
    """Return the push of 1 to 32 bytes."""
    return Step(0x5F + len(data), data)
