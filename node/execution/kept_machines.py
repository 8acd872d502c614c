"""What runs eth_call is kept while its block is asked about: most calls are on the newest one."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import Protocol

from cvm.evm.header import BlockHeader
from cvm.evm.message_call import CallSetting, MessageMachine, MessageResult, SimulatedTransaction
from cvm.evm.state_reader import Account, StateReader
from node.execution.execution_chain import UnknownBlock

MAX_KEPT = 4
MAX_MESSAGES = 10_000
MAX_GAS = 50_000_000
MAX_BYTES = 32 << 20
"""What one machine may have done, and hold of memories, before it is made anew: all that it read
of the state, and every code that it wrote, was paid for with gas."""


class MessageChain(Protocol):
    """What a chain tells of where messages run; see `execution_chain.ExecutionChain`."""

    def header(self, block_hash: bytes) -> BlockHeader | None:
        """Return the header of a block that is here."""

    def state_at(self, header: BlockHeader) -> AbstractContextManager[StateReader]:
        """Open the state after a block."""

    def setting(
        self, header: BlockHeader, *, free_gas: bool
    ) -> AbstractContextManager[CallSetting]:
        """Open where a message runs after a block."""


class LateState:
    """A `StateReader` that opens its state when something is read, and may be closed in between.

    A state that stayed open would keep the database from using old pages again.
    """

    def __init__(self, open_state: Callable[[], AbstractContextManager[StateReader]]) -> None:
        self._open_state = open_state
        self._opened = ExitStack()
        self._state: StateReader | None = None

    def close(self) -> None:
        """Let go of the state until something is read again."""
        self._state = None
        self._opened.close()

    def account(self, address: bytes) -> Account | None:
        """Return an account, None where there is none."""
        return self._reader().account(address)

    def storage(self, address: bytes, slot: int) -> int:
        """Return the value of a slot, 0 where nothing is stored."""
        return self._reader().storage(address, slot)

    def code(self, code_hash: bytes) -> bytes:
        """Return code by its keccak256; raises `DatabaseFault` where it is missing."""
        return self._reader().code(code_hash)

    def _reader(self) -> StateReader:
        if self._state is None:
            self._state = self._opened.enter_context(self._open_state())
        return self._state


@dataclass(slots=True)
class KeptMachine:
    """A machine, the state that it reads, and what it has done."""

    machine: MessageMachine
    state: LateState
    messages: int = 0
    gas_used: int = 0

    def run(self, tx: SimulatedTransaction) -> MessageResult:
        """Run a message; see `MessageMachine.run`."""
        result = self.machine.run(tx)
        self.messages += 1
        self.gas_used += result.gas_used
        return result

    def may_stay(self) -> bool:
        """Tell whether it has not grown too large."""
        return (
            self.messages < MAX_MESSAGES
            and self.gas_used < MAX_GAS
            and self.machine.size_bytes < MAX_BYTES
        )


class KeptMachines:
    """The machines of the blocks that were asked about last; one thread at a time may use them.

    `changes` gives another answer whenever the state of a block has become another one, which
    happens on development chains alone.
    """

    def __init__(self, chain: MessageChain, changes: Callable[[], bytes] = bytes) -> None:
        self._chain = chain
        self._changes = changes
        self._kept: dict[tuple[bytes, bool, bytes], KeptMachine] = {}

    @contextmanager
    def open(self, block_hash: bytes, *, free_gas: bool) -> Iterator[KeptMachine]:
        """Open the machine of a block; one that raises is not kept. Raises `UnknownBlock`."""
        key = (block_hash, free_gas, self._changes())
        kept = self._kept.pop(key, None) or self._made(block_hash, free_gas=free_gas)
        try:
            yield kept
        finally:
            kept.state.close()
        if kept.may_stay():
            self._kept[key] = kept
        if len(self._kept) > MAX_KEPT:
            del self._kept[next(iter(self._kept))]

    def _made(self, block_hash: bytes, *, free_gas: bool) -> KeptMachine:
        header = self._chain.header(block_hash)
        if header is None:
            raise UnknownBlock(block_hash)
        state = LateState(lambda: self._chain.state_at(header))
        with self._chain.setting(header, free_gas=free_gas) as setting:
            return KeptMachine(MessageMachine(replace(setting, reader=state)), state)
