"""Calldata for the ModelRegistry contract, and what its logs and errors mean."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

from eth_abi.abi import decode, encode
from eth_abi.exceptions import DecodingError

from cvm.evm.keccak import keccak256
from models_registry.artifact import load_artifact
from models_registry.selectors import selector, topic

COMMIT = "commit(bytes32)"
REGISTER = "register(bytes32,uint64,uint64,string,bytes32)"
ACTIVATE = "activate(bytes32,bytes,bytes[])"
EXPIRE = "expire(bytes32)"
RETIRE = "retire(bytes32)"
SET_ROYALTY = "setRoyalty(bytes32,uint64)"
SET_RESALE_ROYALTY = "setResaleRoyalty(bytes32,address,uint96)"
WITHDRAW = "withdraw(address)"
SAFE_TRANSFER = "safeTransferFrom(address,address,uint256)"
COMMITTED_AT = "committedAt(bytes32)"
DEADLINE = "deadline()"
RETIREMENT_DELAY = "retirementDelay()"
REFUNDS = "refunds(address)"
DEPOSIT_PER_BYTE = "depositPerByte()"
FEE_PER_BYTE = "feePerByte()"

COMMITTED_EVENT = "Committed(bytes32,address)"
REGISTERED_EVENT = "Registered(bytes32,address,uint64,uint64,string,uint64,uint256,uint256)"
ACTIVATED_EVENT = "Activated(bytes32,bytes32,uint64,bytes)"
EXPIRED_EVENT = "Expired(bytes32,address,uint256)"
RETIRED_EVENT = "Retired(bytes32,address,uint64,uint256)"
ROYALTY_SET_EVENT = "RoyaltySet(bytes32,uint64,uint64)"
RESALE_ROYALTY_SET_EVENT = "ResaleRoyaltySet(bytes32,address,uint96)"
WITHDRAWN_EVENT = "Withdrawn(address,address,uint256)"
TRANSFER_EVENT = "Transfer(address,address,uint256)"


@dataclass(frozen=True, slots=True)
class Committed:
    """Somebody will register a model, and does not say which yet."""

    commitment: bytes
    sender: bytes


@dataclass(frozen=True, slots=True)
class Registered:
    """A model is PENDING; the deposit is kept and the fee burned, both in wei."""

    model_id: bytes
    owner: bytes
    size_bytes: int
    royalty_gas: int
    uri: str
    nonce: int
    deposit: int
    fee: int


@dataclass(frozen=True, slots=True)
class Activated:
    """A record was accepted; `record` is the RLP that was signed."""

    model_id: bytes
    record_hash: bytes
    activation_height: int
    record: bytes


@dataclass(frozen=True, slots=True)
class Expired:
    """A model was not activated in time; its owner may withdraw the deposit."""

    model_id: bytes
    owner: bytes
    deposit: int


@dataclass(frozen=True, slots=True)
class Retired:
    """Nobody can call a model from a height on; its owner may withdraw the deposit."""

    model_id: bytes
    owner: bytes
    retirement_height: int
    deposit: int


@dataclass(frozen=True, slots=True)
class RoyaltySet:
    """An item pays another royalty from a height on."""

    model_id: bytes
    royalty_gas: int
    royalty_height: int


@dataclass(frozen=True, slots=True)
class ResaleRoyaltySet:
    """The token's resale royalty (ERC-2981) is another; none where it is 0."""

    model_id: bytes
    receiver: bytes
    basis_points: int


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """An account was paid its refunds, in wei."""

    owner: bytes
    to: bytes
    amount: int


@dataclass(frozen=True, slots=True)
class Transferred:
    """A model's token went from one account to another; the zero address mints and burns."""

    sender: bytes
    receiver: bytes
    model_id: bytes


RegistryEvent = (
    Committed
    | Registered
    | Activated
    | Expired
    | Retired
    | RoyaltySet
    | ResaleRoyaltySet
    | Withdrawn
    | Transferred
)


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


def encode_retire(model_id: bytes) -> bytes:
    """Return the calldata of `retire`."""
    return selector(RETIRE) + encode(["bytes32"], [model_id])


def encode_set_royalty(model_id: bytes, royalty_gas: int) -> bytes:
    """Return the calldata of `setRoyalty`."""
    return selector(SET_ROYALTY) + encode(["bytes32", "uint64"], [model_id, royalty_gas])


