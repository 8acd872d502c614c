"""The work behind the ots_ methods that run transactions again."""

from collections.abc import Iterator
from dataclasses import dataclass

from cvm.evm.creation_address import creation_address
from cvm.evm.live_account import delegate_address
from cvm.evm.message_rules import REVERTED
from cvm.evm.state_reader import EMPTY_CODE_HASH, Account
from cvm.evm.transaction import Transaction
from node.execution.account_history import first_block_where
from node.execution.execution_chain import ExecutionChain, UnknownBlock
from node.execution.trace_budget import TraceBudget
from node.rpc.json_value import JsonValue
from node.tracing.call_recorder import CallFrame, CallRecorder
from node.tracing.otterscan_calls import creator_of, internal_operations, trace_entries
from node.tracing.trace_jobs import watched_transactions
from node.tracing.transaction_tracer import TraceEnd


class Calls(CallRecorder):
    """The recorder alone: whoever looks at its tree says what comes of it."""

    def result(self, _end: TraceEnd, /) -> JsonValue:
        """Return nothing."""
        return None


def recorded(
    chain: ExecutionChain, block_hash: bytes, budget: TraceBudget, only: int | None = None
) -> Iterator[tuple[Transaction, CallFrame, TraceEnd]]:
    """Run a block again; yield each transaction, or the one at a place, with its calls."""
    for tx, tracer, end in watched_transactions(
        chain, block_hash, lambda: Calls(budget), budget, only
    ):
        if tracer.root is not None:
            yield tx, tracer.root, end


@dataclass(frozen=True, slots=True)
class OtterscanTrace:
    """What Otterscan asks of one transaction; `revert` is what it reverted with."""

    entries: list[JsonValue]
    operations: list[JsonValue]
    revert: bytes


@dataclass(frozen=True, slots=True)
class OtterscanTraceJob:
    """Run a transaction of a block again."""

    block_hash: bytes
    index: int

    def run(self, chain: ExecutionChain) -> OtterscanTrace:
        """Return its calls, its internal operations, and how it reverted."""
        for _tx, root, end in recorded(chain, self.block_hash, TraceBudget(), self.index):
            revert = end.output if end.error == REVERTED else b""
            return OtterscanTrace(trace_entries(root), internal_operations(root), revert)
        raise UnknownBlock(self.block_hash)


@dataclass(frozen=True, slots=True)
class SenderNonceJob:
    """Find the transaction of a sender that has a nonce."""

    sender: bytes
    nonce: int

    def run(self, chain: ExecutionChain) -> bytes | None:
        """Return its hash, None where no block has it; raises a `DatabaseFault`."""
        found = first_block_where(chain, self.sender, lambda account: account.nonce > self.nonce)
        block = None if found is None else chain.block(found.header.hash)
        if found is None or block is None:
            return None
        for tx in block.transactions:
            if tx.nonce == self.nonce and tx.sender == self.sender:
                return tx.hash
        if found.unknown is not None:
            raise found.unknown
        return None


@dataclass(frozen=True, slots=True)
class ContractCreator:
    """The transaction in which a contract was made, and who made it."""

    tx_hash: bytes
    creator: bytes


@dataclass(frozen=True, slots=True)
class ContractCreatorJob:
    """Find who created a contract, and when."""

    address: bytes

    def run(self, chain: ExecutionChain) -> ContractCreator | None:
        """Return its creator, None for what is no contract or stood in genesis.

        The block in which its code came is run again. Raises a `LocalFault`.
        """
        with chain.state_at(chain.head()) as state:
            account = state.account(self.address) or Account()
            if not has_code(account) or delegate_address(state.code(account.code_hash)):
                return None
        found = first_block_where(chain, self.address, has_code)
        if found is None or found.header.block_number == 0:
            return None
        made = None
        for tx, root, _end in recorded(chain, found.header.hash, TraceBudget()):
            creator = creator_of(root, self.address)
            if creator is not None:
                made = ContractCreator(tx.hash, creator)
        if made is None and found.unknown is not None:
            raise found.unknown
        return made


def has_code(account: Account) -> bool:
    """Tell whether an account has code."""
    return account.code_hash != EMPTY_CODE_HASH


def direct_ends(tx: Transaction) -> tuple[bytes, bytes]:
    """Return the addresses that a transaction names without being run."""
    return tx.sender, tx.to or creation_address(tx.sender, tx.nonce)
