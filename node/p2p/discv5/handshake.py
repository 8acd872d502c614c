"""The two sides of a discv5.1 handshake: the challenged one proves its identity; both get keys.

Rules: devp2p, discv5/discv5-theory.md, "Handshake".
"""

from collections.abc import Callable
from dataclasses import dataclass

from cvm.evm.signatures import CURVE_ORDER
from node.p2p.discv5.enr import NodeRecord
from node.p2p.discv5.identity import public_key_of
from node.p2p.discv5.packet import NONCE_BYTES, Handshake
from node.p2p.discv5.session_keys import derive_keys, is_proof, sign_proof
from node.p2p.faults import BadMessage

COUNTER_BYTES = 4


@dataclass(frozen=True, slots=True)
class Challenge:
    """A WHOAREYOU that we sent: its plain bytes, and the record that we had of the node."""

    data: bytes
    record: NodeRecord | None


class Session:
    """The keys that a contact and this node share, and how many messages we sealed."""

    __slots__ = ("_count", "read_key", "write_key")

    def __init__(self, write_key: bytes, read_key: bytes) -> None:
        self.write_key = write_key
        self.read_key = read_key
        self._count = 0

    def next_nonce(self, draw: Callable[[int], bytes]) -> bytes:
        """Return a nonce that this session never used: a counter and random bytes."""
        self._count += 1
        return self._count.to_bytes(COUNTER_BYTES, "big") + draw(NONCE_BYTES - COUNTER_BYTES)


def draw_key(draw: Callable[[int], bytes]) -> bytes:
    """Return an ephemeral private key."""
    while True:
        key = draw(32)
        if 0 < int.from_bytes(key, "big") < CURVE_ORDER:
            return key


def initiate(
    key: bytes,
    own_id: bytes,
    recipient_id: bytes,
    recipient_key: bytes,
    challenge: bytes,
    record: bytes,
    draw: Callable[[int], bytes],
) -> tuple[Session, Handshake]:
    """Return a session and the header that lets the challenger have it too.

    `record` is our own, encoded, or empty where the challenger has it. Raises `BadMessage` where
    `recipient_key` is no point.
    """
    ephemeral = draw_key(draw)
    public = public_key_of(ephemeral)
    keys = derive_keys(recipient_key, ephemeral, own_id, recipient_id, challenge)
    signature = sign_proof(key, challenge, public, recipient_id)
    session = Session(write_key=keys.initiator, read_key=keys.recipient)
    return session, Handshake(own_id, signature, public, record)


def accept(
    key: bytes, own_id: bytes, header: Handshake, record: NodeRecord | None, challenge: bytes
) -> Session:
    """Return the session that answers our challenge; raises `BadMessage` where it proves nothing.

    `record` is the newest of the node, from its header or from before.
    """
    if record is None:
        raise BadMessage("a handshake without a record, from a node that has none here")
    if record.node_id != header.source:
        raise BadMessage("the record in a handshake is another node's")
    if not is_proof(
        header.id_signature, record.public_key, challenge, header.ephemeral_key, own_id
    ):
        raise BadMessage("the id signature does not answer our challenge")
    keys = derive_keys(header.ephemeral_key, key, header.source, own_id, challenge)
    return Session(write_key=keys.recipient, read_key=keys.initiator)
