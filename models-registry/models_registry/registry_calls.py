"""Calldata for the ModelRegistry contract, and what its logs and errors mean."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from eth_abi.abi import decode, encode
from eth_abi.exceptions import DecodingError

from cvm.evm.keccak import keccak256
from models_registry.artifact import load_artifact

COMMIT = "commit(bytes32)"
REGISTER = "register(bytes32,uint64,uint64,string,bytes32)"
ACTIVATE = "activate(bytes32,bytes,bytes[])"
EXPIRE = "expire(bytes32)"
COMMITTED_AT = "committedAt(bytes32)"

COMMITTED_EVENT = "Committed(bytes32,address)"
REGISTERED_EVENT = "Registered(bytes32,address,uint64,string,uint64)"
ACTIVATED_EVENT = "Activated(bytes32,bytes32,uint64)"
EXPIRED_EVENT = "Expired(bytes32)"


@dataclass(frozen=True, slots=True)
class Committed:
    """Somebody will register a model, and does not say which yet."""

    commitment: bytes
    sender: bytes


@dataclass(frozen=True, slots=True)
class Registered:
    """A model is PENDING."""

    model_id: bytes
    owner: bytes
    size_bytes: int
    uri: str
    nonce: int


@dataclass(frozen=True, slots=True)
class Activated:
    """A record was accepted."""

    model_id: bytes
    record_hash: bytes
    activation_height: int


@dataclass(frozen=True, slots=True)
class Expired:
    """A model was not activated in time."""

    model_id: bytes


RegistryEvent = Committed | Registered | Activated | Expired


def commitment(model_id: bytes, owner: bytes, salt: bytes) -> bytes:
    """Return what `commit` takes for a model that `owner` will register with `salt`."""
    return keccak256(encode(["bytes32", "address", "bytes32"], [model_id, owner, salt]))


def encode_commit(commitment_hash: bytes) -> bytes:
    """Return the calldata of `commit`."""
    return selector(COMMIT) + encode(["bytes32"], [commitment_hash])


def encode_register(
    model_id: bytes, size_bytes: int, royalty_gas: int, uri: str, salt: bytes
) -> bytes:
    """Return the calldata of `register`."""
    return selector(REGISTER) + encode(
        ["bytes32", "uint64", "uint64", "string", "bytes32"],
        [model_id, size_bytes, royalty_gas, uri, salt],
    )


def encode_activate(model_id: bytes, record: bytes, signatures: Sequence[bytes]) -> bytes:
    """Return the calldata of `activate`; the signatures as `order_signatures` gives them."""
    return selector(ACTIVATE) + encode(
        ["bytes32", "bytes", "bytes[]"], [model_id, record, list(signatures)]
    )


def encode_expire(model_id: bytes) -> bytes:
    """Return the calldata of `expire`."""
    return selector(EXPIRE) + encode(["bytes32"], [model_id])


def encode_committed_at(commitment_hash: bytes) -> bytes:
    """Return the calldata of the view `committedAt`, which returns a height or 0."""
    return selector(COMMITTED_AT) + encode(["bytes32"], [commitment_hash])


def selector(signature: str) -> bytes:
    """Return the four bytes that name a function or an error in calldata."""
    return keccak256(signature.encode())[:4]


def topic(signature: str) -> bytes:
    """Return the first topic of an event."""
    return keccak256(signature.encode())


def decode_event(topics: Sequence[bytes], data: bytes) -> RegistryEvent | None:
    """Return what a log of the ModelRegistry says, or None for a log that it does not write."""
    if not topics:
        return None
    if topics[0] == topic(COMMITTED_EVENT):
        return Committed(topics[1], topics[2][12:])
    if topics[0] == topic(REGISTERED_EVENT):
        size, uri, nonce = decode(["uint64", "bytes", "uint64"], data)
        return Registered(
            topics[1], topics[2][12:], size, uri.decode(errors="backslashreplace"), nonce
        )
    if topics[0] == topic(ACTIVATED_EVENT):
        record_hash, height = decode(["bytes32", "uint64"], data)
        return Activated(topics[1], record_hash, height)
    if topics[0] == topic(EXPIRED_EVENT):
        return Expired(topics[1])
    return None


def decode_error(revert_data: bytes) -> str | None:
    """Return a custom error of the registry as `Name(field=value, ...)`, or None for another."""
    error = _errors().get(revert_data[:4])
    if error is None:
        return None
    try:
        values = decode(list(error.types), revert_data[4:])
    except DecodingError:
        return None
    fields = ", ".join(
        f"{name}={'0x' + value.hex() if isinstance(value, bytes) else value}"
        for name, value in zip(error.fields, values, strict=True)
    )
    return f"{error.name}({fields})"


@dataclass(frozen=True, slots=True)
class _ErrorAbi:
    """A custom error of the contract's ABI."""

    name: str
    fields: tuple[str, ...]
    types: tuple[str, ...]


@cache
def _errors() -> dict[bytes, _ErrorAbi]:
    """Return the contract's custom errors by selector."""
    errors = {}
    for entry in load_artifact("ModelRegistry").abi:
        if entry["type"] == "error":
            fields = tuple(str(field["name"]) for field in entry["inputs"])
            types = tuple(str(field["type"]) for field in entry["inputs"])
            signature = f"{entry['name']}({','.join(types)})"
            errors[selector(signature)] = _ErrorAbi(str(entry["name"]), fields, types)
    return errors
