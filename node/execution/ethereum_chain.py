"""A plain Ethereum chain for execution: its forks, its states on disk."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

from consensus.ethereum.blob_gas_rules import next_excess_blob_gas
from consensus.ethereum.ethereum_block import EthereumBlock, decode_ethereum_block
from consensus.ethereum.ethereum_execution import context_of
from consensus.ethereum.ethereum_forks import EthereumForks
from consensus.ethereum.historic_execution import HistoricRules
from consensus.ethereum.historic_forks import HistoricFork
from consensus.header_rules import next_base_fee
from cvm.evm.execution import ExecutionRules
from cvm.evm.forks import Fork
from cvm.evm.header import BlockHeader
from cvm.evm.message_call import CallSetting
from cvm.evm.message_rules import Additions
from cvm.evm.state_reader import StateReader
from node.chain_states import ChainStates
from node.execution.block_settings import call_context, head_of, start_replay
from node.execution.execution_chain import (
    CannotCallHere,
    MessageRunner,
    Replay,
    Successor,
    UnknownBlock,
)
from node.execution.historic_replay import start_historic_replay
from node.execution.kept_machines import KeptMachines
from node.storage.chain_database import ChainDatabase

SECONDS_PER_SLOT = 12
NO_ADDITIONS = Additions()


class EthereumExecutionChain:
    """See `execution_chain.ExecutionChain`; one thread at a time may execute."""

    def __init__(self, database: ChainDatabase, forks: EthereumForks) -> None:
        self._database = database
        self._forks = forks
        self._states = ChainStates(database)
        self._kept = KeptMachines(self)

    @property
    def chain_id(self) -> int:
        """Return the EIP-155 chain id."""
        return self._forks.chain_id

    def head(self) -> BlockHeader:
        """Return the newest header."""
        return head_of(self._database)

    def header_at(self, number: int) -> BlockHeader | None:
        """Return the header at a height, None above the head."""
        block_hash = self._database.hash_at(number)
        return None if block_hash is None else self._database.header(block_hash)

    def header(self, block_hash: bytes) -> BlockHeader | None:
        """Return the header of a block that is here."""
        return self._database.header(block_hash)

    def block(self, block_hash: bytes) -> EthereumBlock | None:
        """Return a block that is here."""
        data = self._database.block_bytes(block_hash)
        return None if data is None else decode_ethereum_block(data)

    def state_at(self, header: BlockHeader) -> AbstractContextManager[StateReader]:
        """Open the state after a block."""
        return self._states.reader_after(header)

    def node(self, node_hash: bytes) -> bytes | None:
        """Return a node of a state trie by its hash."""
        return self._database.state(node_hash)

    def code(self, code_hash: bytes) -> bytes | None:
        """Return code by its keccak256."""
        return self._database.code(code_hash)

    def fork_at(self, number: int, timestamp: int, *, by_work: bool) -> Fork | HistoricFork:
        """Return the fork of a block; one with a difficulty is `by_work`.

        Raises `UnsupportedFork`.
        """
        return self._forks.at(number, timestamp, has_merged=number > 0 and not by_work)

    def rules_at(self, number: int, timestamp: int) -> ExecutionRules:
        """Return the rules of a height and time; raises `CannotCallHere`."""
        fork = self.fork_at(number, timestamp, by_work=False)
        if isinstance(fork, HistoricFork):
            raise CannotCallHere(number, fork.name)
        return self.rules_of(fork)

    def rules_of(self, fork: Fork) -> ExecutionRules:
        """Return the rules of a fork."""
        return ExecutionRules(
            fork,
            NO_ADDITIONS,
            carries_blobs=fork.is_cancun,
            deposit_contract=self._forks.deposit_contract,
        )

    def successor(self, parent: BlockHeader, number: int, timestamp: int) -> Successor:
        """Return what holds for a block after `parent`; raises `UnsupportedFork`."""
        fork = self.fork_at(number, timestamp, by_work=parent.difficulty > 0)
        if isinstance(fork, HistoricFork):
            return Successor(fork, next_base_fee(parent) if fork.is_london else None, None)
        excess = next_excess_blob_gas(parent, fork) if fork.is_cancun else None
        return Successor(self.rules_of(fork), next_base_fee(parent), excess)

    @contextmanager
    def setting(
        self, header: BlockHeader, *, free_gas: bool, blocks_later: int = 0
    ) -> Iterator[CallSetting]:
        """Open where a message runs after a block; see `ExecutionChain.setting`."""
        seconds_later = blocks_later * SECONDS_PER_SLOT
        context = call_context(header, self.chain_id, free_gas, blocks_later, seconds_later)
        fork = self.fork_at(context.number, context.timestamp, by_work=header.difficulty > 0)
        if isinstance(fork, HistoricFork):
            raise CannotCallHere(context.number, fork.name)
        with self.state_at(header) as state:
            yield CallSetting(self.rules_of(fork), state, context, self.block_hash)

    def messages(
        self, block_hash: bytes, *, free_gas: bool
    ) -> AbstractContextManager[MessageRunner]:
        """Open what runs messages in a block; see `ExecutionChain.messages`."""
        return self._kept.open(block_hash, free_gas=free_gas)

    @contextmanager
    def replay(self, block_hash: bytes) -> Iterator[Replay]:
        """Open a block to be run again; raises `UnknownBlock`."""
        block = self.block(block_hash)
        parent = None if block is None else self.header(block.header.parent_hash)
        if block is None or parent is None:
            raise UnknownBlock(block_hash)
        header = block.header
        fork = self.fork_at(block.number, header.timestamp, by_work=header.difficulty > 0)
        with self.state_at(parent) as state:
            if isinstance(fork, HistoricFork):
                takes_dao = block.number == self._forks.dao_block
                rules = HistoricRules(fork, self.chain_id, takes_dao=takes_dao)
                with start_historic_replay(block, rules, state, self.block_hash) as replay:
                    yield replay
            else:
                context = context_of(header, self.chain_id)
                yield start_replay(block, self.rules_of(fork), state, context, self.block_hash)

    def block_hash(self, number: int) -> bytes:
        """Return the hash at a height, zeros above the head."""
        return self._database.hash_at(number) or bytes(32)
