"""What a node of a plain Ethereum chain tells of itself over JSON-RPC."""

from collections.abc import Callable, Sequence
from typing import Self

from consensus.ethereum.ethereum_forks import EthereumForks
from cvm.evm.forks import Fork
from cvm.evm.header import BlockHeader
from node.fork_settings import BEACON_ROOTS, SYSTEM_CONTRACTS, fork_settings
from node.p2p.eth_database_view import view_of_chain
from node.p2p.eth_fork_id import ForkSchedule
from node.rpc.node_facts import BackendFact, BadBlock, ForkPlan, ForkSettings, Retention
from node.storage.chain_database import ChainDatabase


class EthereumFacts:
    """See `node_facts.NodeFacts`; blocks come from a file, so none is refused while it runs."""

    def __init__(
        self,
        forks: EthereumForks,
        schedule: ForkSchedule,
        genesis_time: int,
        head: Callable[[], BlockHeader],
    ) -> None:
        self._forks = forks
        self._schedule = schedule
        self._genesis_time = genesis_time
        self._head = head

    @classmethod
    def of_database(cls, database: ChainDatabase, forks: EthereumForks) -> Self:
        """Return the facts of a chain on disk; raises `NoChainHere`."""
        view = view_of_chain(database)
        genesis = database.header(view.identity.genesis_hash)
        begun = 0 if genesis is None else genesis.timestamp
        return cls(forks, view.identity.forks, begun, lambda: view.head)

    def fork_plan(self) -> ForkPlan | None:
        """Return the chain's configurations, None where the head is of a fork before Cancun."""
        points = [
            (point.first, point.fork)
            for point in self._forks.by_time
            if isinstance(point.fork, Fork) and point.fork.is_cancun
        ]
        now = self._head().timestamp
        past = [each for each in points if each[0] <= now]
        coming = [each for each in points if each[0] > now]
        if not past:
            return None
        return ForkPlan(
            self._settings(*past[-1]),
            self._settings(*coming[0]) if coming else None,
            self._settings(*coming[-1]) if coming else None,
        )

    def retention(self) -> Retention:
        """Return that everything since genesis is here."""
        return Retention()

    def coinbase(self) -> bytes | None:
        """Return None: this node proposes no blocks."""
        return None

    def bad_blocks(self) -> Sequence[BadBlock]:
        """Return nothing: no blocks come from the network."""
        return ()

    def backends(self) -> Sequence[BackendFact]:
        """Return nothing: no model runs on such a chain."""
        return ()

    def _settings(self, first: int, fork: Fork) -> ForkSettings:
        height = self._head().block_number
        contracts = BEACON_ROOTS
        if fork.is_prague:
            deposit = self._forks.deposit_contract
            contracts = SYSTEM_CONTRACTS | {"DEPOSIT_CONTRACT_ADDRESS": deposit}
        return fork_settings(
            fork,
            self._forks.chain_id,
            0 if first <= self._genesis_time else first,
            self._schedule.at(height, first).hash,
            contracts,
        )
