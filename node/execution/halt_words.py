"""What geth calls the exceptional halts (core/vm/errors.go), which clients look for."""

HALT_WORDS = {
    "OutOfGas": "out of gas",
    "StackUnderflow": "stack underflow",
    "StackOverflow": "stack limit reached",
    "InvalidJump": "invalid jump destination",
    "InvalidOpcode": "invalid opcode",
    "WriteProtection": "write protection",
    "ReturnDataOutOfBounds": "return data out of bounds",
    "InvalidCodePrefix": "invalid code: must not begin with 0xef",
    "CodeTooLarge": "max code size exceeded",
    "AddressCollision": "contract address collision",
    "NonceExhausted": "nonce uint64 overflow",
    "PrecompileFailed": "precompiled contract failed",
}


def halt_words(error: str) -> str:
    """Return geth's words for the name of a halt; other errors are words already."""
    return HALT_WORDS.get(error, error)
