"""The opcodes of the EVM: byte, name, base gas, words popped and pushed, and their first fork.

Base gas is what every execution costs before anything that depends on operands (Yellow Paper,
appendix G and H, with EIP-2929's prices of warm access where a price depends on it). Zero stands
where an interpreter charges all of it itself.
"""

from dataclasses import dataclass
from types import MappingProxyType

from cvm.evm.forks import Fork


@dataclass(frozen=True, slots=True)
class Opcode:
    """One opcode; `since` names the flag of the forks that have it, empty for all."""

    byte: int
    name: str
    gas: int
    pops: int
    pushes: int
    since: str = ""


_PLAIN = (
    (0x00, "STOP", 0, 0, 0),
    (0x01, "ADD", 3, 2, 1),
    (0x02, "MUL", 5, 2, 1),
    (0x03, "SUB", 3, 2, 1),
    (0x04, "DIV", 5, 2, 1),
    (0x05, "SDIV", 5, 2, 1),
    (0x06, "MOD", 5, 2, 1),
    (0x07, "SMOD", 5, 2, 1),
    (0x08, "ADDMOD", 8, 3, 1),
    (0x09, "MULMOD", 8, 3, 1),
    (0x0A, "EXP", 10, 2, 1),
    (0x0B, "SIGNEXTEND", 5, 2, 1),
    (0x10, "LT", 3, 2, 1),
    (0x11, "GT", 3, 2, 1),
    (0x12, "SLT", 3, 2, 1),
    (0x13, "SGT", 3, 2, 1),
    (0x14, "EQ", 3, 2, 1),
    (0x15, "ISZERO", 3, 1, 1),
    (0x16, "AND", 3, 2, 1),
    (0x17, "OR", 3, 2, 1),
    (0x18, "XOR", 3, 2, 1),
    (0x19, "NOT", 3, 1, 1),
    (0x1A, "BYTE", 3, 2, 1),
    (0x1B, "SHL", 3, 2, 1),
    (0x1C, "SHR", 3, 2, 1),
    (0x1D, "SAR", 3, 2, 1),
    (0x20, "KECCAK256", 30, 2, 1),
    (0x30, "ADDRESS", 2, 0, 1),
    (0x31, "BALANCE", 0, 1, 1),
    (0x32, "ORIGIN", 2, 0, 1),
    (0x33, "CALLER", 2, 0, 1),
    (0x34, "CALLVALUE", 2, 0, 1),
    (0x35, "CALLDATALOAD", 3, 1, 1),
    (0x36, "CALLDATASIZE", 2, 0, 1),
    (0x37, "CALLDATACOPY", 3, 3, 0),
    (0x38, "CODESIZE", 2, 0, 1),
    (0x39, "CODECOPY", 3, 3, 0),
    (0x3A, "GASPRICE", 2, 0, 1),
    (0x3B, "EXTCODESIZE", 0, 1, 1),
    (0x3C, "EXTCODECOPY", 0, 4, 0),
    (0x3D, "RETURNDATASIZE", 2, 0, 1),
    (0x3E, "RETURNDATACOPY", 3, 3, 0),
    (0x3F, "EXTCODEHASH", 0, 1, 1),
    (0x40, "BLOCKHASH", 20, 1, 1),
    (0x41, "COINBASE", 2, 0, 1),
    (0x42, "TIMESTAMP", 2, 0, 1),
    (0x43, "NUMBER", 2, 0, 1),
    (0x44, "PREVRANDAO", 2, 0, 1),
    (0x45, "GASLIMIT", 2, 0, 1),
    (0x46, "CHAINID", 2, 0, 1),
    (0x47, "SELFBALANCE", 5, 0, 1),
    (0x48, "BASEFEE", 2, 0, 1),
    (0x50, "POP", 2, 1, 0),
    (0x51, "MLOAD", 3, 1, 1),
    (0x52, "MSTORE", 3, 2, 0),
    (0x53, "MSTORE8", 3, 2, 0),
    (0x54, "SLOAD", 0, 1, 1),
    (0x55, "SSTORE", 0, 2, 0),
    (0x56, "JUMP", 8, 1, 0),
    (0x57, "JUMPI", 10, 2, 0),
    (0x58, "PC", 2, 0, 1),
    (0x59, "MSIZE", 2, 0, 1),
    (0x5A, "GAS", 2, 0, 1),
    (0x5B, "JUMPDEST", 1, 0, 0),
    (0xF0, "CREATE", 0, 3, 1),
    (0xF1, "CALL", 0, 7, 1),
    (0xF2, "CALLCODE", 0, 7, 1),
    (0xF3, "RETURN", 0, 2, 0),
    (0xF4, "DELEGATECALL", 0, 6, 1),
    (0xF5, "CREATE2", 0, 4, 1),
    (0xFA, "STATICCALL", 0, 6, 1),
    (0xFD, "REVERT", 0, 2, 0),
    (0xFF, "SELFDESTRUCT", 0, 1, 0),
)

_LATER = (
    (0x5F, "PUSH0", 2, 0, 1, "is_shanghai"),  # EIP-3855
    (0x49, "BLOBHASH", 3, 1, 1, "is_cancun"),  # EIP-4844
    (0x4A, "BLOBBASEFEE", 2, 0, 1, "is_cancun"),  # EIP-7516
    (0x5C, "TLOAD", 100, 1, 1, "is_cancun"),  # EIP-1153
    (0x5D, "TSTORE", 100, 2, 0, "is_cancun"),
    (0x5E, "MCOPY", 3, 3, 0, "is_cancun"),  # EIP-5656
    (0x1E, "CLZ", 5, 1, 1, "is_osaka"),  # EIP-7939
)


def _all_opcodes() -> dict[int, Opcode]:
    """Return every opcode of every fork by its byte."""
    listed = [Opcode(*row) for row in _PLAIN] + [Opcode(*row) for row in _LATER]
    listed += [Opcode(0x5F + n, f"PUSH{n}", 3, 0, 1) for n in range(1, 33)]
    listed += [Opcode(0x7F + n, f"DUP{n}", 3, n, n + 1) for n in range(1, 17)]
    listed += [Opcode(0x8F + n, f"SWAP{n}", 3, n + 1, n + 1) for n in range(1, 17)]
    listed += [Opcode(0xA0 + n, f"LOG{n}", 375, n + 2, 0) for n in range(5)]
    return {opcode.byte: opcode for opcode in listed}


OPCODES = MappingProxyType(_all_opcodes())
"""Every opcode by its byte; INVALID (0xFE) is none."""


def opcodes_of(fork: Fork) -> dict[int, Opcode]:
    """Return the opcodes that a fork knows, by byte."""
    return {
        byte: opcode
        for byte, opcode in OPCODES.items()
        if not opcode.since or getattr(fork, opcode.since)
    }
