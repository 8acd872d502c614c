"""Why a frame ends without success: one class for each exceptional halt, and REVERT."""

from cvm.evm.native import layout


class Halt(Exception):
    """The frame fails, loses its gas and gives no output (Yellow Paper, 9.4.2)."""


class OutOfGas(Halt):
    """The gas of the frame is less than the next step costs."""


class StackUnderflow(Halt):
    """An opcode wants more words than the stack holds."""


class StackOverflow(Halt):
    """The stack would hold more than 1,024 words."""


class InvalidJump(Halt):
    """A jump leads to no JUMPDEST."""


class InvalidOpcode(Halt):
    """The byte is no opcode of this fork."""


class WriteProtection(Halt):
    """A frame under STATICCALL would change the state (EIP-214)."""


class ReturnDataOutOfBounds(Halt):
    """RETURNDATACOPY reads past the end (EIP-211)."""


class InvalidCodePrefix(Halt):
    """Created code starts with 0xEF (EIP-3541)."""


class CodeTooLarge(Halt):
    """Created code has more than 24,576 bytes (EIP-170), or initcode more than 49,152."""


class AddressCollision(Halt):
    """There is code, a nonce or storage where a contract would be created (EIP-684, EIP-7610)."""


class NonceExhausted(Halt):
    """The creator's nonce is 2**64 - 1 (EIP-2681)."""


class PrecompileFailed(Halt):
    """A precompile refused its input."""


NATIVE_HALTS: dict[int, type[Halt]] = {
    layout.OUT_OF_GAS: OutOfGas,
    layout.STACK_UNDERFLOW: StackUnderflow,
    layout.STACK_OVERFLOW: StackOverflow,
    layout.INVALID_JUMP: InvalidJump,
    layout.INVALID_OPCODE: InvalidOpcode,
    layout.WRITE_PROTECTION: WriteProtection,
    layout.RETURN_DATA_OUT_OF_BOUNDS: ReturnDataOutOfBounds,
}
"""The halts that the compiled loop finds, by its number."""


class Revert(Exception):
    """The frame goes back and keeps its unspent gas (EIP-140)."""

    def __init__(self, output: bytes) -> None:
        super().__init__("execution reverted")
        self.output = output
