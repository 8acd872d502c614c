"""What a node record says of its chain, and whether it is ours: entries `eth` and `cvm`."""

from dataclasses import dataclass

from coincurve import PublicKey

from cvm.evm.rlp_encoding import encode_bytes, encode_integer, encode_list
from node.p2p.discv5.endpoint import Endpoint
from node.p2p.discv5.enr import NodeRecord
from node.p2p.discv5.identity import node_id_of
from node.p2p.ecies import point_of
from node.p2p.enode import Enode
from node.p2p.faults import BadEnode

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

    enode: Enode
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
    node_id = PublicKey(record.public_key).format(compressed=False)[1:]
    other_port = None if udp.port == tcp.port else udp.port
    return Candidate(Enode(node_id, tcp.ip, tcp.port, other_port), record)


def target_of_enode(enode: Enode) -> Target:
    """Return where to ask a node over UDP; raises `BadEnode` for a name, or no port."""
    port = enode.port if enode.discovery_port is None else enode.discovery_port
    endpoint = Endpoint(enode.host, port)
    try:
        endpoint.packed_ip()
    except ValueError as error:
        raise BadEnode(f"{enode} has a name where discovery needs an address") from error
    if not port:
        raise BadEnode(f"{enode} has no UDP port")
    public_key: bytes = point_of(enode.node_id).format(compressed=True)
    return Target(node_id_of(public_key), public_key, endpoint)
