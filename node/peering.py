"""What brings this node together with others: sessions, the book of peers, and the search."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

from coincurve import PrivateKey

from node.config import NodeConfig
from node.keys import load_node_key
from node.p2p.discv5.chain_entries import Candidate, ChainIdentity, Target, target_of
from node.p2p.discv5.config import DiscoveryConfig, parse_bootnode
from node.p2p.discv5.discovery import Discovery
from node.p2p.eth_chain import EthChainView
from node.p2p.p2p_config import P2pConfig
from node.p2p.peer_book import PeerBook
from node.p2p.protocol import Handler
from node.p2p.server import P2pServer

BOOK_FILE = "peers.json"
MAX_REMEMBERED = 32
"""Nodes of the book that discovery asks first after a restart, beside the bootnodes."""


@dataclass(frozen=True, slots=True)
class Peering:
    """Sessions with other nodes, and the search for more where that is wanted."""

    server: P2pServer
    discovery: Discovery | None

    async def run(self) -> None:
        """Talk and search until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.server.run())
            if self.discovery is not None:
                tasks.create_task(self.discovery.run())


def open_peering(
    config: NodeConfig, p2p: P2pConfig, handlers: Sequence[Handler], chain: EthChainView
) -> Peering:
    """Return how a node meets others of its chain; raises `BadEnode` for a wrong bootnode."""
    key = load_node_key(config.node_key_file)
    book = PeerBook(config.datadir / BOOK_FILE)
    server = P2pServer(PrivateKey(key), handlers, book, p2p)
    if not config.discovers:
        return Peering(server, None)

    def found(candidate: Candidate) -> None:
        server.add_candidate(str(candidate.enode))
        book.note_record(candidate.enode.node_id, candidate.record.text())

    known = map(target_of, islice(book.node_records(), MAX_REMEMBERED))
    first = [*map(parse_bootnode, config.bootnodes), *filter(None, known)]
    return Peering(server, Discovery(key, discovery_config(p2p, chain, first), found))


def discovery_config(
    p2p: P2pConfig, chain: EthChainView, first: Sequence[Target]
) -> DiscoveryConfig:
    """Return how nodes of a chain are searched for; those that are known are asked `first`."""
    identity = chain.identity
    fork = identity.fork_id(chain.head)
    return DiscoveryConfig(
        chain=ChainIdentity(identity.genesis_hash, fork.hash, fork.next),
        bind_host=p2p.host,
        udp_port=p2p.port,
        tcp_port=p2p.port,
        advertise_ip=p2p.advertised_host,
        bootnodes=tuple(first),
    )
