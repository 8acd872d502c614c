"""Parsers of JSON-RPC parameters: hostile JSON in, plain values out.

Every parser takes a decoded JSON value and raises `BadArgument` with the rule that it breaks.
Formats follow execution-apis (quantities, data); the wording is that of geth, which some clients
read: its hexutil, and Go's encoding/json with the names of geth's types.
"""

import json
import re
from dataclasses import dataclass
from enum import Enum
from typing import Annotated, TypeAlias

from node.rpc.faults import BadArgument

MAX_UINT64 = 2**64 - 1
MAX_UINT256 = 2**256 - 1
MAX_BLOCK_NUMBER = 2**63 - 1
"""geth keeps block numbers in an int64."""

MAX_SHOWN_CHARACTERS = 80

_HEX_DIGITS = re.compile(r"[0-9a-fA-F]*\Z", re.ASCII)


NO_PREFIX = "hex string without 0x prefix"


class BlockTag(Enum):
    """A block by its role; on this chain every block is final, so the last four name the head."""

    EARLIEST = "earliest"
    LATEST = "latest"
    SAFE = "safe"
    FINALIZED = "finalized"
    PENDING = "pending"


@dataclass(frozen=True, slots=True)
class BlockHash:
    """A block by its hash (EIP-1898)."""

    hash: bytes
    require_canonical: bool = False


BlockNumberOrTag: TypeAlias = BlockTag | int
BlockReference: TypeAlias = BlockTag | int | BlockHash

_TAGS = {tag.value: tag for tag in BlockTag}


def shown(value: object) -> str:
    """Return a caller's value for an error message: short, one line, ASCII."""
    if isinstance(value, str):
        cut = value[:MAX_SHOWN_CHARACTERS]
        return json.dumps(cut) + ("..." if len(cut) < len(value) else "")
    if isinstance(value, list | dict):
        return "an array" if isinstance(value, list) else "an object"
    if isinstance(value, int) and value.bit_length() > 256:
        return f"a number of {value.bit_length()} bits"
    return json.dumps(value) if value is None or isinstance(value, bool) else repr(value)


def json_kind(value: object) -> str:
    """Return what a value is in JSON, as Go names it."""
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, int | float):
        return "number"
    if isinstance(value, str):
        return "string"
    return "array" if isinstance(value, list) else "object"


def unmarshal_fault(problem: str, go_type: str) -> BadArgument:
    """Return a fault in the words of Go's encoding/json, with the type that geth reads there."""
    return BadArgument(f"json: cannot unmarshal {problem} into Go value of type {go_type}")


def hex_problem(value: object) -> str | None:
    """Return what keeps a value from being 0x and hex digits, in the words of geth's hexutil."""
    if not isinstance(value, str):
        return "non-string"
    if value == "":
        return "empty hex string"
    if value[:2] not in ("0x", "0X"):
        return NO_PREFIX
    return None if _HEX_DIGITS.match(value, 2) else "invalid hex string"


def number_problem(value: object, bits: int) -> str | None:
    """Return what keeps a value from being a quantity of so many bits."""
    problem = hex_problem(value)
    if problem is not None:
        return problem
    digits = str(value)[2:]
    if digits == "":
        return 'hex string "0x"'
    if digits[0] == "0" and digits != "0":
        return "hex number with leading zero digits"
    return f"hex number > {bits} bits" if 4 * len(digits) > bits else None


def _parse_bytes(value: object, go_type: str) -> bytes:
    problem = hex_problem(value)
    if problem is None and len(str(value)) % 2:
        problem = "hex string of odd length"
    if problem is not None:
        raise unmarshal_fault(problem, go_type)
    return bytes.fromhex(str(value)[2:])


def parse_data(value: object) -> bytes:
    """Return bytes of any length, two digits for each."""
    return _parse_bytes(value, "hexutil.Bytes")


def _parse_fixed(value: object, size_bytes: int, go_type: str) -> bytes:
    data = _parse_bytes(value, go_type)
    if len(data) != size_bytes:
        raise BadArgument(
            f"hex string has length {2 * len(data)}, want {2 * size_bytes} for {go_type}"
        )
    return data


def parse_address(value: object) -> bytes:
    """Return the 20 bytes of an address; the case of its digits does not matter."""
    return _parse_fixed(value, 20, "common.Address")


