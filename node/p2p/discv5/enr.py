"""Node records (EIP-778): what a node says of itself, signed, in at most 300 bytes."""

from base64 import b64decode, urlsafe_b64encode
from binascii import Error as BadBase64
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

from cvm.evm.keccak import keccak256
from cvm.evm.rlp_encoding import encode_bytes, encode_integer, encode_list
from cvm.evm.rlp_lists import integer, list_start, split_items
from cvm.evm.strict_rlp import BadRlp, decode_rlp
from node.p2p.discv5.endpoint import IPV4_BYTES, IPV6_BYTES, Endpoint, ip_text
from node.p2p.discv5.identity import (
    PUBLIC_KEY_BYTES,
    is_signed,
    node_id_of,
    public_key_of,
    sign,
)
from node.p2p.faults import BadMessage

MAX_RECORD_BYTES = 300
MAX_SEQ = 2**64 - 1
SEQ_BYTES = 8
PORT_BYTES = 2
TEXT_PREFIX = "enr:"
SCHEME = b"v4"
SIZES_OF_ADDRESSES = {b"ip": IPV4_BYTES, b"ip6": IPV6_BYTES}
PORTS = (b"tcp", b"tcp6", b"udp", b"udp6")


class BadRecord(BadMessage):
    """The bytes are not a node record whose signature is right."""


@dataclass(frozen=True, slots=True)
class NodeRecord:
    """A signed record; `entries` holds its values as RLP, sorted by their keys."""

    seq: int
    entries: tuple[tuple[bytes, bytes], ...]
    signature: bytes
    public_key: bytes
    node_id: bytes

    def encode(self) -> bytes:
        """Return the RLP list of signature, number, keys and values."""
        return encode_list(encode_bytes(self.signature) + _content(self.seq, self.entries))

    def text(self) -> str:
        """Return the form that people pass on: `enr:` and base64 without padding."""
        return TEXT_PREFIX + urlsafe_b64encode(self.encode()).decode().rstrip("=")

    def entry(self, key: bytes) -> bytes | None:
        """Return the RLP of a value, or None."""
        return next((value for name, value in self.entries if name == key), None)

    def udp(self) -> Endpoint | None:
        """Return where discovery reaches the node, IPv4 first, or None."""
        return self._endpoint(b"udp")

    def tcp(self) -> Endpoint | None:
        """Return where RLPx reaches the node, IPv4 first, or None."""
        return self._endpoint(b"tcp")

    def _endpoint(self, port_key: bytes) -> Endpoint | None:
        port, port6 = self._port(port_key), self._port(port_key + b"6")
        for key, number in ((b"ip", port), (b"ip6", port6 or port)):
            value = self.entry(key)
            if value is not None and number:
                return Endpoint(ip_text(value[1:]), number)
        return None

    def _port(self, key: bytes) -> int:
        value = self.entry(key)
        return 0 if value is None else int.from_bytes(_string(value), "big")


def sign_record(key: bytes, seq: int, entries: Mapping[bytes, bytes]) -> NodeRecord:
    """Return a record of RLP values, to which identity scheme and public key are added.

    Raises `BadRecord` where it is longer than 300 bytes.
    """
    public_key = public_key_of(key)
    whole = {
        **entries,
        b"id": encode_bytes(SCHEME),
        b"secp256k1": encode_bytes(public_key),
    }
    ordered = tuple(sorted(whole.items()))
    signature = sign(_signed_hash(seq, ordered), key)
    record = NodeRecord(seq, ordered, signature, public_key, node_id_of(public_key))
    _validate_size(record.encode())
    return record


