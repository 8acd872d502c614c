"""Lets a tracer watch py-evm run a transaction of proof of work; imported only for that.

py-evm 0.12.1b1 (github.com/ethereum/py-evm) hands every message to its computation class and every
opcode to a function in a table of that class: both are wrapped here, in a class of their own.
"""

from collections.abc import Callable
from typing import Any, cast

from eth.exceptions import Revert, VMError
from eth.vm.logic.invalid import InvalidOpcode

from cvm.evm.contract_code import ContractCode
from cvm.evm.message_rules import REVERTED
from cvm.evm.messages import Message, Outcome, Status
from cvm.evm.tracer import TracedFrame, Tracer

HALT_NAMES = {
    "InsufficientStack": "StackUnderflow",
    "FullStack": "StackOverflow",
    "InvalidJumpDestination": "InvalidJump",
    "InvalidInstruction": "InvalidOpcode",
    "OutOfBoundsRead": "ReturnDataOutOfBounds",
    "ContractCreationCollision": "AddressCollision",
    "ReservedBytesInCode": "InvalidCodePrefix",
}
"""py-evm's names of halts, and those of `cvm.evm.halts` where they differ."""


def halt_name(error: BaseException) -> str:
    """Return the name that `cvm.evm.halts` has for a fault of py-evm."""
    name = type(error).__name__
    return HALT_NAMES.get(name, name)


class WatchedFrame:
    """A frame of py-evm as a tracer reads it."""

    def __init__(self, computation: Any, message: Message, world: object, opcode: int) -> None:
        self._computation = computation
        self._opcode = opcode
        self.message = message
        self.world = world
        self._gas_after: int | None = None

    def end_opcode(self) -> None:
        """Keep the gas that the opcode left: a creation pays for its code out of the same meter."""
        self._gas_after = self.gas

    @property
    def pc(self) -> int:
        """Return where the opcode about to run stands.

        py-evm has counted it already, unless it is the STOP behind the end of the code.
        """
        code = self._computation.code
        place, size = int(code.program_counter), len(code)
        is_behind = place > size or (place == size and not self._ends_with_opcode(code, size - 1))
        return place if is_behind or not place else place - 1

    def _ends_with_opcode(self, code: Any, last: int) -> bool:
        """Tell whether the opcode about to run is the last byte of the code."""
        return last >= 0 and code[last] == self._opcode and code.is_valid_opcode(last)

    @property
    def stack(self) -> list[int]:
        """Return the words, the top one last."""
        values = self._computation._stack.values
        return [
            value if isinstance(value, int) else int.from_bytes(value, "big") for value in values
        ]

    @property
    def memory(self) -> bytearray:
        """Return the memory."""
        return bytearray(self._computation._memory._bytes)

    @property
    def return_data(self) -> bytes:
        """Return what the last call gave."""
        return bytes(self._computation.return_data)

    @property
    def gas(self) -> int:
        """Return the gas that is left; after the opcode, what it left."""
        if self._gas_after is not None:
            return self._gas_after
        return int(self._computation.get_gas_meter().gas_remaining)

    @property
    def depth(self) -> int:
        """Return how many frames wait below."""
        return int(self._computation.msg.depth)

    @property
    def address(self) -> bytes:
        """Return the address whose storage the frame uses."""
        return self.message.target

    @property
    def caller(self) -> bytes:
        """Return who called."""
        return self.message.caller

    @property
    def value(self) -> int:
        """Return what CALLVALUE shows, in wei."""
        return self.message.value

    @property
    def is_static(self) -> bool:
        """Tell whether the state may not change."""
        return self.message.is_static


class WatchedOpcodes(dict[int, Any]):
    """The opcodes of a fork, each of which reports before it runs."""

    def __init__(self, opcodes: dict[int, Any], watch: "Watch") -> None:
        super().__init__({byte: watch.opcode(byte, run) for byte, run in opcodes.items()})
        self._watch = watch

    def __missing__(self, byte: int) -> Any:
        return self._watch.opcode(byte, InvalidOpcode(byte))


class Watch:
    """One tracer over one transaction of py-evm."""

    def __init__(self, tracer: Tracer, world: object) -> None:
        self._tracer = tracer
        self._world = world
        self._last_opcode: int | None = None

    def opcode(self, byte: int, run: Any) -> Callable[..., None]:
        """Wrap what an opcode does."""

        def watched(computation: Any) -> None:
            view = WatchedFrame(computation, message_of(computation.msg), self._world, byte)
            frame = cast(TracedFrame, view)
            self._last_opcode = byte
            self._tracer.step(frame, byte)
            try:
                run(computation=computation)
            except VMError as error:
                if not isinstance(error, Revert):
                    self._tracer.fault(frame, halt_name(error))
                raise
            finally:
                view.end_opcode()

        return watched

    def message(self, depth: int, message: Any, run: Callable[[], Any]) -> Any:
        """Run a message between its beginning and its end."""
        self._tracer.enter(message_of(message), self._last_opcode if depth else None, depth)
        computation = run()
        self._tracer.exit(outcome_of(computation), depth)
        return computation


def message_of(message: Any) -> Message:
    """Return a message of py-evm as ours."""
    return Message(
        caller=message.sender,
        target=message.storage_address,
        code_address=message.code_address,
        value=message.value,
        gas=message.gas,
        data=b"" if message.is_create else bytes(message.data),
        is_static=message.is_static,
        transfers=message.should_transfer_value,
        is_creation=message.is_create,
        code=ContractCode(message.code) if message.is_create else None,
    )


def outcome_of(computation: Any) -> Outcome:
    """Return how a message of py-evm ended, as ours."""
    gas, output = computation.get_gas_remaining(), bytes(computation.output)
    if not computation.is_error:
        return Outcome(Status.SUCCEEDED, gas, output)
    if isinstance(computation.error, Revert):
        return Outcome(Status.REVERTED, gas, output, REVERTED)
    return Outcome(Status.HALTED, 0, b"", halt_name(computation.error))


def watched_by(tracer: Tracer, world: object) -> Callable[[Any], Any]:
    """Return what makes of a computation class one that a tracer watches."""
    watch = Watch(tracer, world)

    def watched(base: Any) -> Any:
        class WatchedComputation(base):  # type: ignore[misc]
            """Reports messages and opcodes."""

            opcodes = WatchedOpcodes(base.opcodes, watch)

            @classmethod
            def apply_message(cls, state: Any, message: Any, *rest: Any, **named: Any) -> Any:
                def run() -> Any:
                    return super(WatchedComputation, cls).apply_message(
                        state, message, *rest, **named
                    )

                return run() if message.is_create else watch.message(message.depth, message, run)

            @classmethod
            def apply_create_message(
                cls, state: Any, message: Any, *rest: Any, **named: Any
            ) -> Any:
                def run() -> Any:
                    return super(WatchedComputation, cls).apply_create_message(
                        state, message, *rest, **named
                    )

                return watch.message(message.depth, message, run)

        return WatchedComputation

    return watched