def parse_hash(value: object) -> bytes:
    """Return the 32 bytes of a hash."""
    return _parse_fixed(value, 32, "common.Hash")


def _parse_number(value: object, bits: int, go_type: str) -> int:
    problem = number_problem(value, bits)
    if problem is not None:
        raise unmarshal_fault(problem, go_type)
    return int(str(value), 16)


def parse_uint64(value: object) -> int:
    """Return a quantity below 2**64, without leading zeros."""
    return _parse_number(value, 64, "hexutil.Uint64")


def parse_uint256(value: object) -> int:
    """Return a quantity below 2**256, without leading zeros."""
    return _parse_number(value, 256, "hexutil.Big")


def parse_storage_slot(value: object) -> int:
    """Return a storage slot of at most 32 bytes; leading zeros are allowed, as in geth."""
    if hex_problem(value) is not None:
        raise BadArgument(f"invalid hex in storage key: {shown(value)}")
    digits = str(value)[2:]
    if len(digits) > 64:
        raise BadArgument(f"storage key too long (want at most 32 bytes): {shown(value)}")
    return int(digits or "0", 16)


def parse_flag(value: object) -> bool:
    """Return a JSON boolean."""
    if not isinstance(value, bool):
        raise unmarshal_fault(json_kind(value), "bool")
    return value


def parse_list(value: object) -> list[object]:
    """Return a JSON array."""
    if not isinstance(value, list):
        raise BadArgument(f"{shown(value)} is not an array")
    return value


def parse_object(value: object) -> dict[str, object]:
    """Return a JSON object."""
    if not isinstance(value, dict):
        raise BadArgument(f"{shown(value)} is not an object")
    return value


def parse_hashes(value: object) -> tuple[bytes, ...]:
    """Return an array of 32-byte hashes."""
    return tuple(parse_hash(item) for item in parse_list(value))


def parse_block_number(value: object) -> BlockNumberOrTag:
    """Return a tag, or the number of a block below 2**63."""
    if isinstance(value, str) and value in _TAGS:
        return _TAGS[value]
    problem = number_problem(value, 64) if isinstance(value, str) else NO_PREFIX
    if problem is not None:
        raise BadArgument(problem)
    number = int(str(value), 16)
    if number > MAX_BLOCK_NUMBER:
        raise BadArgument("block number larger than int64")
    return number


def parse_block_reference(value: object) -> BlockReference:
    """Return a tag, a number, a hash, or EIP-1898's object of a number or a hash."""
    if isinstance(value, str) and len(value) == 66:
        return BlockHash(parse_hash(value))
    if not isinstance(value, dict):
        return parse_block_number(value)
    block_hash, number = value.get("blockHash"), value.get("blockNumber")
    if block_hash is not None and number is not None:
        raise BadArgument("cannot specify both blockHash and blockNumber, choose one or the other")
    if block_hash is not None:
        return BlockHash(parse_hash(block_hash), parse_flag(value.get("requireCanonical", False)))
    if number is not None:
        return parse_block_number(number)
    raise BadArgument("a block object wants blockHash or blockNumber")


def parse_count(value: object) -> int:
    """Return a count given as a quantity or as a JSON integer (geth's HexOrDecimal64)."""
    if isinstance(value, int) and not isinstance(value, bool):
        if not 0 <= value <= MAX_UINT64:
            raise BadArgument(f"{shown(value)} is outside 0 to 2**64 - 1")
        return value
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 20:
        return parse_count(int(value))
    return parse_uint64(value)


Address: TypeAlias = Annotated[bytes, parse_address]
Hash: TypeAlias = Annotated[bytes, parse_hash]
Hashes: TypeAlias = Annotated[tuple[bytes, ...], parse_hashes]
Data: TypeAlias = Annotated[bytes, parse_data]
Uint64: TypeAlias = Annotated[int, parse_uint64]
OptionalUint64: TypeAlias = Annotated[int | None, parse_uint64]
Count: TypeAlias = Annotated[int, parse_count]
OptionalCount: TypeAlias = Annotated[int | None, parse_count]
StorageSlot: TypeAlias = Annotated[int, parse_storage_slot]
Flag: TypeAlias = Annotated[bool, parse_flag]
BlockNumber: TypeAlias = Annotated[BlockNumberOrTag, parse_block_number]
Block: TypeAlias = Annotated[BlockReference, parse_block_reference]
