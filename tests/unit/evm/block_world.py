"""One block on a small state, for tests of what a transaction does to balances and storage."""

from collections.abc import Mapping
from dataclasses import replace

from cvm.evm.execution import (
    BlockContext,
    BlockExecution,
    ExecutedBlock,
    ExecutionRules,
    TransactionResult,
)
from cvm.evm.forks import OSAKA, Fork
from cvm.evm.live_account import LiveAccount
from cvm.evm.message_call import CallSetting
from cvm.evm.message_rules import Additions, Interpreter
from cvm.evm.state_reader import Account, StateChanges
from cvm.evm.transaction_decoding import decode_transaction
from tests import evm_world
from tests.evm_world import context, no_hash
from tests.memory_state import MemoryState
from tests.unit.evm.signing import SENDER

COINBASE = b"\xcb" * 20
BASE_FEE = 7
RICH = 10**18
NO_CHANGES = StateChanges({}, {}, frozenset(), {})
Slot = tuple[bytes, int]


class BlockWorld:
    """A block that runs on a state with the given code; SENDER and COINBASE are funded."""

    def __init__(
        self,
        code: Mapping[bytes, bytes] | None = None,
        *,
        balance: int = RICH,
        storage: Mapping[bytes, Mapping[int, int]] | None = None,
        additions: Additions | None = None,
        block: BlockContext | None = None,
        state: MemoryState | None = None,
        fork: Fork = OSAKA,
        interpreter: type[Interpreter] | None = None,
    ) -> None:
        self.context = context(base_fee=BASE_FEE) if block is None else block
        self.state = MemoryState() if state is None else state
        for address, contract in (code or {}).items():
            self.state.put(address, nonce=1, code=contract)
        for address, slots in (storage or {}).items():
            self.state.put(address, storage=slots)
        self.state.put(SENDER, balance=balance)
        self.state.put(COINBASE, balance=5)
        self.rules = ExecutionRules(
            fork,
            Additions() if additions is None else additions,
            interpreter=interpreter or evm_world.INTERPRETER,
        )
        self.execution = BlockExecution(self.rules, self.state, self.context, no_hash)

    @property
    def setting(self) -> CallSetting:
        """Return where messages run: on the state before the block."""
        return CallSetting(self.rules, self.state, self.context, no_hash)

    def apply(self, raw_transaction: bytes) -> TransactionResult:
        return self.execution.apply(decode_transaction(raw_transaction))

    def finish(self) -> tuple[ExecutedBlock, dict[bytes, Account | None], dict[Slot, int]]:
        """Return what a header shows, and which accounts and slots are not as they were."""
        executed = self.execution.finish()
        accounts = {
            address: account
            for address, account in executed.changes.accounts.items()
            if account != self.state.account(address)
        }
        slots = {
            (address, slot): value
            for address, values in executed.changes.storage.items()
            for slot, value in values.items()
            if value != self.state.storage(address, slot)
        }
        return replace(executed, changes=NO_CHANGES), accounts, slots

    def account(self, address: bytes) -> LiveAccount:
        return self.execution.world.account(address)

    def exists(self, address: bytes) -> bool:
        return self.account(address).exists

    def balance(self, address: bytes) -> int:
        return self.account(address).balance

    def nonce(self, address: bytes) -> int:
        return self.account(address).nonce

    def code(self, address: bytes) -> bytes:
        return self.execution.world.code_of(self.account(address))

    def storage(self, address: bytes, slot: int) -> int:
        return self.execution.world.storage(self.account(address), slot)
