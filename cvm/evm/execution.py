"""Runs the transactions of one block on the state of its parent."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, cast

import rlp
from eth.abc import ComputationAPI, ReceiptAPI, SignedTransactionAPI
from eth.db.atomic import AtomicDB
from eth.db.trie import make_trie_root_and_nodes
from eth.vm.execution_context import ExecutionContext
from eth.vm.forks.cancun.constants import (
    BEACON_ROOTS_ADDRESS,
    BEACON_ROOTS_CONTRACT_CODE,
    HISTORY_BUFFER_LENGTH,
)
from eth.vm.forks.prague.constants import (
    HISTORY_SERVE_WINDOW,
    HISTORY_STORAGE_ADDRESS,
    HISTORY_STORAGE_CONTRACT_CODE,
)
from eth.vm.forks.prague.receipts import PragueReceiptBuilder
from eth.vm.forks.prague.state import PragueState
from eth_bloom.bloom import BloomFilter
from eth_utils.exceptions import ValidationError

from cvm.evm.faults import InvalidTransaction, TransactionVetoed
from cvm.evm.overlay_database import OverlayDatabase, Read
from cvm.evm.transactions import validate_transaction
from cvm.faults import LocalFault

MAX_REFUND_QUOTIENT = 5  # EIP-3529


@dataclass(frozen=True, slots=True)
class BlockContext:
    """What opcodes can see of the block that runs; times in seconds, fees in wei per gas."""

    chain_id: int
    number: int
    timestamp: int
    coinbase: bytes
    gas_limit: int
    base_fee: int
    prev_randao: bytes
    parent_hash: bytes
    parent_beacon_block_root: bytes


@dataclass(frozen=True, slots=True)
class TransactionResult:
    """What one transaction did; `error` is the outermost frame's, or None."""

    receipt: ReceiptAPI
    gas_used: int
    output: bytes
    error: str | None


@dataclass(frozen=True, slots=True)
class ExecutedBlock:
    """Every root that a header must show, and the database writes behind them."""

    state_root: bytes
    transactions_root: bytes
    receipts_root: bytes
    bloom: int
    gas_used: int
    receipts: tuple[ReceiptAPI, ...]
    writes: dict[bytes, bytes]


class BlockExecution:
    """One block as it runs: system calls first, then transactions, then `finish`."""

    def __init__(
        self,
        state_class: type[PragueState],
        read: Read,
        parent_state_root: bytes,
        context: BlockContext,
        ancestor_hashes: Iterator[bytes],
    ) -> None:
        self.context = context
        self._database = OverlayDatabase(read)
        self.state = open_state(
            state_class, self._database, parent_state_root, context, ancestor_hashes
        )
        self.gas_used = 0
        self._transactions: list[SignedTransactionAPI] = []
        self._receipts: list[ReceiptAPI] = []
        self._write_beacon_root()
        self._write_parent_hash()

    def _write_beacon_root(self) -> None:
        """EIP-4788: keep the parent beacon block root by timestamp."""
        if self.state.get_code(BEACON_ROOTS_ADDRESS) != BEACON_ROOTS_CONTRACT_CODE:
            return
        slot = self.context.timestamp % HISTORY_BUFFER_LENGTH
        root = int.from_bytes(self.context.parent_beacon_block_root, "big")
        self.state.set_storage(BEACON_ROOTS_ADDRESS, slot, self.context.timestamp)
        self.state.set_storage(BEACON_ROOTS_ADDRESS, slot + HISTORY_BUFFER_LENGTH, root)

    def _write_parent_hash(self) -> None:
        """EIP-2935: keep the parent's hash by number."""
        if self.state.get_code(HISTORY_STORAGE_ADDRESS) != HISTORY_STORAGE_CONTRACT_CODE:
            return
        slot = (self.context.number - 1) % HISTORY_SERVE_WINDOW
        parent = int.from_bytes(self.context.parent_hash, "big")
        self.state.set_storage(HISTORY_STORAGE_ADDRESS, slot, parent)

    def apply(
        self, tx: SignedTransactionAPI, veto: Callable[[], str | None] = lambda: None
    ) -> TransactionResult:
        """Run one transaction.

        `veto` is asked after the run, before the block takes it, for a reason not to keep it.
        Raises `InvalidTransaction`, `TransactionVetoed` or a `LocalFault`; each leaves the
        block as it was.
        """
        validate_transaction(
            tx,
            self.state,
            chain_id=self.context.chain_id,
            base_fee=self.context.base_fee,
            block_gas_left=self.context.gas_limit - self.gas_used,
        )
        self.state.lock_changes()
        before = self.state.snapshot()
        try:
            computation = self.state.apply_transaction(tx)
        except ValidationError as error:
            self.state.revert(before)
            raise InvalidTransaction(str(error)) from error
        except LocalFault:
            self.state.revert(before)
            raise
        reason = veto()
        if reason is not None:
            self.state.revert(before)
            raise TransactionVetoed(reason)
        gas_used = charged_gas(tx, computation)
        self.gas_used += gas_used
        status = b"" if computation.is_error else b"\x01"
        receipt = tx.make_receipt(status, self.gas_used, computation.get_log_entries())
        self._transactions.append(tx)
        self._receipts.append(receipt)
        return TransactionResult(receipt, gas_used, computation.output, error_name(computation))

    def finish(self) -> ExecutedBlock:
        """Write the state trie into the overlay and return every root."""
        self.state.persist()
        bloom = BloomFilter()
        for receipt in self._receipts:
            bloom |= BloomFilter(receipt.bloom)
        return ExecutedBlock(
            state_root=self.state.state_root,
            transactions_root=list_root(self._transactions),
            receipts_root=list_root(self._receipts),
            bloom=int(bloom),
            gas_used=self.gas_used,
            receipts=tuple(self._receipts),
            writes=self._database.writes,
        )


