"""Runs neighbouring kernels of a plan in one native call, in which Python takes no part.

A kernel called from Python takes the interpreter lock back each time that it returns, so that two
threads with short kernels wait for each other. Here every kernel and its arguments, fixed when the
plan is made, become a record of 64-bit words: the kernel's address, then its arguments as numba
passes them (an array is seven kinds of fields, a tuple its elements). A caller, compiled once for
each list of argument types, spreads a record over registers and stack; a runner walks the records.
The kernels' own code is what numba made of them, and nothing here computes.
"""

import ctypes
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

import numpy as np
from llvmlite import binding, ir
from numba import types
from numba.core import compiler, compiler_lock
from numba.core.registry import cpu_target

from cvm.inference.backends.cpu.compilation import compile_for
from cvm.inference.backends.cpu.step_builder import Step
from cvm.inference.tensor_type import Array

INT32 = ir.IntType(32)
WORD = ir.IntType(64)
WORDS = WORD.as_pointer()
ADDRESS = ir.IntType(8).as_pointer()
CALLER = ir.FunctionType(INT32, [WORDS])
"""Takes a record; returns 0, or what a kernel returns that raises (numba's `CPUCallConv`)."""

RUNNER = "run_records"
WORDS_PER_CALL = 2
"""The runner's list holds, for each call, the caller's address and the record's."""

CompileResult: Any = compiler.CompileResult  # a tuple whose fields mypy cannot see

Kinds = tuple[Any, ...]
"""How numba passes a kernel's arguments: LLVM types."""


@dataclass(frozen=True, slots=True)
class NativeCall:
    """A kernel's record, and how numba passes its arguments, by which its caller is found."""

    kinds: Kinds
    record: Array

    @classmethod
    def of(cls, step: Step) -> "NativeCall | None":
        """Return the call of a step, None where it is no kernel or takes what is no number."""
        values = _flattened(step[1])
        match compile_for(*step):
            case CompileResult(signature=made, fndesc=kernel, library=code):
                address = code.get_pointer_to_function(kernel.llvm_func_name)
                kinds = _argument_kinds(kernel.argtypes)
            case _:
                return None
        if values is None or made.return_type != types.none:
            return None
        if not address or len(kinds) != len(values):
            return None
        words = [_word(kind, value) for kind, value in zip(kinds, values, strict=True)]
        return cls(kinds, np.array([address, *words], np.uint64))


class NativeGroup:
    """Neighbouring calls that run one after the other; one thread at a time may run them."""

    def __init__(
        self, steps: Sequence[Step], calls: Sequence[NativeCall], keeps_lock: bool
    ) -> None:
        self._steps = tuple(steps)  # keeps the arrays alive whose addresses are in the records
        self._records = tuple(call.record for call in calls)
        callers = _callers([call.kinds for call in calls])
        pairs = zip(callers, self._records, strict=True)
        self._list = np.array([(c, r.ctypes.data) for c, r in pairs], np.uint64)
        self._places = [self._list[i:].ctypes.data for i in range(len(calls))]
        self._run = _runner(keeps_lock)

    def __call__(self) -> None:
        """Run every call. One that raises runs again by itself, which raises in Python."""
        count = len(self._places)
        done: int = self._run(self._places[0], count)
        while done < count:
            function, arguments = self._steps[done]
            function(*arguments)
            done += 1
            if done < count:
                done += self._run(self._places[done], count - done)


def native_program(
    steps: Sequence[Step], keeps_lock: bool = False
) -> tuple[Callable[[], object], ...]:
    """Return what runs the steps in order: a group for each row of kernels, else the plain call.

    Groups that take microseconds keep the interpreter lock: to hand it over and back takes longer.
    Kernels are compiled for their arguments, or come from the disk cache.
    """
    program: list[Callable[[], object]] = []
    group: list[tuple[Step, NativeCall]] = []
    for step in steps:
        call = NativeCall.of(step)
        if call is not None:
            group.append((step, call))
            continue
        program += _closed(group, keeps_lock)
        group = []
        function, arguments = step
        program.append(partial(function, *arguments))
    return (*program, *_closed(group, keeps_lock))


def _closed(group: list[tuple[Step, NativeCall]], keeps_lock: bool) -> list[NativeGroup]:
    """Return a group of calls, nothing for none."""
    if not group:
        return []
    return [NativeGroup([step for step, _ in group], [call for _, call in group], keeps_lock)]


@cache
def _argument_kinds(argument_types: tuple[Any, ...]) -> Kinds:
    """Return how numba passes arguments of its types; all pointers are alike."""
    passed = cpu_target.target_context.get_arg_packer(argument_types).argument_types
    return tuple(ADDRESS if isinstance(kind, ir.PointerType) else kind for kind in passed)


def _flattened(value: Any) -> list[Any] | None:
    """Return a value as numba passes it, None for what is neither array, number nor tuple."""
    if isinstance(value, np.ndarray):
        no_owner = (0, 0)  # numba counts references to the owner of an array where there is one
        shape = (value.size, value.itemsize, value.ctypes.data, *value.shape, *value.strides)
        return [*no_owner, *shape]
    if isinstance(value, tuple):
        parts = [_flattened(part) for part in value]
        return None if None in parts else [word for part in parts if part for word in part]
    return [value] if isinstance(value, (bool, int, float, np.number, np.bool_)) else None


