"""The admin_ methods' view of a node: its sessions with others, and its folder."""

from collections.abc import Sequence
from pathlib import Path

from node.chain import Chain
from node.p2p.disconnect_reason import DisconnectReason
from node.p2p.enode import parse_enode
from node.p2p.server import P2pServer
from node.p2p.session import Session
from node.rpc.node_facts import NoNetwork, PeerFact, SelfFact


class NetworkAdmin:
    """See `node_facts.AdminView`; `server` is None where the node talks to nobody."""

    def __init__(self, chain: Chain, server: P2pServer | None, client: str, datadir: Path) -> None:
        self._chain = chain
        self._server = server
        self._client = client
        self._datadir = datadir

    def self_fact(self) -> SelfFact:
        """Return what this node is to others."""
        domain, head = self._chain.domain, self._chain.head
        alone = SelfFact(self._client, domain.chain_id, domain.genesis_hash, head.hash)
        if self._server is None:
            return alone
        enode = parse_enode(self._server.enode)
        return SelfFact(
            self._client,
            domain.chain_id,
            domain.genesis_hash,
            head.hash,
            enode.node_id,
            self._server.enode,
            enode.host,
            enode.port,
        )

    def peers(self) -> Sequence[PeerFact]:
        """Return the nodes with which a session is open."""
        if self._server is None:
            return ()
        return [_fact(self._server, session) for session in self._server.peers()]

    def add_peer(self, enode: str) -> None:
        """Keep a session with a node from now on; raises `BadEnode`, `NoNetwork`."""
        if self._server is None:
            raise NoNetwork
        self._server.add_static(enode)

    def remove_peer(self, enode: str) -> None:
        """End a session and keep none any more; raises `BadEnode`, `NoNetwork`."""
        if self._server is None:
            raise NoNetwork
        node_id = parse_enode(enode).node_id
        self._server.remove_static(enode)
        for session in self._server.peers():
            if session.node_id == node_id:
                session.disconnect(DisconnectReason.REQUESTED)

    def datadir(self) -> Path:
        """Return the data directory."""
        return self._datadir


def _fact(server: P2pServer, session: Session) -> PeerFact:
    return PeerFact(
        session.node_id,
        session.client,
        tuple((each.name, each.version) for each in session.capabilities),
        session.host,
        session.port,
        session.inbound,
        server.is_static(session.node_id),
    )
