"""A chain of our own for execution: its rules bound to an inference host, its states on disk."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

from consensus.block import Block
from consensus.block_execution import BlockRunner, Parent
from consensus.ethereum.ethereum_execution import context_of
from consensus.fork_schedule import Machines
from consensus.header_rules import next_base_fee
from consensus.parameters import ChainParameters
from cvm.evm.execution import BlockExecution, ExecutionRules
from cvm.evm.header import BlockHeader
from cvm.evm.message_call import CallSetting
from cvm.evm.state_reader import StateReader
from node.chain_states import ChainStates
from node.execution.block_settings import call_context, head_of, start_replay
from node.execution.execution_chain import MessageRunner, Replay, Successor, UnknownBlock
from node.execution.kept_machines import KeptMachines
from node.inference_host import NodeInferenceHost
from node.storage.chain_database import ChainDatabase
from opcodes.inference_host import InferenceCall


class OwnExecutionChain:
    """See `execution_chain.ExecutionChain`; one thread at a time may execute."""

    def __init__(
        self,
        database: ChainDatabase,
        parameters: ChainParameters,
        host: NodeInferenceHost,
        execution: type[BlockExecution] = BlockExecution,
    ) -> None:
        self._database = database
        self._make_execution = execution
        self._parameters = parameters
        self._states = ChainStates(database)
        self._kept = KeptMachines(self, database.changes)
        self._machines = Machines(host, keeps_calls=False)
        self._runner = BlockRunner(parameters, Machines(host), self._states, execution)
        self.host = host

    @property
    def chain_id(self) -> int:
        """Return the EIP-155 chain id."""
        return self._parameters.chain_id

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

    def block(self, block_hash: bytes) -> Block | None:
        """Return a block that is here."""
        return self._database.block(block_hash)

    def state_at(self, header: BlockHeader) -> AbstractContextManager[StateReader]:
        """Open the state after a block."""
        return self._states.reader_after(header)

    def node(self, node_hash: bytes) -> bytes | None:
        """Return a node of a state trie by its hash."""
        return self._database.state(node_hash)

    def code(self, code_hash: bytes) -> bytes | None:
        """Return code by its keccak256."""
        return self._database.code(code_hash)

    def rules_at(
        self,
        number: int,
        timestamp: int = 0,  # noqa: ARG002 - forks go by height here
    ) -> ExecutionRules:
        """Return the rules of a height."""
        return self._machines.rules(number)

    def successor(
        self,
        parent: BlockHeader,
        number: int,
        timestamp: int,  # noqa: ARG002 - forks go by height here
    ) -> Successor:
        """Return what holds for a block after `parent`; there are no blobs."""
        self._machines.log.take()
        return Successor(self.rules_at(number), next_base_fee(parent), 0)

    @contextmanager
    def setting(
        self, header: BlockHeader, *, free_gas: bool, blocks_later: int = 0
    ) -> Iterator[CallSetting]:
        """Open where a message runs after a block; see `ExecutionChain.setting`."""
        seconds_later = blocks_later * self._parameters.period_s
        context = call_context(header, self.chain_id, free_gas, blocks_later, seconds_later)
        self._machines.log.take()
        with self.state_at(header) as state:
            yield CallSetting(self.rules_at(context.number), state, context, self.block_hash)

    def messages(
        self, block_hash: bytes, *, free_gas: bool
    ) -> AbstractContextManager[MessageRunner]:
        """Open what runs messages in a block; see `ExecutionChain.messages`."""
        self._machines.log.take()
        return self._kept.open(block_hash, free_gas=free_gas)

    @contextmanager
    def replay(self, block_hash: bytes) -> Iterator[Replay]:
        """Open a block to be run again; raises `UnknownBlock`."""
        block = self.block(block_hash)
        parent = None if block is None else self.header(block.header.parent_hash)
        if block is None or parent is None:
            raise UnknownBlock(block_hash)
        rules, context = self.rules_at(block.number), context_of(block.header, self.chain_id)
        self._machines.log.take()
        with self.state_at(parent) as state:
            yield start_replay(block, rules, state, context, self.block_hash, self._make_execution)

    def transaction_inferences(self, block_hash: bytes, index: int) -> tuple[InferenceCall, ...]:
        """Run a block again up to a transaction and return what that one inferred.

        Raises `UnknownBlock`, or a `LocalFault` where a state or a model is not here.
        """
        block, parent = self._with_parent(block_hash)
        return () if parent is None else self._runner.trace(block, parent, index)

    def block_inferences(self, block_hash: bytes) -> tuple[tuple[InferenceCall, ...], ...]:
        """Run a block again and return what each transaction inferred; see above."""
        block, parent = self._with_parent(block_hash)
        return () if parent is None else tuple(self._runner.trace_all(block, parent))

    def _with_parent(self, block_hash: bytes) -> tuple[Block, Parent | None]:
        """Return a block and what it was built on, which genesis was not."""
        block = self.block(block_hash)
        if block is None:
            raise UnknownBlock(block_hash)
        if block.number == 0:
            return block, None
        before = self.header(block.header.parent_hash)
        if before is None:
            raise UnknownBlock(block.header.parent_hash)
        certificate_hash = block.header.parent_beacon_block_root or bytes(32)
        return block, Parent(before, certificate_hash, self.block_hash)

    def block_hash(self, number: int) -> bytes:
        """Return the hash at a height, zeros above the head."""
        return self._database.hash_at(number) or bytes(32)
