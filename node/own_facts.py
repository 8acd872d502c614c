"""What a node of our own chain tells of itself over JSON-RPC."""

from collections.abc import Sequence

from cvm.evm.forks import OSAKA
from cvm.inference.backends.table import BACKEND_NAMES
from node.block_writer import BlockWriter
from node.chain import Chain
from node.fork_settings import SYSTEM_CONTRACTS, fork_settings
from node.p2p.eth_database_view import view_of_chain
from node.rpc.chain_view import BlockView
from node.rpc.node_facts import BackendFact, BadBlock, ForkPlan, Retention


class OwnFacts:
    """See `node_facts.NodeFacts`."""

    def __init__(self, chain: Chain, writer: BlockWriter, coinbase: bytes | None) -> None:
        self._chain = chain
        self._writer = writer
        self._coinbase = coinbase

    def fork_plan(self) -> ForkPlan:
        """Return the rules of the chain: one configuration since genesis, and none planned."""
        chain = self._chain
        forks = view_of_chain(chain.database).identity.forks
        deployed = {address for address, _account in chain.genesis.alloc}
        fork_id = forks.at(chain.head.block_number, chain.head.timestamp).hash
        contracts = {
            name: address for name, address in SYSTEM_CONTRACTS.items() if address in deployed
        }
        return ForkPlan(fork_settings(OSAKA, chain.parameters.chain_id, 0, fork_id, contracts))

    def retention(self) -> Retention:
        """Return how far back this node answers: from genesis, a snapshot, or a window."""
        database = self._chain.database
        start = database.start_height()
        window = database.kept_blocks()
        oldest = start + 1 if start else 0
        if window is None:
            return Retention(oldest, start)
        newest_dropped = self._chain.head.block_number - window
        return Retention(oldest, max(start, newest_dropped + 1), window)

    def coinbase(self) -> bytes | None:
        """Return the validator's address."""
        return self._coinbase

    def bad_blocks(self) -> Sequence[BadBlock]:
        """Return the last blocks that were refused, oldest first."""
        found = []
        for block in tuple(self._writer.bad_blocks):
            rlp = block.encode()
            view = BlockView(block.header, block.transactions, block.withdrawals, len(rlp))
            found.append(BadBlock(view, rlp))
        return found

    def backends(self) -> Sequence[BackendFact]:
        """Return the backends of this program; the definition takes over from a wrong one."""
        host = self._chain.host
        return [
            BackendFact(name, name == host.backend_name, name == host.quarantined)
            for name in BACKEND_NAMES
        ]
