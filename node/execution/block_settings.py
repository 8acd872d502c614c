"""What both kinds of chains share where messages and replays begin."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from consensus.ethereum.ethereum_execution import context_of
from cvm.evm.execution import BlockContext, BlockExecution, ExecutionRules, TransactionResult
from cvm.evm.header import BlockHeader
from cvm.evm.live_account import LiveAccount
from cvm.evm.message_rules import Interpreter, Rules
from cvm.evm.messages import Message, Outcome, TransactionEnvironment
from cvm.evm.native_interpreter import NativeInterpreter
from cvm.evm.plain_interpreter import PlainInterpreter
from cvm.evm.state_reader import StateReader
from cvm.evm.tracer import Tracer
from cvm.evm.transaction import Transaction
from cvm.evm.world_state import WorldState
from node.execution.changed_state import ChangedState
from node.execution.execution_chain import ExecutableBlock
from node.storage.chain_database import ChainDatabase, NoChainHere


def head_of(database: ChainDatabase) -> BlockHeader:
    """Return the newest header of a database; raises `NoChainHere`."""
    header = database.header(database.head_hash() or b"")
    if header is None:
        raise NoChainHere(database.path.parent)
    return header


def call_context(
    header: BlockHeader, chain_id: int, free_gas: bool, blocks_later: int, seconds_later: int
) -> BlockContext:
    """Return the block that a message sees: a header's, or one of its shape some blocks later."""
    context = context_of(header, chain_id)
    return replace(
        context,
        number=context.number + blocks_later,
        timestamp=context.timestamp + seconds_later,
        base_fee=0 if free_gas else context.base_fee,
    )


class WatchedInterpreter:
    """Runs on the compiled loop, and in plain Python while somebody watches."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._native = NativeInterpreter(rules)
        self.tracer: Tracer | None = None

    def execute(self, message: Message, transaction: TransactionEnvironment) -> Outcome:
        """Run a message; see `message_rules.Interpreter`."""
        if self.tracer is None:
            return self._native.execute(message, transaction)
        return PlainInterpreter(self._rules, self.tracer).execute(message, transaction)


class WorldView:
    """A `LiveWorld` over the world of a running block."""

    def __init__(self, world: WorldState) -> None:
        self._world = world

    def account(self, address: bytes) -> LiveAccount:
        """Return an account; one that is not there has no nonce, balance or code."""
        return self._world.account(address)

    def code_at(self, address: bytes) -> bytes:
        """Return the code of an account."""
        return self._world.code_of(self._world.account(address))

    def storage_at(self, address: bytes, slot: int) -> int:
        """Return a word of storage."""
        return self._world.storage(self._world.account(address), slot)


class BlockReplay:
    """A block of Paris or later that runs again; see `execution_chain.Replay`."""

    def __init__(
        self,
        transactions: Sequence[Transaction],
        before: StateReader,
        execution: BlockExecution,
        interpreter: WatchedInterpreter,
    ) -> None:
        self.transactions = transactions
        self._before = before
        self._execution = execution
        self._interpreter = interpreter
        self.world = WorldView(execution.world)

    @property
    def context(self) -> BlockContext:
        """Return what the block brings to its transactions."""
        return self._execution.context

    def state(self) -> StateReader:
        """Return the state between transactions."""
        return ChangedState(self._before, self._execution.world.changes())

    def apply(self, tx: Transaction, tracer: Tracer | None = None) -> TransactionResult:
        """Run the next transaction, watched by a tracer if there is one."""
        self._interpreter.tracer = tracer
        try:
            return self._execution.apply(tx)
        finally:
            self._interpreter.tracer = None


def start_replay(
    block: ExecutableBlock,
    rules: ExecutionRules,
    state: StateReader,
    context: BlockContext,
    block_hash: Callable[[int], bytes],
    make_execution: type[BlockExecution] = BlockExecution,
) -> BlockReplay:
    """Make the calls with which a block begins, and wait for its transactions."""
    made: list[WatchedInterpreter] = []

    def make(of: Rules) -> Interpreter:
        made.append(WatchedInterpreter(of))
        return made[-1]

    execution = make_execution(replace(rules, interpreter=make), state, context, block_hash)
    return BlockReplay(block.transactions, state, execution, made[-1])
