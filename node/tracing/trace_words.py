"""The words of traces: names of opcodes, and of halts as geth and as Parity say them."""

from types import MappingProxyType

from cvm.evm.message_rules import REVERTED
from cvm.evm.opcode_table import OPCODES
from opcodes.table import INFER, INFERARRAY, MODELINFO

INVALID_OPCODE = "InvalidOpcode"
MODEL_ERROR = "ModelError"
"""An inference that ended with a selector instead of an output."""
INVALID = 0xFE
ADDED_NAMES = {INFER: "INFER", INFERARRAY: "INFERARRAY", MODELINFO: "MODELINFO", INVALID: "INVALID"}

GETH_WORDS = MappingProxyType(
    {
        "OutOfGas": "out of gas",
        "StackUnderflow": "stack underflow",
        "StackOverflow": "stack limit reached 1024 (1023)",
        "InvalidJump": "invalid jump destination",
        INVALID_OPCODE: "invalid opcode",
        "WriteProtection": "write protection",
        "ReturnDataOutOfBounds": "return data out of bounds",
        "InvalidCodePrefix": "invalid code: must not begin with 0xef",
        "CodeTooLarge": "max code size exceeded",
        "AddressCollision": "contract address collision",
        "NonceExhausted": "nonce uint64 overflow",
        "PrecompileFailed": "precompiled failed",
        MODEL_ERROR: "model error",
    }
)
"""go-ethereum, core/vm/errors.go."""

PARITY_WORDS = MappingProxyType(
    {
        REVERTED: "Reverted",
        "OutOfGas": "Out of gas",
        "CodeTooLarge": "Out of gas",
        "InvalidJump": "Bad jump destination",
        "ReturnDataOutOfBounds": "Out of bounds",
        "StackOverflow": "Out of stack",
        "StackUnderflow": "Stack underflow",
        "PrecompileFailed": "Built-in failed",
        INVALID_OPCODE: "Bad instruction",
    }
)
"""go-ethereum, eth/tracers/native/call_flat.go; others keep geth's words."""


def opcode_name(byte: int) -> str:
    """Return the name of an opcode, those that this chain adds included."""
    known = OPCODES.get(byte)
    return ADDED_NAMES.get(byte, undefined(byte)) if known is None else known.name


def invalid_opcode_name(byte: int) -> str:
    """Return how geth names a byte that ended a frame: INVALID is a name, others have none."""
    return ADDED_NAMES[byte] if byte == INVALID else undefined(byte)


def undefined(byte: int) -> str:
    """Return how geth names a byte that is no opcode."""
    return f"opcode 0x{byte:x} not defined"


def geth_error(error: str) -> str:
    """Return a halt in geth's words."""
    return GETH_WORDS.get(error, error)


def parity_error(error: str) -> str:
    """Return a halt in Parity's words."""
    return PARITY_WORDS.get(error, geth_error(error))
