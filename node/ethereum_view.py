"""What JSON-RPC sees of a plain Ethereum chain: its database, and what was sent here."""

import asyncio
from collections.abc import Sequence
from importlib.metadata import version

from consensus.ethereum.historic_forks import HistoricFork
from cvm.evm.faults import TransactionTypeNotSupported
from cvm.evm.header import BlockHeader
from cvm.evm.receipt import Receipt
from cvm.evm.transaction import Transaction
from cvm.evm.transaction_rules import ChainRules
from node.blob_sidecar import decode_sent
from node.ethereum_pool import EthereumPool
from node.execution.ethereum_chain import EthereumExecutionChain
from node.execution.jobs import Executor, Job, ResultT
from node.live_chain import LiveState
from node.pool.content import PoolContent, PoolStatus
from node.readiness import NodeReadiness, Phase
from node.rpc.chain_view import BlockView, SyncProgress, TransactionLocation
from node.storage.chain_database import ChainDatabase


class EthereumView:
    """See `chain_view.EthView`; the chain grows only while another program imports into it."""

    def __init__(
        self, database: ChainDatabase, chain: EthereumExecutionChain, executor: Executor
    ) -> None:
        self._database = database
        self._chain = chain
        self._executor = executor
        self._pool = EthereumPool()

    def close(self) -> None:
        """Stop what runs messages for callers."""
        self._executor.close()

    @property
    def chain_id(self) -> int:
        """Return the EIP-155 chain id."""
        return self._chain.chain_id

    @property
    def client_version(self) -> str:
        """Return the web3_clientVersion string."""
        return f"cvm/v{version('cvm-chain')}/ethereum"

    def sync_progress(self) -> SyncProgress | None:
        """Return None: nothing is fetched here."""
        return None

    def peer_count(self) -> int:
        """Return 0: this node talks to no others."""
        return 0

    def node_status(self) -> NodeReadiness:
        """Return that it serves what it has: nothing is followed here."""
        height = self.head().block_number
        return NodeReadiness(Phase.READY, height, height, ())

    def head(self) -> BlockHeader:
        """Return the newest header."""
        return self._chain.head()

    def header_by_number(self, number: int) -> BlockHeader | None:
        """Return the header at a height, or None above the head."""
        return self._chain.header_at(number)

    def block_by_hash(self, block_hash: bytes) -> BlockView | None:
        """Return a whole block."""
        block = self._chain.block(block_hash)
        if block is None:
            return None
        ommers = tuple(ommer.hash for ommer in block.ommers)
        size_bytes = len(block.encode())
        return BlockView(
            block.header, block.transactions, block.withdrawals or (), size_bytes, ommers
        )

    def receipts(self, block_hash: bytes) -> Sequence[Receipt]:
        """Return the receipts of a block, in order."""
        return self._database.receipts(block_hash)

    def transaction_location(self, tx_hash: bytes) -> TransactionLocation | None:
        """Return where an included transaction stands."""
        location = self._database.transaction_location(tx_hash)
        return None if location is None else TransactionLocation(*location)

    def pending_transaction(self, tx_hash: bytes) -> Transaction | None:
        """Return a transaction that was sent here."""
        return self._pool.get(tx_hash)

    def pending_nonce(self, address: bytes) -> int:
        """Return the next nonce after everything that was sent here."""
        return self._pool.next_nonce(address, self.state_at(self.head()).nonce(address))

    def pool_status(self) -> PoolStatus:
        """Return how many transactions were sent here."""
        return PoolStatus(len(self._pool), 0)

    def pool_content(self) -> PoolContent:
        """Return everything that was sent here."""
        return PoolContent(self._pool.by_sender(), {})

    def pool_content_from(self, sender: bytes) -> PoolContent:
        """Return everything of one sender that was sent here."""
        return PoolContent({sender: self._pool.by_sender().get(sender, ())}, {})

    def state_at(self, header: BlockHeader) -> LiveState:
        """Return the state after a block."""
        return LiveState(self._chain, header)

    async def submit(self, raw_transaction: bytes) -> bytes:
        """Keep a signed transaction and return its hash; raises an `InvalidTransaction`."""
        head = self.head()
        fork = self._chain.fork_at(
            head.block_number + 1, head.timestamp, by_work=head.difficulty > 0
        )
        tx = await asyncio.to_thread(decode_sent, raw_transaction)
        if isinstance(fork, HistoricFork):
            raise TransactionTypeNotSupported(tx.type_id)
        with self._chain.state_at(head) as state:
            self._pool.add(tx, state, ChainRules(self.chain_id, fork, carries_blobs=True))
        return tx.hash

    async def execute(self, job: Job[ResultT]) -> ResultT:
        """Run a job of execution away from the event loop; see `jobs.Executor`."""
        return await self._executor.execute(job)
