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
from cvm.evm.execution import ExecutedBlock, ExecutionRules
from cvm.evm.forks import Fork
from cvm.evm.header import BlockHeader
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
        self._remember(head)
        self.head = head

    def import_block(self, raw: bytes) -> CheckedEthereumBlock:
        """Decode, check and append one block; see `import_decoded`."""
        return self.import_decoded(decode_ethereum_block(raw))

    def import_decoded(self, block: EthereumBlock) -> CheckedEthereumBlock:
        """Check a block on its parent, which need not be the head, and make it the head.

        Raises an `InvalidBlock`, `UnknownParent` or `UnsupportedFork`; nothing is written then.
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
        fork = self._forks.at(parent.block_number + 1, header.timestamp)
        validate_ethereum_header(header, parent, fork)
        validate_ethereum_body(block, fork)
        with self._store.states.reader(parent.state_root) as reader:
            rules = self._rules_of(fork)
            executed = execute_ethereum_block(
                block, self._forks.chain_id, rules, reader, self._hashes_before(parent)
            )
        validate_results(header, executed)
        update = self._store.states.commit(parent.state_root, executed.changes)
        if update.root != header.state_root:
            raise WrongStateRoot(block.number, update.root, header.state_root)
        return CheckedEthereumBlock(block, executed, update)

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
