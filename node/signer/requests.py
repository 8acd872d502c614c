"""What a node asks its signer to sign: the thing itself, from which the signer makes the digest.

One JSON object a line, numbers and bytes in 0x form: see this folder's README.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Protocol, TypeAlias

from consensus.certificate import SealDomain
from consensus.qbft.faults import BadMessage
from consensus.qbft.message_decoding import decode_payload
from cvm.evm.keccak import HASH_BYTES, keccak256
from models_registry.attestation import attestation_digest
from node.validator_key import signing_domain

SEAL_CODE = 0
"""Seals have no message code of their own; those of messages begin at 0x12."""

MAX_LINE_BYTES = 64 << 20
"""A proposal carries its block, in hexadecimal digits."""

JsonObject: TypeAlias = Mapping[str, object]


class BadSigningRequest(Exception):
    """A request that is not of this protocol, or whose digest is not what it says."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a validator may say one thing only, and the hash of what it says there."""

    height: int
    round: int
    code: int
    said: bytes


class SigningRequest(Protocol):
    """One thing to sign."""

    KIND: ClassVar[str]

    def digest(self, chain: SealDomain) -> bytes:
        """Return what is signed."""
        ...

    def place(self) -> Place | None:
        """Return where this would be the second of two things, or None where it may be."""
        ...

    def fields(self) -> dict[str, str]:
        """Return the request's own fields."""
        ...


@dataclass(frozen=True, slots=True)
class MessageRequest:
    """A message of QBFT: its code and the RLP of its payload."""

    KIND: ClassVar[str] = "message"
    code: int
    payload: bytes

    def digest(self, chain: SealDomain) -> bytes:
        """Return what is signed."""
        return signing_domain(chain).digest(self.code, self.payload)

    def place(self) -> Place:
        """Return height, round and code; raises `BadSigningRequest`."""
        try:
            decoded = decode_payload(self.code, self.payload)
        except BadMessage as fault:
            raise BadSigningRequest(f"not a message: {fault}") from fault
        return Place(decoded.height, decoded.round, self.code, keccak256(self.payload))

    def fields(self) -> dict[str, str]:
        """Return the request's own fields."""
        return {"code": hex(self.code), "payload": hex_text(self.payload)}


@dataclass(frozen=True, slots=True)
class SealRequest:
    """The commit seal of a header."""

    KIND: ClassVar[str] = "seal"
    height: int
    round: int
    header_hash: bytes

    def digest(self, chain: SealDomain) -> bytes:
        """Return what is signed."""
        return chain.digest(self.height, self.round, self.header_hash)

    def place(self) -> Place:
        """Return height and round."""
        return Place(self.height, self.round, SEAL_CODE, self.header_hash)

    def fields(self) -> dict[str, str]:
        """Return the request's own fields."""
        header = hex_text(self.header_hash)
        return {"height": hex(self.height), "round": hex(self.round), "headerHash": header}


@dataclass(frozen=True, slots=True)
class AttestationRequest:
    """What this validator found of one registration of a model."""

    KIND: ClassVar[str] = "attestation"
    model_id: bytes
    nonce: int
    record_hash: bytes

    def digest(self, chain: SealDomain) -> bytes:
        """Return what is signed."""
        return attestation_digest(chain.chain_id, self.model_id, self.nonce, self.record_hash)

    def place(self) -> None:
        """Return None: no rule forbids a second one."""

    def fields(self) -> dict[str, str]:
        """Return the request's own fields."""
        model, record = hex_text(self.model_id), hex_text(self.record_hash)
        return {"modelId": model, "nonce": hex(self.nonce), "recordHash": record}


def encode_request(request: SigningRequest, chain: SealDomain) -> bytes:
    """Return the line that asks for a signature."""
    params = {
        "chainId": hex(chain.chain_id),
        "genesisHash": hex_text(chain.genesis_hash),
        "digest": hex_text(request.digest(chain)),
        "kind": request.KIND,
        **request.fields(),
    }
    return json.dumps({"method": "sign", "params": params}).encode() + b"\n"


def decode_request(params: object, chain: SealDomain) -> SigningRequest:
    """Read what is to be signed, on this chain only; raises `BadSigningRequest`."""
    if not isinstance(params, dict):
        raise BadSigningRequest("params is not an object")
    here = (chain.chain_id, chain.genesis_hash)
    given = (number(params, "chainId"), octets(params, "genesisHash", HASH_BYTES))
    if given != here:
        raise BadSigningRequest(
            f"chain {given[0]} of genesis {hex_text(given[1])}, this signer signs for "
            f"chain {here[0]} of genesis {hex_text(here[1])}"
        )
    request = request_of(params)
    if octets(params, "digest", HASH_BYTES) != request.digest(chain):
        raise BadSigningRequest("the digest is not that of the fields")
    return request


def request_of(params: JsonObject) -> SigningRequest:
    """Read the fields of a request; raises `BadSigningRequest`."""
    kind = params.get("kind")
    if kind == MessageRequest.KIND:
        return MessageRequest(number(params, "code"), octets(params, "payload"))
    if kind == SealRequest.KIND:
        header = octets(params, "headerHash", HASH_BYTES)
        return SealRequest(number(params, "height"), number(params, "round"), header)
    if kind == AttestationRequest.KIND:
        return AttestationRequest(
            octets(params, "modelId", HASH_BYTES),
            number(params, "nonce"),
            octets(params, "recordHash", HASH_BYTES),
        )
    raise BadSigningRequest(f"kind is {str(kind)[:40]!r}: want message, seal or attestation")


def number(params: JsonObject, name: str) -> int:
    """Return a number of at most 64 bits; raises `BadSigningRequest`."""
    text = params.get(name)
    digits = text.removeprefix("0x") if isinstance(text, str) else ""
    if len(digits) > 16 or not digits or not set(digits) <= set("0123456789abcdef"):
        raise BadSigningRequest(f"{name} is not a number in 0x form")
    return int(digits, 16)


def octets(params: JsonObject, name: str, size: int | None = None) -> bytes:
    """Return bytes, of this size if one is given; raises `BadSigningRequest`."""
    text = params.get(name)
    try:
        found = bytes.fromhex(text.removeprefix("0x")) if isinstance(text, str) else None
    except ValueError:
        found = None
    if found is None or (size is not None and len(found) != size):
        raise BadSigningRequest(f"{name} is not {size or 'any'} bytes in 0x form")
    return found


def hex_text(data: bytes) -> str:
    """Return bytes in 0x form."""
    return f"0x{data.hex()}"
