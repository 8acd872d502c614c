"""What execution for JSON-RPC asks of a chain: where a message runs, and a block run once more.

A chain of our own is `own_chain.OwnExecutionChain`, a plain Ethereum chain
`ethereum_chain.EthereumExecutionChain`. Both only read their database, so one that another process
writes will do.
"""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from consensus.ethereum.historic_forks import HistoricFork
from cvm.evm.execution import BlockContext, ExecutionRules, TransactionResult
from cvm.evm.header import BlockHeader
from cvm.evm.message_call import CallSetting, MessageResult, SimulatedTransaction
from cvm.evm.state_reader import StateReader
from cvm.evm.tracer import Tracer
from cvm.evm.transaction import Transaction
from cvm.faults import LocalFault


class UnknownBlock(LocalFault):
    """A block that is to be run again is not here, or its parent is not."""

    def __init__(self, block_hash: bytes) -> None:
        super().__init__(f"block 0x{block_hash.hex()} not found")


class CannotCallHere(LocalFault):
    """Messages run by the rules of Paris and later forks; the block is of an earlier one."""

    def __init__(self, number: int, fork: str) -> None:
        super().__init__(f"block {number} follows {fork}: messages run from Paris on")


@dataclass(frozen=True, slots=True)
class Successor:
    """What a chain says of a block of some height and time: its rules, and what follows for it.

    `rules` are of proof of work before Paris. `base_fee` is in wei per gas, None before London;
    `excess_blob_gas` is None before Cancun.
    """

    rules: ExecutionRules | HistoricFork
    base_fee: int | None
    excess_blob_gas: int | None


class ExecutableBlock(Protocol):
    """A block that can be run again."""

    @property
    def header(self) -> BlockHeader:
        """Return the header."""

    @property
    def transactions(self) -> tuple[Transaction, ...]:
        """Return the transactions in order."""

    def encode(self) -> bytes:
        """Return the RLP."""


class MessageRunner(Protocol):
    """What runs messages on one state, each as if there had been none before it."""

    def run(self, tx: SimulatedTransaction) -> MessageResult:
        """Run a message on the state, which stays as it is; raises a `LocalFault`."""


class LiveAccountView(Protocol):
    """An account as a running block has it; a balance is in wei."""

    @property
    def address(self) -> bytes:
        """Return whose account it is."""

    @property
    def exists(self) -> bool:
        """Tell whether the account is there at all."""

    @property
    def nonce(self) -> int:
        """Return the transaction count."""

    @property
    def balance(self) -> int:
        """Return the balance."""

    @property
    def code_hash(self) -> bytes:
        """Return keccak256 of the code."""


class LiveWorld(Protocol):
    """The state of a running block, as it is right now; reading warms nothing."""

    def account(self, address: bytes, /) -> LiveAccountView:
        """Return an account; one that is not there has no nonce, balance or code."""

    def code_at(self, address: bytes, /) -> bytes:
        """Return the code of an account."""

    def storage_at(self, address: bytes, slot: int, /) -> int:
        """Return a word of storage."""


class Replay(Protocol):
    """A block that runs once more on its parent's state, a transaction at a time."""

    @property
    def context(self) -> BlockContext:
        """Return what the block brings to its transactions."""

    @property
    def transactions(self) -> Sequence[Transaction]:
        """Return the block's transactions in order."""

    @property
    def world(self) -> LiveWorld:
        """Return the state between transactions, or as a tracer finds it within one."""

    def state(self) -> StateReader:
        """Return the state between transactions, which those after them do not change.

        Raises `CannotCallHere` before Paris.
        """

    def apply(self, tx: Transaction, tracer: Tracer | None = None) -> TransactionResult:
        """Run the next transaction, watched by a tracer if there is one.

        Only this transaction is watched, not the calls that the protocol makes by itself. Raises
        `InvalidTransaction` or a `LocalFault`.
        """


class ExecutionChain(Protocol):
    """The blocks and states of one chain, for reading, with the rules that run on them."""

    @property
    def chain_id(self) -> int:
        """Return the EIP-155 chain id."""

    def head(self) -> BlockHeader:
        """Return the newest header."""

    def header_at(self, number: int) -> BlockHeader | None:
        """Return the header at a height, None above the head."""

    def header(self, block_hash: bytes) -> BlockHeader | None:
        """Return the header of a block that is here."""

    def block(self, block_hash: bytes) -> ExecutableBlock | None:
        """Return a block that is here."""

    def state_at(self, header: BlockHeader) -> AbstractContextManager[StateReader]:
        """Open the state after a block."""

    def node(self, node_hash: bytes) -> bytes | None:
        """Return a node of a state trie by its hash."""

    def code(self, code_hash: bytes) -> bytes | None:
        """Return code by its keccak256."""

    def block_hash(self, number: int) -> bytes:
        """Return the hash at a height, zeros above the head."""

    def rules_at(self, number: int, timestamp: int) -> ExecutionRules:
        """Return the rules of a height and time; raises `CannotCallHere`."""

    def successor(self, parent: BlockHeader, number: int, timestamp: int) -> Successor:
        """Return what holds for a block after `parent`; raises `UnsupportedFork`."""

    def setting(
        self, header: BlockHeader, *, free_gas: bool, blocks_later: int = 0
    ) -> AbstractContextManager[CallSetting]:
        """Open where a message runs after a block: in that block, or in one some blocks later.

        With `free_gas` the base fee that opcodes see is 0, as for a call with no gas price. Raises
        `CannotCallHere`.
        """

    def messages(
        self, block_hash: bytes, *, free_gas: bool
    ) -> AbstractContextManager[MessageRunner]:
        """Open what runs messages in a block, on the state after it, as `setting` has it.

        Raises `UnknownBlock` or `CannotCallHere`.
        """

    def replay(self, block_hash: bytes) -> AbstractContextManager[Replay]:
        """Open a block to be run again; raises `UnknownBlock` or a `LocalFault`."""
