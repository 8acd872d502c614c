"""Parses the PTX that NVRTC and nvcc write for our kernels; anything else is refused by name."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

PREDICATE_BITS = 1


class BadPtx(Exception):
    """A line of PTX is not in the part of the language that is interpreted."""

    def __init__(self, kernel: str, line: str) -> None:
        super().__init__(f"{kernel}: not interpreted: {line}")


@dataclass(frozen=True, slots=True)
class Register:
    """A register: its width (1: a predicate) and its place among those of this width."""

    bits: int
    index: int


@dataclass(frozen=True, slots=True)
class Immediate:
    """A number in the code, as a whole number or, of `0f...` and `0d...`, the bits of a float."""

    value: int


@dataclass(frozen=True, slots=True)
class Symbol:
    """A name: `%tid.x`, a parameter, a shared variable or a label."""

    name: str


@dataclass(frozen=True, slots=True)
class Address:
    """A place in memory: a register or a symbol, and bytes after it."""

    start: Register | Symbol
    offset: int


@dataclass(frozen=True, slots=True)
class Elements:
    """The registers of a vector, `{%f1, %f2}`."""

    registers: tuple[Register, ...]


Operand = Register | Immediate | Symbol | Address | Elements


@dataclass(frozen=True, slots=True)
class Instruction:
    """One instruction, done by the threads whose `guard` differs from `is_negated`."""

    opcode: str
    operands: tuple[Operand, ...]
    guard: Register | None
    is_negated: bool
    line: str


@dataclass(frozen=True, slots=True)
class SharedVariable:
    """An array in shared memory."""

    size_bytes: int
    alignment: int


@dataclass(slots=True)
class PtxKernel:
    """An entry: its registers by width, its variables, and its basic blocks in written order."""

    name: str
    parameters: tuple[str, ...]
    registers: dict[int, int] = field(default_factory=dict)
    shared: dict[str, SharedVariable] = field(default_factory=dict)
    blocks: list[list[Instruction]] = field(default_factory=lambda: [[]])
    labels: dict[str, int] = field(default_factory=dict)


_ENTRY = re.compile(r"\.visible\s+\.entry\s+(\w+)\s*\((.*?)\)([^{};]*)\{(.*?)\n\}", re.S)
_OUTSIDE = re.compile(
    r"\.(version|target|address_size)\s+[\w.]+|\.global \.align 4 \.u32 \w+ = \d+;"
)
"""A numbered name is a constant of a class that no instruction may name."""

_PARAMETER = re.compile(r"\.param\s+\.u64\s+(?:\.ptr\s+(?:\.align\s+\d+\s+)?)?(\w+)")
_PERFORMANCE = re.compile(r"\.(?:maxntid|minnctapersm)\s+\d+(?:,\s*\d+)*")
_REGISTERS = re.compile(r"\.reg\s+\.(\w+)\s+(%\w+?)<(\d+)>;")
_SHARED = re.compile(r"\.shared\s+\.align\s+(\d+)\s+\.b8\s+(\w+)\[(\d+)\];")
_PRAGMA = re.compile(r'\.pragma\s+"nounroll";')
_LABEL = re.compile(r"(\$\w+):")
_INSTRUCTION = re.compile(r"(?:@(!?)(%\w+)\s+)?([a-z][\w.]*)\s*(.*);")
_OPERAND = re.compile(r"\{[^}]*\}|\[[^\]]*\]|[^,\s]+")
_PLACE = re.compile(r"\[([%$\w]+)(?:\+(-?\d+))?\]")
_NUMBER = re.compile(r"-?(?:0x[0-9A-Fa-f]+|\d+)")
_FLOAT = re.compile(r"0[fd]([0-9A-F]{8}|[0-9A-F]{16})")
_SPECIAL = frozenset({"%tid.x", "%ntid.x", "%ctaid.x"})
_ENDS_BLOCK = ("bra", "bra.uni", "ret", "bar.sync")


def parse_ptx(text: str) -> Mapping[str, PtxKernel]:
    """Return every kernel of a PTX file by name; raises `BadPtx`."""
    text = re.sub(r"//[^\n]*", "", text)
    for line in filter(str.strip, _ENTRY.sub("", text).splitlines()):
        if not _OUTSIDE.fullmatch(line.strip()):
            raise BadPtx("outside kernels", line.strip())
    kernels = (_Parser(*match.groups()).parse() for match in _ENTRY.finditer(text))
    return {kernel.name: kernel for kernel in kernels}


class _Parser:
    """Reads one entry."""

    def __init__(self, name: str, parameters: str, performance: str, body: str) -> None:
        given = [part.strip() for part in parameters.split(",") if part.strip()]
        matches = [_PARAMETER.fullmatch(part) for part in given]
        for part, match in zip(given, matches, strict=True):
            if match is None:
                raise BadPtx(name, part)
        if _PERFORMANCE.sub("", performance).strip():
            raise BadPtx(name, performance.strip())
        self._kernel = PtxKernel(name, tuple(match[1] for match in matches if match))
        self._body = body
        self._registers: dict[str, Register] = {}

    def parse(self) -> PtxKernel:
        """Return the kernel, every label of which exists."""
        for line in _statements(self._body):
            self._add_line(line)
        kernel = self._kernel
        for instruction in (entry for block in kernel.blocks for entry in block):
            if instruction.opcode.startswith("bra"):
                (target,) = instruction.operands
                if not isinstance(target, Symbol) or target.name not in kernel.labels:
                    raise BadPtx(kernel.name, instruction.line)
        return kernel

    def _add_line(self, line: str) -> None:
        kernel = self._kernel
        if match := _REGISTERS.fullmatch(line):
            self._declare(match[1], match[2], int(match[3]))
        elif match := _SHARED.fullmatch(line):
            kernel.shared[match[2]] = SharedVariable(int(match[3]), int(match[1]))
        elif match := _LABEL.fullmatch(line):
            if kernel.blocks[-1]:
                kernel.blocks.append([])
            kernel.labels[match[1]] = len(kernel.blocks) - 1
        elif match := _INSTRUCTION.fullmatch(line):
            self._add_instruction(line, *match.groups())
        elif not _PRAGMA.fullmatch(line):
            raise BadPtx(kernel.name, line)

    def _declare(self, kind: str, prefix: str, count: int) -> None:
        bits = PREDICATE_BITS if kind == "pred" else int(kind[1:])
        first = self._kernel.registers.get(bits, 0)
        for number in range(count):
            self._registers[f"{prefix}{number}"] = Register(bits, first + number)
        self._kernel.registers[bits] = first + count

    def _add_instruction(
        self, line: str, negation: str | None, guard: str | None, opcode: str, rest: str
    ) -> None:
        operands = tuple(self._operand(text, line) for text in _OPERAND.findall(rest))
        watched = self._register(guard, line) if guard else None
        blocks = self._kernel.blocks
        blocks[-1].append(Instruction(opcode, operands, watched, negation == "!", line))
        if opcode in _ENDS_BLOCK:
            blocks.append([])

    def _operand(self, text: str, line: str) -> Operand:
        if text.startswith("{"):
            names = text.strip("{}").split(",")
            return Elements(tuple(self._register(name.strip(), line) for name in names))
        if match := _PLACE.fullmatch(text):
            name, offset = match[1], int(match[2] or 0)
            is_register = name.startswith("%")
            return Address(self._register(name, line) if is_register else Symbol(name), offset)
        if match := _FLOAT.fullmatch(text):
            return Immediate(int(match[1], 16))
        if _NUMBER.fullmatch(text):
            return Immediate(int(text, 0))
        if text.startswith("%") and text not in _SPECIAL:
            return self._register(text, line)
        if text in _SPECIAL or re.fullmatch(r"[$\w]+", text):
            return Symbol(text)
        raise BadPtx(self._kernel.name, line)

    def _register(self, name: str, line: str) -> Register:
        if name not in self._registers:
            raise BadPtx(self._kernel.name, line)
        return self._registers[name]


def _statements(body: str) -> Iterator[str]:
    """Yield labels, directives and instructions, one line each."""
    for line in filter(None, map(str.strip, body.splitlines())):
        yield re.sub(r"\s+", " ", line)
