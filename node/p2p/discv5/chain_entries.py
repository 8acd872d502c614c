"""What a node record says of its chain, and whether it is ours: entries `eth` and `cvm`."""

from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

from coincurve import PublicKey

from cvm.evm.rlp_encoding import encode_bytes, encode_integer, encode_list
from node.p2p.discv5.endpoint import Endpoint
from node.p2p.discv5.enr import NodeRecord
from node.p2p.discv5.identity import node_id_of, parse_public_key
from node.p2p.faults import BadMessage

GENESIS_PREFIX_BYTES = 8


@dataclass(frozen=True, slots=True)
class ChainIdentity:
    """The chain of this node: its genesis, and its fork id (EIP-2124)."""

    genesis_hash: bytes
    fork_hash: bytes
    fork_next: int

    def entries(self) -> dict[bytes, bytes]:
        """Return the RLP values that go into a record.

        `eth` is a list of one fork id (devp2p, enr-entries/eth.md); `cvm` the first 8 bytes of the
        genesis hash, since chains made of one template share fork ids' inputs.
        """
        fork = encode_bytes(self.fork_hash) + encode_integer(self.fork_next)
        return {
            b"eth": encode_list(encode_list(fork)),
            b"cvm": encode_bytes(self.genesis_hash[:GENESIS_PREFIX_BYTES]),
        }

    def is_shared(self, record: NodeRecord) -> bool:
        """Tell whether a record is of our chain, as far as a record can say.

        A client that only knows `eth` must have our very fork id. One with our genesis may be at
        another fork: the handshake of a session decides.
        """
        ours = self.entries()
        theirs = record.entry(b"cvm")
        if theirs is not None:
            return theirs == ours[b"cvm"]
        return record.entry(b"eth") == ours[b"eth"]


@dataclass(frozen=True, slots=True)
class Target:
    """A node that can be asked something: its id, its key and its address."""

    node_id: bytes
    public_key: bytes
    endpoint: Endpoint


@dataclass(frozen=True, slots=True)
class Candidate:
    """A node of our chain that answered: what a dialler wants."""

    enode: str
    record: NodeRecord


def target_of(record: NodeRecord) -> Target | None:
    """Return where to ask the node of a record, or None where the record does not say."""
    udp = record.udp()
    return None if udp is None else Target(record.node_id, record.public_key, udp)


def candidate_of(record: NodeRecord) -> Candidate | None:
    """Return what a dialler needs, or None for a node without a TCP port.

    Only at the address that discovery reaches: a record must not send diallers elsewhere.
    """
    tcp, udp = record.tcp(), record.udp()
    if tcp is None or udp is None or tcp.ip != udp.ip:
        return None
    point = PublicKey(record.public_key).format(compressed=False)[1:].hex()
    host = f"[{tcp.ip}]" if ":" in tcp.ip else tcp.ip
    other = "" if udp.port == tcp.port else f"?discport={udp.port}"
    return Candidate(f"enode://{point}@{host}:{tcp.port}{other}", record)


def parse_enode(text: str) -> Target:
    """Read an enode URL as a node to ask; its UDP port is `discport`, or else its TCP port.

    Raises `BadMessage`.
    """
    try:
        url = urlsplit(text)
        key, host, port = bytes.fromhex(url.username or ""), url.hostname, url.port
        port = int(parse_qs(url.query).get("discport", [str(port)])[0])
        endpoint = Endpoint(host or "", port)
        endpoint.packed_ip()
    except ValueError as error:
        raise BadMessage(f"{text} is no enode URL: {error}") from error
    if url.scheme != "enode" or len(key) != 64 or not 0 < port < 2**16:
        raise BadMessage(f"{text} is no enode URL")
    compressed: bytes = parse_public_key(b"\x04" + key).format(compressed=True)
    return Target(node_id_of(compressed), compressed, endpoint)
