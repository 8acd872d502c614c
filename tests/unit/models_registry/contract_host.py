"""Runs contracts on this chain's rules, one message at a height that the test chooses."""

from dataclasses import dataclass
from typing import Any

from eth_abi.abi import decode, encode

from cvm.evm.contract_code import ContractCode
from cvm.evm.forks import OSAKA
from cvm.evm.keccak import keccak256
from cvm.evm.message_rules import Additions, Rules
from cvm.evm.messages import BlockEnvironment, Message, TransactionEnvironment
from cvm.evm.native.machine_memory import MachineMemory
from cvm.evm.native_interpreter import NativeInterpreter
from cvm.evm.precompiles.table import precompiles
from cvm.evm.world_state import WorldState
from models_registry.selectors import selector
from tests.memory_state import MemoryState

CHAIN_ID = 1337
GAS = 30_000_000
NO_ADDITIONS = Additions()


class Reverted(Exception):
    """A message was reverted with data, or halted without."""

    def __init__(self, data: bytes) -> None:
        super().__init__(data.hex())
        self.data = data


@dataclass(frozen=True, slots=True)
class Answer:
    """What a message returned and logged; `logs` are (address, topics, data)."""

    output: bytes
    logs: tuple[tuple[bytes, tuple[bytes, ...], bytes], ...]
    gas_used: int


class ContractHost:
    """A state in memory; `height` is the block number that the next message sees."""

    def __init__(self, additions: Additions = NO_ADDITIONS) -> None:
        self.height = 1
        self._additions = additions
        self._world = WorldState(MemoryState(), MachineMemory(), OSAKA, _no_hash)
        for address in (*precompiles(OSAKA), *additions.precompiles):
            self._world.keep_warm(address)

    def place(self, address: bytes, code: bytes, storage: dict[int, int] | None = None) -> None:
        """Put an account there, as genesis does."""
        account = self._world.account(address)
        self._world.set_code(account, code)
        self._world.set_nonce(account, 1)
        for slot, value in (storage or {}).items():
            self._world.set_storage(account, slot, value)

    def storage(self, address: bytes, slot: int, /) -> int:
        """Read a word, as `StorageReader` does."""
        return self._world.storage(self._world.account(address), slot)

    def balance(self, address: bytes) -> int:
        return self._world.account(address).balance

    def fund(self, address: bytes, wei: int) -> None:
        """Give an account wei out of nothing, as a self-destruct or a withdrawal does."""
        account = self._world.account(address)
        self._world.set_balance(account, account.balance + wei)

    def write(self, address: bytes, slot: int, value: int) -> None:
        """Put a word into an account's storage."""
        self._world.set_storage(self._world.account(address), slot, value)

    def create(self, sender: bytes, init_code: bytes) -> bytes:
        """Create a contract and return its address."""
        created = keccak256(b"created" + init_code)[12:]
        code = ContractCode(init_code)
        self._run(
            Message(sender, created, created, 0, GAS, b"", is_creation=True, code=code), keeps=True
        )
        return created

    def send(self, sender: bytes, to: bytes, data: bytes, value: int = 0, gas: int = GAS) -> Answer:
        """Run a message and keep what it did; raises `Reverted`."""
        return self._run(Message(sender, to, to, value, gas, data), keeps=True)

    def dry_run(self, sender: bytes, to: bytes, data: bytes, height: int, value: int = 0) -> Answer:
        """Run a message as at a height and keep nothing; raises `Reverted`."""
        at_height, self.height = self.height, height
        try:
            return self._run(Message(sender, to, to, value, GAS, data), keeps=False)
        finally:
            self.height = at_height

    def view(self, to: bytes, signature: str, arguments: list[Any], returns: list[str]) -> Any:
        """Call a view by its signature and decode what it returns."""
        types = signature[signature.index("(") + 1 : -1]
        data = selector(signature) + encode(types.split(",") if types else [], arguments)
        values = decode(returns, self.send(bytes(20), to, data).output)
        return values[0] if len(values) == 1 else values

    def _run(self, message: Message, *, keeps: bool) -> Answer:
        world = self._world
        world.begin_transaction()
        rules = Rules(world, _block(self.height), precompiles(OSAKA), self._additions)
        outcome = NativeInterpreter(rules).execute(
            message, TransactionEnvironment(message.caller, 0)
        )
        logs = world.logs()
        if keeps:
            world.end_transaction()
        else:
            world.undo((0, 0, 0, 0, 0))
        if not outcome.is_success:
            raise Reverted(outcome.output)
        return Answer(outcome.output, logs, message.gas - outcome.gas_left)


def _block(height: int) -> BlockEnvironment:
    return BlockEnvironment(
        chain_id=CHAIN_ID,
        number=height,
        timestamp=1_700_000_000 + height,
        coinbase=bytes(20),
        gas_limit=GAS,
        base_fee=0,
        prev_randao=bytes(32),
    )


def _no_hash(_number: int) -> bytes:
    return bytes(32)
