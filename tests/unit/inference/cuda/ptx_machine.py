"""Runs a kernel of parsed PTX, the 256 threads of a block at once.

The threads at the earliest basic block go first, so that threads that have parted meet again where
their ways join. A barrier is passed when every thread of the block waits at it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from cvm.inference.backends.cuda.device import THREADS
from cvm.inference.tensor_type import Array
from tests.unit.inference.cuda.ptx_arithmetic import ARITHMETIC
from tests.unit.inference.cuda.ptx_faults import MissedBarrier
from tests.unit.inference.cuda.ptx_kinds import DTYPES, width_of
from tests.unit.inference.cuda.ptx_memory import CheckedMemory, Extent, MemoryBlock
from tests.unit.inference.cuda.ptx_parser import (
    Address,
    BadPtx,
    Elements,
    Immediate,
    Instruction,
    Operand,
    PtxKernel,
    Register,
    Symbol,
)
from tests.unit.inference.cuda.ptx_races import visitor_codes

SHARED_ADDRESS = 0x400
"""Where shared memory starts, so that no variable has address 0."""

SHARED_UNIT = 4
"""Bytes of the narrowest access to shared memory; none of our kernels keeps bytes there."""

_ENDED, _WAITING = 1 << 30, 1 << 29
_LANES = np.arange(THREADS, dtype=np.uint32)

Selection = slice | Array
"""Threads of a block: all of them, or their numbers."""

_EVERY = slice(None)


@dataclass(slots=True)
class Frame:
    """One block while it runs: registers by kind and place, memory, where each thread is."""

    registers: Mapping[str, Array]
    block: int
    blocks: int
    parameters: Mapping[str, int]
    global_memory: CheckedMemory
    shared_memory: CheckedMemory
    position: Array
    interval: int = 0
    waiting_at: Array = field(default_factory=lambda: np.zeros(THREADS, np.int64))

    def codes(self, threads: Selection) -> Array:
        """Return the notes of threads for the logs of memory."""
        return visitor_codes(self.block, self.interval, _LANES[threads])


_Read = Callable[[Frame, Selection], Array]
_Write = Callable[[Frame, Selection, Array], None]
_Step = Callable[[Frame, Selection], None]


class LinkedKernel:
    """A kernel whose instructions are Python functions; raises `BadPtx` for an unknown one."""

    def __init__(self, kernel: PtxKernel) -> None:
        self.kernel = kernel
        linker = _Linker(kernel)
        self._shared = linker.shared_extents
        self._steps = [
            [linker.step(entry, number) for entry in block]
            for number, block in enumerate(kernel.blocks)
        ]

    def run(self, blocks: int, arguments: Sequence[int], memory: CheckedMemory) -> None:
        """Run every block of a launch; raises a `PtxFault` at the first wrong access."""
        parameters = dict(zip(self.kernel.parameters, arguments, strict=True))
        raw = {
            bits: np.zeros((count, THREADS), "bool" if bits == 1 else f"u{bits // 8}")
            for bits, count in self.kernel.registers.items()
        }
        views = {
            kind: raw[width_of(kind)].view(dtype)
            for kind, dtype in DTYPES.items()
            if width_of(kind) in raw
        }
        with np.errstate(all="ignore"):
            for block in range(blocks):
                position = np.zeros(THREADS, np.int64)
                shared = self._fresh_shared_memory()
                self._run_block(Frame(views, block, blocks, parameters, memory, shared, position))

    def _fresh_shared_memory(self) -> CheckedMemory:
        end = max((e.address + e.size_bytes for e in self._shared), default=SHARED_ADDRESS)
        memory = MemoryBlock(SHARED_ADDRESS, end - SHARED_ADDRESS)
        return CheckedMemory(self.kernel.name, memory, self._shared, SHARED_UNIT)

    def _run_block(self, frame: Frame) -> None:
        position = frame.position
        while True:
            here = int(position.min())
            if here >= _WAITING:
                if here == _ENDED:
                    return
                self._pass_barrier(frame)
                continue
            among = position == here
            threads: Selection = _EVERY if among.all() else np.flatnonzero(among)
            position[threads] = here + 1 if here + 1 < len(self._steps) else _ENDED
            for step in self._steps[here]:
                step(frame, threads)

    def _pass_barrier(self, frame: Frame) -> None:
        """Let the block go on if all its threads wait at one barrier."""
        waiting = frame.position == _WAITING
        places = np.unique(frame.waiting_at[waiting])
        if not waiting.all() or len(places) != 1:
            ended = int((frame.position == _ENDED).sum())
            raise MissedBarrier(
                self.kernel.name,
                f"in block {frame.block} {int(waiting.sum())} threads wait at "
                f"{len(places)} barriers, {ended} have ended",
            )
        frame.position[:] = places[0] + 1
        frame.interval += 1


class _Linker:
    """Turns the instructions of one kernel into steps."""

    def __init__(self, kernel: PtxKernel) -> None:
        self._kernel = kernel
        self._addresses: dict[str, int] = {}
        extents: list[Extent] = []
        address = SHARED_ADDRESS
        for name, variable in kernel.shared.items():
            address += -address % variable.alignment
            self._addresses[name] = address
            extents.append(Extent(address, variable.size_bytes))
            # A gap, so that what runs past one variable is not inside the next.
            address += variable.size_bytes + THREADS
        self.shared_extents = tuple(extents)

    def step(self, instruction: Instruction, block: int) -> _Step:
        """Return what an instruction of a basic block does; raises `BadPtx`."""
        try:
            step = self._unguarded(instruction, block)
        except (KeyError, ValueError, TypeError) as error:
            raise BadPtx(self._kernel.name, instruction.line) from error
        if instruction.guard is None:
            return step
        return _guarded(step, instruction.guard.index, instruction.is_negated)

    def _unguarded(self, instruction: Instruction, block: int) -> _Step:
        opcode, operands = instruction.opcode, instruction.operands
        if opcode in ("bra", "bra.uni"):
            (target,) = operands
            return _jump(self._kernel.labels[_symbol(target).name])
        if opcode == "ret":
            return _jump(_ENDED)
        if opcode == "bar.sync":
            if operands != (Immediate(0),):
                raise ValueError(opcode)
            return _barrier(block)
        family, *parts = opcode.split(".")
        if family == "ld":
            return self._load(parts, operands)
        if family == "st":
            return self._store(parts, operands)
        return self._arithmetic(opcode, operands)

    def _arithmetic(self, opcode: str, operands: Sequence[Operand]) -> _Step:
        """Return an operation on registers, which only `cvt` may find wider than their kinds."""
        meaning = ARITHMETIC[opcode]
        pairs = list(zip(operands, (meaning.result, *meaning.operands), strict=True))
        for operand, kind in pairs:
            is_wider = isinstance(operand, Register) and operand.bits != width_of(kind)
            if is_wider and not opcode.startswith("cvt."):
                raise TypeError(operand)
        write = self._write(*pairs[0])
        return _computed(meaning.apply, write, [self._read(*pair) for pair in pairs[1:]])

    def _load(self, parts: Sequence[str], operands: Sequence[Operand]) -> _Step:
        space, count, kind = _access(parts)
        target, place = operands
        if not isinstance(place, Address):
            raise TypeError(place)
        if space == "param":
            parameter = _parameter(_symbol(place.start).name, self._kernel.parameters)
            if place.offset or kind != "u64":
                raise ValueError(place)
            write = self._write(target, kind)
            return lambda frame, threads: write(
                frame, threads, np.array(frame.parameters[parameter], np.uint64)
            )
        address = self._address(place)
        writes = [self._write(register, kind) for register in _registers(target, count)]

        def step(frame: Frame, threads: Selection) -> None:
            memory = frame.shared_memory if space == "shared" else frame.global_memory
            values = memory.load(address(frame, threads), kind, count, frame.codes(threads))
            for index, write in enumerate(writes):
                write(frame, threads, values if count == 1 else values[:, index])

        return step

    def _store(self, parts: Sequence[str], operands: Sequence[Operand]) -> _Step:
        space, count, kind = _access(parts)
        place, source = operands
        if not isinstance(place, Address) or space == "param":
            raise TypeError(place)
        address = self._address(place)
        reads = [self._read(register, kind) for register in _registers(source, count)]

        def step(frame: Frame, threads: Selection) -> None:
            memory = frame.shared_memory if space == "shared" else frame.global_memory
            at, codes = address(frame, threads), frame.codes(threads)
            values = [np.broadcast_to(read(frame, threads), at.shape) for read in reads]
            row = np.ascontiguousarray(values[0] if count == 1 else np.stack(values, axis=-1))
            memory.store(at, kind, row, codes)

        return step

    def _address(self, place: Address) -> _Read:
        """Return a reader of an address as int64; a shared one may be held in 32 bits."""
        bits = place.start.bits if isinstance(place.start, Register) else 64
        read, offset = self._read(place.start, f"u{bits}"), place.offset

        def address(frame: Frame, threads: Selection) -> Array:
            start = np.asarray(read(frame, threads)).astype(np.int64) + offset
            return np.broadcast_to(start, frame.codes(threads).shape)

        return address

    def _read(self, operand: Operand, kind: str) -> _Read:
        """Return a reader of an operand; the low bits of a wider register."""
        dtype = DTYPES[kind]
        if isinstance(operand, Register):
            index, bits = operand.index, operand.bits
            if bits == width_of(kind):
                return lambda frame, threads: frame.registers[kind][index][threads]
            if bits < width_of(kind) or kind[0] == "f" or kind == "pred":
                raise TypeError(kind)
            return lambda frame, threads: frame.registers[f"u{bits}"][index][threads].astype(dtype)
        if isinstance(operand, Immediate):
            constant = _constant(operand.value, kind)
            return lambda frame, threads: constant
        return self._read_symbol(_symbol(operand).name, kind)

    def _read_symbol(self, name: str, kind: str) -> _Read:
        if name in self._addresses:
            address = DTYPES[kind].type(self._addresses[name])
            return lambda frame, threads: address
        if kind != "u32":
            raise TypeError(kind)
        if name == "%tid.x":
            return lambda frame, threads: _LANES[threads]
        if name == "%ctaid.x":
            return lambda frame, threads: np.full(THREADS, frame.block, np.uint32)[threads]
        if name == "%ntid.x":
            return lambda frame, threads: np.full(THREADS, THREADS, np.uint32)[threads]
        raise KeyError(name)

    def _write(self, operand: Operand, kind: str) -> _Write:
        """Return a writer to a register; a wider one takes the sign or zeros."""
        if not isinstance(operand, Register) or operand.bits < width_of(kind):
            raise TypeError(operand)
        index, stored = operand.index, kind
        if operand.bits != width_of(kind):
            if kind[0] not in "su":
                raise TypeError(kind)
            stored = f"{kind[0]}{operand.bits}"

        def write(frame: Frame, threads: Selection, values: Array) -> None:
            frame.registers[stored][index][threads] = values

        return write


def _computed(function: Callable[..., Array], write: _Write, reads: Sequence[_Read]) -> _Step:
    def step(frame: Frame, threads: Selection) -> None:
        write(frame, threads, function(*[read(frame, threads) for read in reads]))

    return step


def _guarded(step: _Step, predicate: int, is_negated: bool) -> _Step:
    def guarded(frame: Frame, threads: Selection) -> None:
        holds = frame.registers["pred"][predicate][threads] != is_negated
        if holds.all():
            step(frame, threads)
        elif holds.any():
            step(frame, _LANES[threads][holds])

    return guarded


def _jump(target: int) -> _Step:
    def jump(frame: Frame, threads: Selection) -> None:
        frame.position[threads] = target

    return jump


def _barrier(block: int) -> _Step:
    def wait(frame: Frame, threads: Selection) -> None:
        frame.position[threads] = _WAITING
        frame.waiting_at[threads] = block

    return wait


def _access(parts: Sequence[str]) -> tuple[str, int, str]:
    """Return the space, the length of the vector and the kind of a load or store.

    An address without a space is global: no kernel makes such an address of a shared variable,
    which would need `cvta.shared`.
    """
    *words, kind = parts
    space = words.pop(0) if words and words[0] in ("param", "shared", "global") else "global"
    count = {"v2": 2, "v4": 4}[words.pop(0)] if words else 1
    if words or kind not in DTYPES or kind == "pred":
        raise ValueError(kind)
    return space, count, kind


def _registers(operand: Operand, count: int) -> Sequence[Operand]:
    """Return the operands that a load fills or a store takes."""
    if count == 1:
        return (operand,)
    if not isinstance(operand, Elements) or len(operand.registers) != count:
        raise TypeError(operand)
    return operand.registers


def _symbol(operand: Operand) -> Symbol:
    if not isinstance(operand, Symbol):
        raise TypeError(operand)
    return operand


def _parameter(name: str, parameters: Sequence[str]) -> str:
    if name not in parameters:
        raise KeyError(name)
    return name


def _constant(value: int, kind: str) -> Array:
    """Return a number of the code in a kind, its bits cut to the kind's width."""
    dtype = DTYPES[kind]
    if kind == "pred":
        return np.asarray(value != 0)
    bits = value & (1 << width_of(kind)) - 1
    return np.array(bits, f"u{dtype.itemsize}").view(dtype)
