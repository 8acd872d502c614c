"""Programs whose speed is compared between EVMs: loops over one kind of work each."""

from cvm.evm.opcode_table import OPCODES

BYTES = {opcode.name: opcode.byte for opcode in OPCODES.values()}
CALLEE = b"\xc0" * 20
CALLEE_CODE = bytes((BYTES["CALLER"], BYTES["POP"], BYTES["STOP"]))


def assembled(source: str) -> bytes:
    """Return the code of words: `name:` a JUMPDEST, `@name` its place, numbers are pushed."""
    code, labels, uses = bytearray(), {}, []
    for text in source.split():
        if text.endswith(":"):
            labels[text[:-1]] = len(code)
            code.append(BYTES["JUMPDEST"])
        elif text.startswith("@"):
            code.append(BYTES["PUSH2"])
            uses.append((len(code), text[1:]))
            code += bytes(2)
        elif text[0].isdigit():
            value = int(text, 0)
            data = value.to_bytes(max(1, (value.bit_length() + 7) // 8), "big")
            code += bytes((BYTES["PUSH1"] + len(data) - 1,)) + data
        else:
            code.append(BYTES[text])
    for place, label in uses:
        code[place : place + 2] = labels[label].to_bytes(2, "big")
    return bytes(code)


def loop(times: int, body: str, before: str = "") -> bytes:
    """Return code that does a body so often; the counter is on top of the stack."""
    return assembled(f"{before} {times} again: {body} 1 SWAP1 SUB DUP1 @again JUMPI STOP")


ALL_ONES = hex(2**256 - 1)
PROGRAMS = {
    "arithmetic": loop(
        60_000,
        "DUP1 0x0123456789abcdef0123456789 MUL 0xdeadbeef ADD DUP2 XOR 3 SHL "
        "DUP2 SWAP1 SUB 0xffffffffffffffff AND DUP2 LT POP",
    ),
    "wide arithmetic": loop(
        40_000,
        f"DUP2 DUP2 MUL DUP2 ADD {ALL_ONES} XOR DUP1 5 SHR XOR "
        f"DUP2 DUP2 {ALL_ONES} SWAP2 MULMOD ADD SWAP2 POP",
        before=ALL_ONES,
    ),
    "memory": loop(
        60_000,
        "DUP1 DUP1 0xfff AND MSTORE DUP1 0xfe0 AND MLOAD POP DUP1 DUP1 0x7ff AND MSTORE8",
    ),
    "jumps": loop(90_000, "@a JUMP a: @b JUMP b: @c JUMP c:"),
    "keccak": loop(30_000, "64 0 KECCAK256 0 MSTORE"),
    "warm storage": loop(30_000, "DUP1 7 SSTORE 7 SLOAD POP"),
    "calls": loop(30_000, f"0 0 0 0 0 0x{CALLEE.hex()} GAS CALL POP"),
    "precompile calls": loop(10_000, "32 0 32 0 4 GAS STATICCALL POP"),
}
"""By name; each uses some 1 to 10 million gas."""