def decode_record(data: bytes) -> NodeRecord:
    """Read a record from outside and check its signature; raises `BadRecord`."""
    _validate_size(data)
    try:
        decode_rlp(data)  # values may be lists, whose own form nobody else reads
        start = list_start(data, 0, "a record")
        items, lists = split_items(data, start, len(data), smallest=1)
        if len(items) < 2 or len(items) % 2 or lists[:1] in ([0], [1]):
            raise BadRecord("a record is a signature, a number, and pairs of key and value")
        seq = integer("seq", items[1], SEQ_BYTES)
    except BadRlp as error:
        raise BadRecord(f"a record that is not RLP: {error}") from error
    if any(position % 2 == 0 for position in lists):
        raise BadRecord("a key is a list")
    values = [
        encode_list(item) if position in lists else encode_bytes(item)
        for position, item in enumerate(items)
    ]
    entries = tuple(zip(items[2::2], values[3::2], strict=True))
    return _checked(seq, entries, signature=items[0])


def parse_record(text: str) -> NodeRecord:
    """Read the text form; raises `BadRecord`."""
    if not text.startswith(TEXT_PREFIX):
        raise BadRecord(f"a node record starts with {TEXT_PREFIX}")
    body = text.removeprefix(TEXT_PREFIX)
    if len(body) > 2 * MAX_RECORD_BYTES:
        raise BadRecord(f"a node record of {len(body)} characters")
    try:
        data = b64decode(body + "=" * (-len(body) % 4), altchars=b"-_", validate=True)
    except (BadBase64, ValueError) as error:
        raise BadRecord(f"a node record is base64url without padding: {error}") from error
    record = decode_record(data)
    if record.text() != text:
        raise BadRecord("the base64 of the node record is not canonical")
    return record


def _checked(seq: int, entries: tuple[tuple[bytes, bytes], ...], signature: bytes) -> NodeRecord:
    """Return the record if its keys, its known values and its signature are right."""
    keys = [key for key, _ in entries]
    if any(second <= first for first, second in pairwise(keys)):
        raise BadRecord("the keys of a record are sorted, and each stands once")
    known = dict(entries)
    if known.get(b"id") != encode_bytes(SCHEME):
        raise BadRecord("the identity scheme is not v4")
    public_key = _string(known.get(b"secp256k1", b"\x80"))
    if len(public_key) != PUBLIC_KEY_BYTES:
        raise BadRecord("a record holds a compressed public key")
    _validate_addresses(known)
    try:
        node_id = node_id_of(public_key)
        is_right = is_signed(_signed_hash(seq, entries), signature, public_key)
    except BadMessage as error:
        raise BadRecord(str(error)) from error
    if not is_right:
        raise BadRecord("the signature of the record is wrong")
    return NodeRecord(seq, entries, signature, public_key, node_id)


def _validate_addresses(known: Mapping[bytes, bytes]) -> None:
    """Raise `BadRecord` where an address or a port has a wrong size."""
    for key, size in SIZES_OF_ADDRESSES.items():
        if key in known and len(_string(known[key])) != size:
            raise BadRecord(f"{key.decode()} of a record has {size} bytes")
    for key in PORTS:
        if key in known and len(_string(known[key])) > PORT_BYTES:
            raise BadRecord(f"{key.decode()} of a record has at most {PORT_BYTES} bytes")


def _validate_size(data: bytes) -> None:
    if len(data) > MAX_RECORD_BYTES:
        raise BadRecord(f"a record of {len(data)} bytes; at most {MAX_RECORD_BYTES}")


def _string(value: bytes) -> bytes:
    """Return what the RLP of a byte string holds; raises `BadRecord` for a list."""
    if value[0] >= 0xC0:
        raise BadRecord("a list where a record has bytes")
    decoded = decode_rlp(value)
    return decoded if isinstance(decoded, bytes) else b""


def _content(seq: int, entries: tuple[tuple[bytes, bytes], ...]) -> bytes:
    return encode_integer(seq) + b"".join(encode_bytes(key) + value for key, value in entries)


def _signed_hash(seq: int, entries: tuple[tuple[bytes, bytes], ...]) -> bytes:
    return keccak256(encode_list(_content(seq, entries)))
