"""One block on a small state, for tests of what a transaction does to balances and storage."""

from collections.abc import Mapping
from typing import Any, cast

from eth.constants import BLANK_ROOT_HASH
from eth.vm.forks.prague.state import PragueState

from cvm.evm.execution import BlockContext, BlockExecution, TransactionResult, open_state
from cvm.evm.machine import Additions, state_class_with
from cvm.evm.overlay_database import OverlayDatabase
from cvm.evm.transactions import decode_transaction
from tests.evm_world import context, no_hashes
from tests.unit.evm.signing import SENDER

COINBASE = b"\xcb" * 20
BASE_FEE = 7
RICH = 10**18


def nothing(_key: bytes) -> None:
    return None


class BlockWorld:
    """A block that runs on a state with the given code; SENDER and COINBASE are funded."""

    def __init__(
        self,
        code: Mapping[bytes, bytes] | None = None,
        *,
        balance: int = RICH,
        additions: Additions | None = None,
        block: BlockContext | None = None,
    ) -> None:
        state_class = state_class_with(Additions() if additions is None else additions)
        self.context = context(base_fee=BASE_FEE) if block is None else block
        database = OverlayDatabase(nothing)
        state = open_state(state_class, database, bytes(BLANK_ROOT_HASH), self.context, no_hashes())
        for address, contract in (code or {}).items():
            state.set_nonce(cast(Any, address), 1)
            state.set_code(cast(Any, address), contract)
        state.set_balance(cast(Any, SENDER), balance)
        state.set_balance(cast(Any, COINBASE), 5)
        state.persist()
        self.execution = BlockExecution(
            state_class, database.writes.get, bytes(state.state_root), self.context, no_hashes()
        )

    @property
    def state(self) -> PragueState:
        return self.execution.state

    def apply(self, raw_transaction: bytes) -> TransactionResult:
        return self.execution.apply(decode_transaction(raw_transaction))

    def balance(self, address: bytes) -> int:
        return self.state.get_balance(cast(Any, address))

    def nonce(self, address: bytes) -> int:
        return self.state.get_nonce(cast(Any, address))

    def code(self, address: bytes) -> bytes:
        return self.state.get_code(cast(Any, address))

    def storage(self, address: bytes, slot: int) -> int:
        return self.state.get_storage(cast(Any, address), slot)