def open_state(
    state_class: type[PragueState],
    database: OverlayDatabase,
    state_root: bytes,
    context: BlockContext,
    ancestor_hashes: Iterator[bytes],
) -> PragueState:
    """Return a py-evm state on a root; ancestor hashes run from the parent downwards."""
    execution_context = ExecutionContext(
        coinbase=cast(Any, context.coinbase),
        timestamp=context.timestamp,
        block_number=cast(Any, context.number),
        difficulty=0,
        mix_hash=cast(Any, context.prev_randao),
        gas_limit=context.gas_limit,
        prev_hashes=cast(Any, ancestor_hashes),
        chain_id=context.chain_id,
        base_fee_per_gas=context.base_fee,
        excess_blob_gas=0,
    )
    return state_class(AtomicDB(database), execution_context, cast(Any, state_root))


def charged_gas(tx: SignedTransactionAPI, computation: ComputationAPI) -> int:
    """Return the gas that the sender pays for: refund capped first, floor last (EIP-7623).

    py-evm's own receipt adds the floor before it caps the refund, which is more than it charges.
    """
    spent = tx.gas - computation.get_gas_remaining()
    refund = min(computation.get_gas_refund(), spent // MAX_REFUND_QUOTIENT)
    return int(spent - refund + computation.data_floor_gas)


def error_name(computation: ComputationAPI) -> str | None:
    """Return how the outermost frame failed: `execution reverted`, or the halt and its reason."""
    if computation.is_success:
        return None
    if not computation.should_burn_gas:
        return "execution reverted"
    return f"{type(computation.error).__name__}: {computation.error}"


def list_root(items: Sequence[SignedTransactionAPI] | Sequence[ReceiptAPI]) -> bytes:
    """Return the root of the trie of a block's transactions or receipts, keyed by index."""
    root, _nodes = make_trie_root_and_nodes(cast(Any, list(items)))
    return bytes(root)


def encoded_receipts(receipts: Sequence[ReceiptAPI]) -> bytes:
    """Return the RLP list of EIP-2718 receipts, as the database keeps it."""
    return bytes(rlp.encode([receipt.encode() for receipt in receipts]))


def decoded_receipts(data: bytes) -> tuple[ReceiptAPI, ...]:
    """Return the receipts that `encoded_receipts` wrote."""
    return tuple(PragueReceiptBuilder.decode(item) for item in rlp.decode(data))
