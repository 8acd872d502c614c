"""eth_simulateV1: blocks of calls on the state after a block, each on the one before it.

Follows geth 1.16, internal/ethapi/simulate.go, and execution-apis' description of the method.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from consensus.ethereum.ethereum_block import EthereumBlock
from consensus.ethereum.historic_forks import HistoricFork
from cvm.evm.header import BlockHeader
from cvm.evm.state_committer import StateCommitter
from cvm.evm.state_reader import StateChanges
from cvm.evm.trie_state import TrieState
from node.execution.call_outcome import CallOutcome
from node.execution.call_request import CALL_GAS_CAP, CallMessage
from node.execution.execution_chain import CannotCallHere, ExecutionChain
from node.execution.messages import header_of
from node.execution.overrides import NO_BLOCK_OVERRIDES, BlockOverrides, StateOverrides
from node.execution.simulated_block import BlockSimulation, Calls, mined_block, planned_header
from node.execution.simulation_faults import (
    BlockNumbersOutOfOrder,
    TimestampsOutOfOrder,
    TooManyBlocks,
)
from node.execution.trace_budget import TraceBudget

MAX_BLOCKS = 256
SECONDS_BETWEEN = 12


@dataclass(frozen=True, slots=True)
class BlockOfCalls:
    """What one block of a simulation sets first, and runs then."""

    block: BlockOverrides = NO_BLOCK_OVERRIDES
    state: StateOverrides = ()
    calls: tuple[CallMessage, ...] = ()


@dataclass(frozen=True, slots=True)
class SimulatedBlock:
    """A block that was made up, with what its calls did; senders are those of its transactions."""

    block: EthereumBlock
    senders: tuple[bytes, ...]
    outcomes: tuple[CallOutcome, ...]


@dataclass(frozen=True, slots=True)
class SimulateJob:
    """Run blocks of calls, one on the other."""

    block_hash: bytes
    blocks: tuple[BlockOfCalls, ...]
    validates: bool = False
    traces_transfers: bool = False

    def run(self, chain: ExecutionChain) -> tuple[SimulatedBlock, ...]:
        """Return the blocks in order, with those that fill gaps; raises an `RpcError`."""
        base = header_of(chain, self.block_hash)
        simulation = Simulation(chain, base, self)
        return tuple([simulation.run(block) for block in ordered(self.blocks, base)])


def ordered(blocks: tuple[BlockOfCalls, ...], base: BlockHeader) -> list[BlockOfCalls]:
    """Return blocks with heights and times, and empty ones between them; raises an `RpcError`."""
    result: list[BlockOfCalls] = []
    number, timestamp = base.block_number, base.timestamp
    for block in blocks:
        wanted = number + 1 if block.block.number is None else block.block.number
        if wanted <= number:
            raise BlockNumbersOutOfOrder(wanted, number)
        if wanted - base.block_number > MAX_BLOCKS:
            raise TooManyBlocks
        for between in range(number + 1, wanted):
            timestamp += SECONDS_BETWEEN
            result.append(BlockOfCalls(BlockOverrides(number=between, timestamp=timestamp)))
        time = block.block.timestamp
        if time is not None and time <= timestamp:
            raise TimestampsOutOfOrder(time, timestamp)
        number, timestamp = wanted, timestamp + SECONDS_BETWEEN if time is None else time
        placed = replace(block.block, number=number, timestamp=timestamp)
        result.append(replace(block, block=placed))
    return result


class Simulation:
    """The state and the headers from one made-up block to the next."""

    def __init__(self, chain: ExecutionChain, base: BlockHeader, job: SimulateJob) -> None:
        self._chain = chain
        self._job = job
        self._parent = base
        self._hashes: dict[int, bytes] = {base.block_number: base.hash}
        self._nodes: dict[bytes, bytes] = {}
        self._codes: dict[bytes, bytes] = {}
        self._committer = StateCommitter(self._node)
        self._gas_left = CALL_GAS_CAP
        self._budget = TraceBudget()

    def run(self, wanted: BlockOfCalls) -> SimulatedBlock:
        """Run one block on the one before it."""
        parent = self._parent
        number = wanted.block.number or 0
        successor = self._chain.successor(parent, number, wanted.block.timestamp or 0)
        state = TrieState(parent.state_root, self._node, self._code)
        if isinstance(successor.rules, HistoricFork):
            if wanted.calls or wanted.state:
                raise CannotCallHere(number, successor.rules.name)
            header, changes = mined_block(successor, wanted.block, parent, state)
            root = self._commit(changes)
            return self._append(EthereumBlock(replace(header, state_root=root), ()), (), ())
        validates = self._job.validates
        calls = Calls(
            wanted.calls, validates, self._job.traces_transfers, self._gas_left, self._budget
        )
        header = planned_header(successor, wanted.block, parent, validates=validates)
        simulation = BlockSimulation(
            self._chain.chain_id, successor.rules, wanted.block, header, validates
        )
        executed = simulation.run(state, wanted.state, calls, self._block_hash)
        self._gas_left -= executed.gas_taken
        block = simulation.block(executed, self._commit(executed.changes))
        senders = tuple([tx.sender for tx in executed.transactions])
        return self._append(block, senders, tuple(executed.outcomes))

    def _commit(self, changes: StateChanges) -> bytes:
        """Keep what a block changes for those after it; return the state's root."""
        update = self._committer.commit(self._parent.state_root, changes)
        self._nodes.update(update.nodes)
        self._codes.update(update.codes)
        return update.root

    def _append(
        self, block: EthereumBlock, senders: tuple[bytes, ...], outcomes: tuple[CallOutcome, ...]
    ) -> SimulatedBlock:
        self._hashes[block.number] = block.hash
        self._parent = block.header
        return SimulatedBlock(block, senders, outcomes)

    def _node(self, node_hash: bytes) -> bytes | None:
        return self._nodes.get(node_hash) or self._chain.node(node_hash)

    def _code(self, code_hash: bytes) -> bytes | None:
        return self._codes.get(code_hash) or self._chain.code(code_hash)

    def _block_hash(self, number: int) -> bytes:
        known: Mapping[int, bytes] = self._hashes
        if number in known:
            return known[number]
        return self._chain.block_hash(number) if number < min(known) else bytes(32)
