"""Puts the network of a node together: sessions, capabilities, discovery."""

import asyncio
from dataclasses import dataclass

from node.block_writer import BlockWriter
from node.chain import Chain
from node.config import NodeConfig
from node.consensus_driver import ConsensusDriver
from node.cvm_network import CvmNetwork
from node.evidence_pool import EvidencePool
from node.model_duties import ModelDuties
from node.p2p.eth_database_view import view_of_chain
from node.p2p.eth_fork_id import ForkId, ForkSchedule
from node.p2p.eth_gossip import TransactionGossip
from node.p2p.eth_handler import EthService
from node.p2p.p2p_config import P2pConfig
from node.p2p.server import P2pServer
from node.peering import open_peering
from node.pool_source import PoolSource
from node.storage.model_store import ModelStore
from node.transaction_pool import TransactionPool


@dataclass(frozen=True, slots=True)
class NetworkParts:
    """What other nodes are told of; `work` is set when a transaction or a model comes."""

    chain: Chain
    store: ModelStore
    pool: TransactionPool
    work: asyncio.Event


class ChainForks:
    """The `Forks` of cvm/1 on our own chain, whose forks go by height (EIP-2124)."""

    def __init__(self, schedule: ForkSchedule) -> None:
        self._schedule = schedule

    def fork_id_at(self, height: int) -> tuple[bytes, int]:
        """Return what a node with this head says of its forks."""
        found = self._schedule.at(height, 0)
        return found.hash, found.next

    def fits(self, theirs: tuple[bytes, int], height: int) -> bool:
        """Tell whether a peer may be on our chain, our head being at this height."""
        return self._schedule.fits(ForkId(*theirs), height, 0)


class NodeNetwork:
    """Everything that talks to other nodes; `attach` joins it to what it speaks for."""

    def __init__(
        self, config: NodeConfig, p2p: P2pConfig, writer: BlockWriter, parts: NetworkParts
    ) -> None:
        chain = parts.chain
        view = view_of_chain(chain.database)
        evidence = EvidencePool(chain, config.evidence_folder)
        self.cvm = CvmNetwork(chain, parts.store, writer, ChainForks(view.identity.forks), evidence)
        pool = PoolSource(chain, parts.pool, parts.work, self.cvm.is_syncing)
        eth = EthService(view, TransactionGossip(pool))
        writer.on_head(lambda _checked, _certificate: eth.head_changed())
        self._peering = open_peering(config, p2p, (self.cvm.protocol, *eth.handlers()), view)
        self._work = parts.work

    @property
    def server(self) -> P2pServer:
        """Return the sessions with other nodes."""
        return self._peering.server

    def attach(self, driver: ConsensusDriver, models: ModelDuties) -> None:
        """Join what hears of messages."""
        self.cvm.attach(driver, models, self._peering.server, self._work.set)

    def close(self) -> None:
        """Stop the threads that serve."""
        self.cvm.close()

    async def run(self) -> None:
        """Talk to other nodes until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._peering.run())
            tasks.create_task(self.cvm.run())