def _word(kind: Any, value: Any) -> int:
    """Return a number as the 64-bit word that a caller makes `kind` of."""
    if isinstance(kind, ir.FloatType):
        return int(np.float32(value).view(np.uint32))
    if isinstance(kind, ir.DoubleType):
        return int(np.float64(value).view(np.uint64))
    return int(value) % 2**64


_addresses: dict[Kinds | str, int] = {}
"""By the kinds of arguments the address of their caller, and by `RUNNER` that of the runner."""

_engines: list[Any] = []
"""They own the code at `_addresses`."""


def _callers(wanted: Sequence[Kinds]) -> list[int]:
    """Return the callers of arguments of these kinds; those that are new are compiled together."""
    with compiler_lock.global_compiler_lock:
        new = dict.fromkeys(kinds for kinds in wanted if kinds not in _addresses)
        module = ir.Module()
        _compile(module, {kinds: _emit_caller(module, kinds) for kinds in new})
    return [_addresses[kinds] for kinds in wanted]


def _runner(keeps_lock: bool) -> Callable[[int, int], int]:
    """Return the runner: it takes the address of a list and its length and returns how many ran."""
    with compiler_lock.global_compiler_lock:
        if RUNNER not in _addresses:
            module = ir.Module()
            _compile(module, {RUNNER: _emit_runner(module)})
    kind = ctypes.PYFUNCTYPE if keeps_lock else ctypes.CFUNCTYPE
    return kind(ctypes.c_int64, ctypes.c_void_p, ctypes.c_int64)(_addresses[RUNNER])


def _compile(module: Any, names: Mapping[Kinds | str, str]) -> None:
    """Compile a module's functions and note where they lie; all they do is move words."""
    if not names:
        return
    target = binding.Target.from_triple(binding.get_process_triple())
    parsed = binding.parse_assembly(str(module))
    engine = binding.create_mcjit_compiler(parsed, target.create_target_machine(opt=0, jit=True))
    engine.finalize_object()
    _engines.append(engine)
    _addresses.update({key: engine.get_function_address(name) for key, name in names.items()})


def _emit_caller(module: Any, kinds: Kinds) -> str:
    """Emit the function that calls a record's kernel, and return its name."""
    name = f"call_{len(module.functions)}"
    function = ir.Function(module, CALLER, name)
    builder = ir.IRBuilder(function.append_basic_block())
    (record,) = function.args
    result, error = builder.alloca(ADDRESS), builder.alloca(ADDRESS)
    words = [
        builder.load(builder.gep(record, [ir.Constant(WORD, i)])) for i in range(len(kinds) + 1)
    ]
    arguments = [
        _emit_value(builder, word, kind) for word, kind in zip(words[1:], kinds, strict=True)
    ]
    places = [result.type, error.type, *kinds]
    kernel = builder.inttoptr(words[0], ir.FunctionType(INT32, places).as_pointer())
    builder.ret(builder.call(kernel, [result, error, *arguments]))
    return name


def _emit_value(builder: Any, word: Any, kind: Any) -> Any:
    """Emit the value of a type that a word holds."""
    if isinstance(kind, ir.PointerType):
        return builder.inttoptr(word, kind)
    if isinstance(kind, ir.DoubleType):
        return builder.bitcast(word, kind)
    if isinstance(kind, ir.FloatType):
        return builder.bitcast(builder.trunc(word, INT32), kind)
    return word if kind == WORD else builder.trunc(word, kind)


def _emit_runner(module: Any) -> str:
    """Emit the loop over a list of calls, which ends at one that raises, and return its name."""
    function = ir.Function(module, ir.FunctionType(WORD, [WORDS, WORD]), RUNNER)
    calls, count = function.args
    builder = ir.IRBuilder(function.append_basic_block())
    entry, header = builder.block, function.append_basic_block()
    body, following, done = (function.append_basic_block() for _ in range(3))
    builder.branch(header)
    builder.position_at_end(header)
    index = builder.phi(WORD)
    builder.cbranch(builder.icmp_unsigned("<", index, count), body, done)
    builder.position_at_end(body)
    first = builder.mul(index, ir.Constant(WORD, WORDS_PER_CALL))
    caller = builder.load(builder.gep(calls, [first]))
    record = builder.load(builder.gep(calls, [builder.add(first, ir.Constant(WORD, 1))]))
    status = builder.call(
        builder.inttoptr(caller, CALLER.as_pointer()), [builder.inttoptr(record, WORDS)]
    )
    builder.cbranch(builder.icmp_signed("==", status, ir.Constant(INT32, 0)), following, done)
    builder.position_at_end(following)
    increased = builder.add(index, ir.Constant(WORD, 1))
    builder.branch(header)
    index.add_incoming(ir.Constant(WORD, 0), entry)
    index.add_incoming(increased, following)
    builder.position_at_end(done)
    builder.ret(index)
    return RUNNER
