"""A chain of plain Ethereum blocks over a store: each block is checked whole, then appended."""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from consensus.block_execution import States
from consensus.ethereum.ethereum_block import EthereumBlock, decode_ethereum_block
from consensus.ethereum.ethereum_body_rules import validate_ethereum_body
from consensus.ethereum.ethereum_execution import execute_ethereum_block, validate_results
from consensus.ethereum.ethereum_forks import EthereumForks
from consensus.ethereum.ethereum_header_rules import validate_ethereum_header
from consensus.ethereum.faults import UnknownParent, WrongStateRoot
from consensus.ethereum.historic_execution import HistoricRules, execute_historic_block
from consensus.ethereum.historic_forks import HistoricFork
from consensus.ethereum.historic_header_rules import validate_historic_header
from consensus.ethereum.ommer_rules import (
    family_of,
    validate_ommer_count,
    validate_ommers,
    validate_ommers_hash,
)
from consensus.ethereum.total_difficulty import TotalDifficulties
from cvm.evm.execution import ExecutedBlock, ExecutionRules
from cvm.evm.forks import Fork
from cvm.evm.header import EMPTY_UNCLES_HASH, BlockHeader
from cvm.evm.message_rules import Additions, Interpreter
from cvm.evm.native_interpreter import NativeInterpreter
from cvm.evm.state_committer import StateUpdate

RECENT_HEADERS = 512
"""Headers in memory: those that BLOCKHASH can reach, and some more."""
NO_ADDITIONS = Additions()


@dataclass(frozen=True, slots=True)
class CheckedEthereumBlock:
    """A block that keeps every rule, with its receipts and the state that it leaves."""

    block: EthereumBlock
    executed: ExecutedBlock
    update: StateUpdate


class EthereumStore(Protocol):
    """Where a chain keeps its blocks and states."""

    @property
    def states(self) -> States:
        """Return the states of the blocks that are here."""

    def header(self, block_hash: bytes) -> BlockHeader | None:
        """Return the header of a block that was appended, None for another hash."""

    def ommers(self, block_hash: bytes) -> tuple[BlockHeader, ...]:
        """Return the ommers of a block that was appended, none for another hash."""

    def append(self, checked: CheckedEthereumBlock) -> None:
        """Keep a block with its state, and make it the head."""


class EthereumChain:
    """The one writer of a store."""

    def __init__(
        self,
        forks: EthereumForks,
        store: EthereumStore,
        head: BlockHeader,
        interpreter: type[Interpreter] = NativeInterpreter,
    ) -> None:
        self._forks = forks
        self._store = store
        self._interpreter = interpreter
        self._recent: OrderedDict[bytes, BlockHeader] = OrderedDict()
        self._rules: dict[Fork, ExecutionRules] = {}
        self._totals = TotalDifficulties(self._header)
        self._remember(head)
        self.head = head

    def import_block(self, raw: bytes) -> CheckedEthereumBlock:
        """Decode, check and append one block; see `import_decoded`."""
        return self.import_decoded(decode_ethereum_block(raw))

    def import_decoded(self, block: EthereumBlock) -> CheckedEthereumBlock:
        """Check a block on its parent, which need not be the head, and make it the head.

        Raises an `InvalidBlock`, `UnknownParent`, `UnsupportedFork` or a
        `LocalFault`; nothing is written then.
        """
        checked = self.check(block)
        self._store.append(checked)
        self._remember(block.header)
        self.head = block.header
        return checked

    def check(self, block: EthereumBlock) -> CheckedEthereumBlock:
        """Check every rule of a block, executing it; raises as `import_decoded` does."""
        header = block.header
        parent = self._header(header.parent_hash)
        if parent is None:
            raise UnknownParent(header.block_number, header.parent_hash)
        fork = self._forks.at(
            parent.block_number + 1, header.timestamp, has_merged=self._has_merged(parent)
        )
        if isinstance(fork, HistoricFork):
            executed = self._run_historic(block, parent, fork)
        else:
            executed = self._run(block, parent, fork)
        validate_results(header, executed)
        update = self._store.states.commit(parent.state_root, executed.changes)
        if update.root != header.state_root:
            raise WrongStateRoot(block.number, update.root, header.state_root)
        return CheckedEthereumBlock(block, executed, update)

    def _has_merged(self, parent: BlockHeader) -> bool:
        """Tell whether a parent ended proof of work by its total difficulty (EIP-3675)."""
        terminal = self._forks.terminal_total_difficulty
        if terminal is None:
            return False
        stands_on_stake = parent.block_number > 0 and not parent.difficulty
        return stands_on_stake or self._totals.of(parent) >= terminal

    def _run(self, block: EthereumBlock, parent: BlockHeader, fork: Fork) -> ExecutedBlock:
        validate_ethereum_header(block.header, parent, fork)
        validate_ethereum_body(block, fork)
        with self._store.states.reader(parent.state_root) as reader:
            return execute_ethereum_block(
                block,
                self._forks.chain_id,
                self._rules_of(fork),
                reader,
                self._hashes_before(parent),
            )

    def _run_historic(
        self, block: EthereumBlock, parent: BlockHeader, fork: HistoricFork
    ) -> ExecutedBlock:
        states, dao_block = self._store.states, self._forks.dao_block
        validate_historic_header(block.header, parent, fork, dao_block)
        validate_ommer_count(block)
        validate_ommers_hash(block)
        if block.ommers:
            family = family_of(parent, self._header, self._ommers)
            validate_ommers(block, family, self._validate_ommer)
        rules = HistoricRules(fork, self._forks.chain_id, takes_dao=block.number == dao_block)
        with states.reader(parent.state_root) as reader:
            return execute_historic_block(
                block,
                rules,
                reader,
                self._hashes_before(parent),
                lambda changes: states.commit(parent.state_root, changes).root,
            )

    def _validate_ommer(self, ommer: BlockHeader, parent: BlockHeader) -> None:
        fork = self._forks.at(parent.block_number + 1, ommer.timestamp)
        if isinstance(fork, HistoricFork):
            validate_historic_header(ommer, parent, fork, self._forks.dao_block)

    def _ommers(self, header: BlockHeader) -> tuple[BlockHeader, ...]:
        return () if header.uncles_hash == EMPTY_UNCLES_HASH else self._store.ommers(header.hash)

    def _rules_of(self, fork: Fork) -> ExecutionRules:
        rules = self._rules.get(fork)
        if rules is None:
            rules = self._rules[fork] = ExecutionRules(
                fork,
                NO_ADDITIONS,
                carries_blobs=fork.is_cancun,
                interpreter=self._interpreter,
                deposit_contract=self._forks.deposit_contract,
            )
        return rules

    def _hashes_before(self, parent: BlockHeader) -> Callable[[int], bytes]:
        """Return what gives the hash of an ancestor, walking back no further than it must."""
        known = {parent.block_number: parent.hash}
        oldest = parent

        def block_hash(number: int) -> bytes:
            nonlocal oldest
            while number not in known and number < oldest.block_number:
                known[oldest.block_number - 1] = oldest.parent_hash
                found = self._header(oldest.parent_hash)
                if found is None:
                    break
                oldest = found
            return known.get(number, bytes(32))

        return block_hash

    def _header(self, block_hash: bytes) -> BlockHeader | None:
        return self._recent.get(block_hash) or self._store.header(block_hash)

    def _remember(self, header: BlockHeader) -> None:
        self._recent[header.hash] = header
        if len(self._recent) > RECENT_HEADERS:
            self._recent.popitem(last=False)
