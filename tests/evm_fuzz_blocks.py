"""A drawn case as a signed block, and what execution cores answer to it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch

from cvm.evm.execution import BlockContext, BlockExecution, ExecutionRules, TransactionResult
from cvm.evm.faults import InvalidTransaction
from cvm.evm.forks import Fork
from cvm.evm.keccak import keccak256
from cvm.evm.message_rules import Additions, Interpreter
from cvm.evm.native_interpreter import NativeInterpreter
from cvm.evm.state_reader import Account, StateChanges
from cvm.evm.transaction_decoding import decode_transaction
from tests.conformance.memory_states import ListedState
from tests.guarded_memory import GuardedMemory, check_all

NO_ADDITIONS = Additions()
Log = tuple[str, tuple[str, ...], str]


@dataclass(frozen=True, slots=True)
class Ran:
    """What became of one transaction; `output` is None where a peer does not tell."""

    is_success: bool
    gas_used: int
    logs: tuple[Log, ...]
    output: str | None


@dataclass(frozen=True, slots=True)
class Answer:
    """What a core says of a block: per transaction, None where it was refused; and the state.

    `accounts` holds nonce, balance and code hash by address, `storage` the slots that were seen; a
    peer may give only `root`, or only these.
    """

    transactions: tuple[Ran | None, ...]
    root: str = ""
    accounts: Mapping[str, tuple[int, int, str]] | None = None
    storage: Mapping[str, Mapping[int, int]] | None = None


@dataclass(frozen=True, slots=True)
class Block:
    """A signed block on a listed state."""

    fork: Fork
    context: BlockContext
    accounts: Mapping[str, Any]
    transactions: tuple[bytes, ...]


class NoAnswer(Exception):
    """The peer breaks down on this block, or is known to be wrong."""


def listed_hash(height: int) -> bytes:
    """Return the hash of a height where no chain decides about it."""
    return keccak256(str(height).encode())


class OwnRun:
    """A block on our own core, transaction after transaction."""

    def __init__(
        self,
        fork: Fork,
        context: BlockContext,
        accounts: Mapping[str, Any],
        interpreter: type[Interpreter] = NativeInterpreter,
        block_hash: Callable[[int], bytes] = listed_hash,
    ) -> None:
        self._state = ListedState(accounts)
        rules = ExecutionRules(fork, NO_ADDITIONS, carries_blobs=True, interpreter=interpreter)
        with patch("cvm.evm.execution.MachineMemory", GuardedMemory):
            self._execution = BlockExecution(rules, self._state, context, block_hash)
        self._accounts = accounts
        self._addresses = [bytes.fromhex(address) for address in accounts]

    def nonce(self, address: bytes) -> int:
        """Return a nonce as it stands."""
        return self._execution.world.account(address).nonce

    def apply(self, raw: bytes) -> Ran | None:
        """Run a transaction; None if it is refused."""
        try:
            return ran_of(self._execution.apply(decode_transaction(raw)))
        except InvalidTransaction:
            return None

    def answer(self, transactions: Sequence[Ran | None]) -> Answer:
        """Return the whole answer, and check the guards of the memory."""
        changes = self._execution.world.changes()
        update = self._state.update_after(changes)
        found: dict[str, Account | None] = {
            address.hex(): self._state.account(address) for address in self._addresses
        }
        found.update({address.hex(): account for address, account in update.accounts.items()})
        accounts = {
            address: (a.nonce, a.balance, a.code_hash.hex())
            for address, a in ((address, found[address] or Account()) for address in sorted(found))
        }
        check_all()
        storage = {address: self._storage(address, changes) for address in accounts}
        return Answer(tuple(transactions), update.root.hex(), accounts, storage)

    def _storage(self, address: str, changes: StateChanges) -> dict[int, int]:
        """Return the slots of an account that are known, and zeros that a peer must have too."""
        key, listed = bytes.fromhex(address), self._accounts.get(address, {}).get("storage", {})
        slots = {int(slot, 16): int(value, 16) for slot, value in listed.items()}
        if key in changes.cleared or changes.accounts.get(key, Account()) is None:
            slots = dict.fromkeys(slots, 0)
        return dict.fromkeys(range(4), 0) | slots | changes.storage.get(key, {})


def ran_of(result: TransactionResult) -> Ran:
    """Return what peers are compared with."""
    logs = tuple(
        (log.address.hex(), tuple(topic.hex() for topic in log.topics), log.data.hex())
        for log in result.receipt.logs
    )
    is_success = bool(result.receipt.status)
    return Ran(is_success, result.gas_used, logs, result.output.hex())


def run_block(
    block: Block,
    interpreter: type[Interpreter],
    block_hash: Callable[[int], bytes] = listed_hash,
) -> Answer:
    """Run a block on our own core."""
    run = OwnRun(block.fork, block.context, block.accounts, interpreter, block_hash)
    return run.answer([run.apply(raw) for raw in block.transactions])


def difference(wanted: Answer, found: Answer) -> str | None:
    """Return the first thing in which two answers differ, or None."""
    for place, (one, two) in enumerate(zip(wanted.transactions, found.transactions, strict=True)):
        if one is None or two is None:
            if one is not two:
                return f"transaction {place}: {one} and {two}"
            continue
        for name in ("is_success", "gas_used", "logs", "output"):
            ours, theirs = getattr(one, name), getattr(two, name)
            if ours != theirs and theirs is not None:
                return f"transaction {place}: {name} {ours} and {theirs}"
    if wanted.accounts is not None and found.accounts is not None:
        for address in sorted(set(wanted.accounts) | set(found.accounts)):
            mine, other = wanted.accounts.get(address), found.accounts.get(address)
            if mine != other and mine is not None and other is not None:
                return f"account {address}: {mine} and {other}"
    if wanted.storage is not None and found.storage is not None:
        for address, slots in wanted.storage.items():
            if slots != found.storage[address]:
                return f"storage of {address}: {slots} and {found.storage[address]}"
    if wanted.root and found.root and wanted.root != found.root:
        return f"state root {wanted.root} and {found.root}"
    return None
