"""EIP-712: the digest of typed data that a caller wants signed, made of hostile JSON."""

import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, TypeAlias

from cvm.evm.keccak import keccak256
from node.rpc.faults import BadArgument
from node.rpc.json_body import parse_body
from node.rpc.parameters import shown

DOMAIN = "EIP712Domain"
DOMAIN_FIELDS = (
    ("name", "string"),
    ("version", "string"),
    ("chainId", "uint256"),
    ("verifyingContract", "address"),
    ("salt", "bytes32"),
)
"""The fields of a domain, in the order of EIP-712, where its type is not among the types."""

PREFIX = b"\x19\x01"
NO_STRUCT = bytes(32)
MAX_NESTING = 64
_ARRAY = re.compile(r"(.+)\[(\d{0,9})\]")
_INTEGER = re.compile(r"(u?)int(\d{1,3})")
_FIXED_BYTES = re.compile(r"bytes(\d{1,2})")
_DECIMAL = re.compile(r"-?\d{1,78}")
_HEX = re.compile(r"0x([0-9a-fA-F]{2})*")
_HEX_NUMBER = re.compile(r"0x[0-9a-fA-F]{1,64}")

Members: TypeAlias = tuple[tuple[str, str], ...]


def parse_typed_data(value: object) -> bytes:
    """Return the digest to sign of typed data: an object, or its JSON as libraries send it.

    keccak256(0x1901 || hashStruct(domain) || hashStruct(message)); a struct that is null counts as
    32 zero bytes, as in MetaMask. Raises `BadArgument`, or what `parse_body` raises.
    """
    if isinstance(value, str):
        value = parse_body(value.encode(errors="surrogatepass"), MAX_NESTING)
    document = _object(value, "typed data")
    domain = _object(document.get("domain"), "domain")
    primary = document.get("primaryType")
    if not isinstance(primary, str):
        raise BadArgument("primaryType is not a name")
    types = _types(document.get("types"), domain)
    encoder = _Encoder(types)
    digest = PREFIX + encoder.hash_struct(DOMAIN, domain)
    if primary != DOMAIN:
        digest += encoder.hash_struct(primary, document.get("message"))
    return keccak256(digest)


TypedData: TypeAlias = Annotated[bytes, parse_typed_data]


def _types(value: object, domain: Mapping[str, object]) -> dict[str, Members]:
    types = {name: _members(name, text) for name, text in _object(value, "types").items()}
    types.setdefault(DOMAIN, tuple(field for field in DOMAIN_FIELDS if field[0] in domain))
    return types


def _members(name: str, value: object) -> Members:
    if not isinstance(value, list):
        raise BadArgument(f"type {name} is not a list of members")
    found = []
    for each in value:
        member = _object(each, f"a member of {name}")
        if not isinstance(member.get("name"), str) or not isinstance(member.get("type"), str):
            raise BadArgument(f"a member of {name} has no name or no type")
        found.append((str(member["name"]), str(member["type"])))
    return tuple(found)


def _object(value: object, what: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise BadArgument(f"{what} is not an object")
    return value


class _Encoder:
    """Encodes values by the types of one document, whose hashes it keeps."""

    def __init__(self, types: Mapping[str, Members]) -> None:
        self._types = types
        self._type_hashes: dict[str, bytes] = {}

    def hash_struct(self, name: str, value: object) -> bytes:
        """Return keccak256(typeHash || encodeData); raises `BadArgument`."""
        if name not in self._types:
            raise BadArgument(f"there is no type {name}")
        members = _object(value, name)
        parts = [self._type_hash(name)]
        for member, kind in self._types[name]:
            if member not in members:
                raise BadArgument(f"{name} has no {member}")
            parts.append(self._encoded(kind, members[member]))
        return keccak256(b"".join(parts))

    def _encoded(self, kind: str, value: object) -> bytes:
        array = _ARRAY.fullmatch(kind)
        if array is not None:
            items = _items(value, kind, array[2])
            return keccak256(b"".join(self._encoded(array[1], each) for each in items))
        if kind in self._types:
            return NO_STRUCT if value is None else self.hash_struct(kind, value)
        return _atom(kind, value)

    def _type_hash(self, name: str) -> bytes:
        if name not in self._type_hashes:
            others = sorted(self._needed(name) - {name})
            self._type_hashes[name] = keccak256("".join(map(self._text, [name, *others])).encode())
        return self._type_hashes[name]

    def _text(self, name: str) -> str:
        members = ",".join(f"{kind} {member}" for member, kind in self._types[name])
        return f"{name}({members})"

    def _needed(self, name: str) -> set[str]:
        """Return a type with all that it refers to."""
        found, waiting = {name}, [name]
        while waiting:
            kinds = {kind.partition("[")[0] for _member, kind in self._types[waiting.pop()]}
            new = (kinds & self._types.keys()) - found
            found |= new
            waiting += new
        return found


def _items(value: object, kind: str, length: str) -> Sequence[object]:
    if not isinstance(value, list):
        raise BadArgument(f"a value of {kind} is not a list")
    if length and len(value) != int(length):
        raise BadArgument(f"a value of {kind} has {len(value)} items")
    return value


def _atom(kind: str, value: object) -> bytes:
    """Return 32 bytes of a value that is neither struct nor array."""
    if kind == "string" and isinstance(value, str):
        return keccak256(value.encode(errors="surrogatepass"))
    if kind == "bytes":
        return keccak256(_bytes(kind, value))
    if kind == "bool" and isinstance(value, bool):
        return int(value).to_bytes(32, "big")
    if kind == "address":
        return _sized(kind, value, 20).rjust(32, b"\0")
    integer, fixed = _INTEGER.fullmatch(kind), _FIXED_BYTES.fullmatch(kind)
    if integer is not None:
        return _word(kind, value, is_signed=integer[1] == "", bits=int(integer[2]))
    if fixed is not None and 1 <= int(fixed[1]) <= 32:
        return _sized(kind, value, int(fixed[1])).ljust(32, b"\0")
    raise BadArgument(f"{shown(value)} is no value of {kind}")


def _word(kind: str, value: object, *, is_signed: bool, bits: int) -> bytes:
    number = _number(value)
    if bits not in range(8, 257, 8) or number is None:
        raise BadArgument(f"{shown(value)} is no value of {kind}")
    low, high = (-(2 ** (bits - 1)), 2 ** (bits - 1)) if is_signed else (0, 2**bits)
    if not low <= number < high:
        raise BadArgument(f"{shown(value)} does not fit {kind}")
    return (number % 2**256).to_bytes(32, "big")


def _number(value: object) -> int | None:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, str) and _DECIMAL.fullmatch(value):
        return int(value)
    if isinstance(value, str) and _HEX_NUMBER.fullmatch(value):
        return int(value, 16)
    return None


def _sized(kind: str, value: object, size: int) -> bytes:
    found = _bytes(kind, value)
    if len(found) != size:
        raise BadArgument(f"{shown(value)} is no value of {kind}")
    return found


def _bytes(kind: str, value: object) -> bytes:
    if not isinstance(value, str) or _HEX.fullmatch(value) is None:
        raise BadArgument(f"{shown(value)} is no value of {kind}")
    return bytes.fromhex(value[2:])
