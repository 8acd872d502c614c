"""Parameters of a development chain's methods, in every form that anvil, hardhat and ganache take.

Numbers come as JSON integers, as hex with or without leading zeros, and as decimal strings.
"""

from dataclasses import dataclass
from typing import Annotated, TypeAlias

from node.rpc.caller import Caller
from node.rpc.dev_faults import NotADevelopmentChain
from node.rpc.dev_view import DevView
from node.rpc.faults import BadArgument
from node.rpc.parameters import MAX_UINT64, MAX_UINT256, parse_data, parse_object, shown

MAX_DIGITS = 80
MAX_BLOCKS = 10_000
"""How many blocks one call may ask for; it is answered when the last one is there."""


def dev_of(caller: Caller) -> DevView:
    """Return the development chain that a caller changes; raises `NotADevelopmentChain`."""
    dev = caller.node.itself.dev
    if dev is None:
        raise NotADevelopmentChain
    return dev


def parse_number(value: object) -> int:
    """Return a number of at most 256 bits."""
    number = value
    if isinstance(value, str) and len(value) <= MAX_DIGITS and value.isascii():
        digits = value.lower()
        is_hex = digits.startswith("0x")
        if is_hex and digits[2:].isalnum():
            number = _hex_number(digits[2:])
        elif digits.isdigit():
            number = int(digits)
    if isinstance(number, bool) or not isinstance(number, int):
        raise BadArgument(f"{shown(value)} is not a number")
    if not 0 <= number <= MAX_UINT256:
        raise BadArgument(f"{shown(value)} is outside 0 to 2**256 - 1")
    return number


def _hex_number(digits: str) -> int | None:
    try:
        return int(digits, 16)
    except ValueError:
        return None


def parse_small_number(value: object) -> int:
    """Return a number of at most 64 bits."""
    number = parse_number(value)
    if number > MAX_UINT64:
        raise BadArgument(f"{shown(value)} is outside 0 to 2**64 - 1")
    return number


def parse_block_count(value: object) -> int:
    """Return how many blocks are wanted."""
    count = parse_number(value)
    if count > MAX_BLOCKS:
        raise BadArgument(f"{count} blocks, at most {MAX_BLOCKS} in one call")
    return count


def parse_code(value: object) -> bytes:
    """Return code, with or without 0x."""
    if isinstance(value, str) and not value.startswith(("0x", "0X")):
        return parse_data("0x" + value)
    return parse_data(value)


def parse_word(value: object) -> int:
    """Return a word of storage, which at most 32 bytes say."""
    data = parse_data(value)
    if len(data) > 32:
        raise BadArgument(f"{len(data)} bytes, a word has 32")
    return int.from_bytes(data, "big")


@dataclass(frozen=True, slots=True)
class MineOptions:
    """What evm_mine is told: the time of the first block, and how many blocks."""

    timestamp: int | None = None
    blocks: int = 1


def parse_mine_options(value: object) -> MineOptions:
    """Return what evm_mine is told: a time, or an object of `timestamp` and `blocks`."""
    if not isinstance(value, dict):
        return MineOptions(parse_small_number(value))
    fields = parse_object(value)
    unknown = sorted(fields.keys() - {"timestamp", "blocks"})
    if unknown:
        raise BadArgument(f"unknown field {shown(unknown[0])}: want timestamp and blocks")
    timestamp, blocks = fields.get("timestamp"), fields.get("blocks")
    return MineOptions(
        None if timestamp is None else parse_small_number(timestamp),
        1 if blocks is None else parse_block_count(blocks),
    )


@dataclass(frozen=True, slots=True)
class ResetOptions:
    """What anvil_reset is told: an address to fork from, which this chain cannot."""

    forks: bool = False


def parse_reset_options(value: object) -> ResetOptions:
    """Return what anvil_reset is told."""
    return ResetOptions(parse_object(value).get("forking") is not None)


Number: TypeAlias = Annotated[int, parse_number]
SmallNumber: TypeAlias = Annotated[int, parse_small_number]
OptionalSmallNumber: TypeAlias = Annotated[int | None, parse_small_number]
BlockCount: TypeAlias = Annotated[int, parse_block_count]
Code: TypeAlias = Annotated[bytes, parse_code]
Word: TypeAlias = Annotated[int, parse_word]
Mine: TypeAlias = Annotated[MineOptions, parse_mine_options]
Reset: TypeAlias = Annotated[ResetOptions, parse_reset_options]
