"""What a revert says: Solidity's Error(string) and Panic(uint256), read from hostile bytes."""

ERROR_SELECTOR = bytes.fromhex("08c379a0")
PANIC_SELECTOR = bytes.fromhex("4e487b71")

PANIC_REASONS = {
    0x00: "generic panic",
    0x01: "assert(false)",
    0x11: "arithmetic underflow or overflow",
    0x12: "division or modulo by zero",
    0x21: "enum overflow",
    0x22: "invalid encoded storage byte array accessed",
    0x31: "out-of-bounds array access; popping on an empty array",
    0x32: "out-of-bounds access of an array or bytesN",
    0x41: "out of memory",
    0x51: "uninitialized function",
}
"""Codes of Solidity's documentation ("Panic via assert and Error via require"), geth's words."""

_WORD = 32


def revert_reason(output: bytes) -> str | None:
    """Return the reason that a revert carries, or None where it carries none of the two forms."""
    selector, body = output[:4], output[4:]
    if selector == ERROR_SELECTOR:
        return _string(body)
    if selector == PANIC_SELECTOR and len(body) >= _WORD:
        code = int.from_bytes(body[:_WORD], "big")
        return PANIC_REASONS.get(code, f"unknown panic code: {code:#x}")
    return None


def _string(body: bytes) -> str | None:
    offset = _integer(body, 0)
    if offset is None:
        return None
    length = _integer(body, offset)
    start = offset + _WORD
    if length is None or start + length > len(body):
        return None
    return body[start : start + length].decode("utf-8", errors="replace")


def _integer(body: bytes, offset: int) -> int | None:
    if offset + _WORD > len(body):
        return None
    return int.from_bytes(body[offset : offset + _WORD], "big")