def encode_set_resale_royalty(model_id: bytes, receiver: bytes, basis_points: int) -> bytes:
    """Return the calldata of `setResaleRoyalty`."""
    return selector(SET_RESALE_ROYALTY) + encode(
        ["bytes32", "address", "uint96"], [model_id, receiver, basis_points]
    )


def encode_withdraw(to: bytes) -> bytes:
    """Return the calldata of `withdraw`."""
    return selector(WITHDRAW) + encode(["address"], [to])


def encode_transfer(owner: bytes, receiver: bytes, model_id: bytes) -> bytes:
    """Return the calldata of ERC-721's `safeTransferFrom`, which asks a contract whether it can."""
    return selector(SAFE_TRANSFER) + encode(
        ["address", "address", "uint256"], [owner, receiver, int.from_bytes(model_id, "big")]
    )


def decode_event(topics: Sequence[bytes], data: bytes) -> RegistryEvent | None:
    """Return what a log of the ModelRegistry says, or None for one that is not listed above."""
    decoder = _DECODERS.get(topics[0]) if topics else None
    return None if decoder is None else decoder(topics[1:], data)


def _committed(topics: Sequence[bytes], _data: bytes) -> Committed:
    return Committed(topics[0], topics[1][12:])


def _registered(topics: Sequence[bytes], data: bytes) -> Registered:
    size, royalty_gas, uri, nonce, deposit, fee = decode(
        ["uint64", "uint64", "bytes", "uint64", "uint256", "uint256"], data
    )
    text = uri.decode(errors="backslashreplace")
    return Registered(topics[0], topics[1][12:], size, royalty_gas, text, nonce, deposit, fee)


def _activated(topics: Sequence[bytes], data: bytes) -> Activated:
    record_hash, height, record = decode(["bytes32", "uint64", "bytes"], data)
    return Activated(topics[0], record_hash, height, record)


def _expired(topics: Sequence[bytes], data: bytes) -> Expired:
    return Expired(topics[0], topics[1][12:], *decode(["uint256"], data))


def _retired(topics: Sequence[bytes], data: bytes) -> Retired:
    return Retired(topics[0], topics[1][12:], *decode(["uint64", "uint256"], data))


def _royalty_set(topics: Sequence[bytes], data: bytes) -> RoyaltySet:
    return RoyaltySet(topics[0], *decode(["uint64", "uint64"], data))


def _resale_royalty_set(topics: Sequence[bytes], data: bytes) -> ResaleRoyaltySet:
    return ResaleRoyaltySet(topics[0], topics[1][12:], *decode(["uint96"], data))


def _withdrawn(topics: Sequence[bytes], data: bytes) -> Withdrawn:
    return Withdrawn(topics[0][12:], topics[1][12:], *decode(["uint256"], data))


def _transferred(topics: Sequence[bytes], _data: bytes) -> Transferred:
    return Transferred(topics[0][12:], topics[1][12:], topics[2])


_DECODERS: dict[bytes, Callable[[Sequence[bytes], bytes], RegistryEvent]] = {
    topic(COMMITTED_EVENT): _committed,
    topic(REGISTERED_EVENT): _registered,
    topic(ACTIVATED_EVENT): _activated,
    topic(EXPIRED_EVENT): _expired,
    topic(RETIRED_EVENT): _retired,
    topic(ROYALTY_SET_EVENT): _royalty_set,
    topic(RESALE_ROYALTY_SET_EVENT): _resale_royalty_set,
    topic(WITHDRAWN_EVENT): _withdrawn,
    topic(TRANSFER_EVENT): _transferred,
}


def decode_error(revert_data: bytes) -> str | None:
    """Return a system contract's custom error as `Name(field=value, ...)`, or None for another."""
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
    """Return the custom errors of both system contracts by selector."""
    errors = {}
    abis = [load_artifact(name).abi for name in ("ModelRegistry", "ValidatorSet")]
    for entry in (entry for abi in abis for entry in abi):
        if entry["type"] == "error":
            fields = tuple(str(field["name"]) for field in entry["inputs"])
            types = tuple(str(field["type"]) for field in entry["inputs"])
            signature = f"{entry['name']}({','.join(types)})"
            errors[selector(signature)] = _ErrorAbi(str(entry["name"]), fields, types)
    return errors
