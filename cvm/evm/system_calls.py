"""Calls that the protocol itself makes: EIP-4788, EIP-2935, EIP-7002 and EIP-7251."""

from cvm.evm.messages import Message, Outcome, TransactionEnvironment
from cvm.evm.state_reader import EMPTY_CODE_HASH
from cvm.evm.transaction_execution import TransactionExecution
from cvm.evm.world_state import WorldState

SYSTEM_ADDRESS = bytes.fromhex("fffffffffffffffffffffffffffffffffffffffe")
BEACON_ROOTS_ADDRESS = bytes.fromhex("000f3df6d732807ef1319fb7b8bb8522d0beac02")
HISTORY_STORAGE_ADDRESS = bytes.fromhex("0000f90827f1c53a10cb7a02335b175320002935")
SYSTEM_CALL_GAS = 30_000_000


class SystemCallFailed(Exception):
    """A call that the protocol makes at the end of a block failed: the block is not valid."""

    def __init__(self, address: bytes, error: str | None) -> None:
        super().__init__(f"system call to 0x{address.hex()} failed: {error}")


class SystemCalls:
    """Calls contracts where they are; nobody pays, and nothing is counted."""

    def __init__(self, world: WorldState, run: TransactionExecution) -> None:
        self._world = world
        self._run = run

    def call(self, address: bytes, data: bytes) -> bytes:
        """Call a contract and return its output; empty where no contract is.

        Raises `SystemCallFailed`, as EIP-7002 and EIP-7251 demand.
        """
        outcome = self._execute(address, data)
        if outcome is None:
            return b""
        if not outcome.is_success:
            raise SystemCallFailed(address, outcome.error)
        return outcome.output

    def notify(self, address: bytes, data: bytes) -> None:
        """Call a contract whose failure the block outlives (EIP-4788, EIP-2935)."""
        self._execute(address, data)

    def _execute(self, address: bytes, data: bytes) -> Outcome | None:
        """Run the code at an address, if there is any; a failed run leaves no trace."""
        world = self._world
        if world.account(address).code_hash == EMPTY_CODE_HASH:
            return None
        world.begin_transaction()
        message = Message(SYSTEM_ADDRESS, address, address, 0, SYSTEM_CALL_GAS, data)
        outcome = self._run.execute(message, TransactionEnvironment(SYSTEM_ADDRESS, 0))
        world.end_transaction()
        return outcome
