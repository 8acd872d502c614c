"""A block that the operator trusts, as it is written on the command line: HASH or NUMBER:HASH."""

from dataclasses import dataclass

from cvm.evm.keccak import HASH_BYTES

MAX_NUMBER_DIGITS = 20


class BadCheckpoint(ValueError):
    """The text names no block."""

    def __init__(self, text: str) -> None:
        super().__init__(f"a checkpoint is 0xHASH or NUMBER:0xHASH, not {text[:100]!r}")


class CheckpointRefused(Exception):
    """What was trusted cannot be the start of this chain."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The hash of a trusted block, and its height where that was given too."""

    block_hash: bytes
    number: int | None = None

    def __str__(self) -> str:
        """Return what `parse_checkpoint` reads."""
        hash_text = f"0x{self.block_hash.hex()}"
        return hash_text if self.number is None else f"{self.number}:{hash_text}"


def parse_checkpoint(text: str) -> Checkpoint:
    """Read a checkpoint; raises `BadCheckpoint`."""
    number_text, colon, hash_text = text.strip().rpartition(":")
    digits = hash_text.removeprefix("0x")
    if len(digits) != 2 * HASH_BYTES or not all(c in "0123456789abcdefABCDEF" for c in digits):
        raise BadCheckpoint(text)
    if not colon:
        return Checkpoint(bytes.fromhex(digits))
    is_number = number_text.isascii() and number_text.isdecimal()
    if not is_number or len(number_text) > MAX_NUMBER_DIGITS:
        raise BadCheckpoint(text)
    return Checkpoint(bytes.fromhex(digits), int(number_text))
