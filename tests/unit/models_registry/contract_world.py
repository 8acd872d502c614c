"""Runs the contracts of the library, with ether and with models that are plain functions.

The twins at 0x0c00 and 0x0c01 are Python here; `make demo-contracts` runs real ones. A transaction
that reverts leaves no trace, as on the chain.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from cvm.evm.contract_code import ContractCode
from cvm.evm.creation_address import creation_address
from cvm.evm.forks import OSAKA
from cvm.evm.halts import Revert
from cvm.evm.keccak import keccak256
from cvm.evm.message_rules import Additions, PrecompileCall, Rules
from cvm.evm.messages import BlockEnvironment, Message, TransactionEnvironment
from cvm.evm.native.machine_memory import MachineMemory
from cvm.evm.native_interpreter import NativeInterpreter
from cvm.evm.precompiles.table import precompiles
from cvm.evm.world_state import WorldState
from models_registry.contract_abi import ContractAbi
from opcodes import errors
from opcodes.table import INFER_ADDRESS, MODELINFO_ADDRESS
from tests.memory_state import MemoryState

GAS = 100_000_000
ITEM_GAS = 1_000
RICH = 10**24
"""Wei that every user of a test begins with."""

ACTIVE, RETIRED = 2, 4


class ItemRefused(Exception):
    """A fake model does not take this item: InputOutOfRange."""


class Reverted(Exception):
    """A message was reverted with data, or halted without."""

    def __init__(self, data: bytes) -> None:
        super().__init__(data.hex())
        self.data = data


@dataclass(frozen=True, slots=True)
class FakeModel:
    """A function from an item's bytes to its output's."""

    run: Callable[[bytes], bytes]
    input_bytes: int
    output_bytes: int
    is_batchable: bool = True
    status: int = ACTIVE
    gas: int = ITEM_GAS
    """What MODELINFO says of an item."""

    hidden_gas: int = 0
    """What an item costs beside it, as after a fork that changed prices."""


@dataclass(frozen=True, slots=True)
class Log:
    """One event: who logged it, its topics, its data."""

    address: bytes
    topics: tuple[bytes, ...]
    data: bytes


@dataclass(frozen=True, slots=True)
class Done:
    """What a message returned and logged."""

    output: bytes
    logs: tuple[Log, ...]
    gas_used: int


@dataclass(slots=True)
class ContractWorld:
    """A state in memory; `height` is the block number that the next message sees."""

    models: dict[bytes, FakeModel] = field(default_factory=dict)
    height: int = 1
    _nonce: int = 0
    _world: WorldState = field(
        default_factory=lambda: WorldState(MemoryState(), MachineMemory(), OSAKA, block_hash)
    )

    def user(self, name: str) -> bytes:
        """Return a rich account."""
        address = keccak256(name.encode())[12:]
        self._world.set_balance(self._world.account(address), RICH)
        return address

    def balance(self, address: bytes) -> int:
        """Return an account's wei."""
        return self._world.account(address).balance

    def force(self, address: bytes, wei: int) -> None:
        """Give an account ether that it was not asked about, as a self-destruct does."""
        self._world.set_balance(self._world.account(address), self.balance(address) + wei)

    def retire(self, model_id: bytes) -> None:
        """Make a model RETIRED."""
        self.models[model_id] = replace(self.models[model_id], status=RETIRED)

    def deploy(self, name: str, *arguments: Any) -> "Contract":
        """Create a contract with arguments of its constructor."""
        creator = self.user("the creator")
        created = creation_address(creator, self._nonce)
        self._nonce += 1
        code = ContractCode(ContractAbi(name).creation(*arguments))
        self._run(Message(creator, created, created, 0, GAS, b"", is_creation=True, code=code))
        return Contract(self, created, name)

    def send(
        self, sender: bytes, to: bytes, data: bytes, *, value: int = 0, gas: int = GAS
    ) -> Done:
        """Run a message and keep what it did; raises `Reverted`."""
        return self._run(Message(sender, to, to, value, gas, data))

    def _run(self, message: Message) -> Done:
        world = self._world
        world.begin_transaction()
        additions = Additions(
            precompiles={INFER_ADDRESS: self._infer, MODELINFO_ADDRESS: self._model_info}
        )
        rules = Rules(world, _block(self.height), precompiles(OSAKA), additions)
        outcome = NativeInterpreter(rules).execute(
            message, TransactionEnvironment(message.caller, 0)
        )
        logs = tuple(Log(*log) for log in world.logs())
        world.end_transaction()
        if not outcome.is_success:
            raise Reverted(outcome.output)
        return Done(outcome.output, logs, message.gas - outcome.gas_left)

    def _infer(self, call: PrecompileCall) -> bytes:
        call.charge(3_000)
        model_id, data = bytes(call.message.data[:32]), bytes(call.message.data[32:])
        model = self.models.get(model_id)
        if model is None or model.status != ACTIVE:
            raise Revert(errors.MODEL_NOT_ACTIVE)
        items, rest = divmod(len(data), model.input_bytes)
        if rest or not 1 <= items <= (4_096 if model.is_batchable else 1):
            raise Revert(errors.BAD_INPUT_SIZE)
        call.charge(items * (model.gas + model.hidden_gas))
        size = model.input_bytes
        try:
            return b"".join(model.run(data[i * size : (i + 1) * size]) for i in range(items))
        except ItemRefused as refused:
            raise Revert(errors.INPUT_OUT_OF_RANGE) from refused

    def _model_info(self, call: PrecompileCall) -> bytes:
        call.charge(2_600)
        model = self.models.get(bytes(call.message.data[:32]))
        number = int.from_bytes(call.message.data[32:64], "big")
        if model is None:
            return bytes(32)
        values = {0: model.status, 1: model.gas, 3: model.input_bytes, 4: model.output_bytes}
        values[7] = int(model.is_batchable)
        return values.get(number, 0).to_bytes(32, "big")


@dataclass(frozen=True, slots=True)
class Contract:
    """A deployed contract, called by the names of its ABI."""

    world: ContractWorld
    address: bytes
    name: str

    @property
    def abi(self) -> ContractAbi:
        """Return its interface."""
        return ContractAbi(self.name)

    def send(
        self, sender: bytes, function: str, *arguments: Any, value: int = 0, gas: int = GAS
    ) -> Done:
        """Call a function and keep what it did; raises `Reverted`."""
        data = self.abi.calldata(function, *arguments)
        return self.world.send(sender, self.address, data, value=value, gas=gas)

    def view(self, function: str, *arguments: Any) -> Any:
        """Return what a view returns; a single value stands alone."""
        return self.result(function, self.send(bytes(20), function, *arguments))

    def result(self, function: str, done: Done) -> Any:
        """Decode what a function returned."""
        return self.abi.result(function, done.output)

    def events(self, done: Done, name: str) -> list[tuple[Any, ...]]:
        """Return the arguments of every event of that name that this contract logged."""
        topic = self.abi.event_topic(name)
        return [
            self.abi.event(name, log.topics, log.data)
            for log in done.logs
            if log.address == self.address and log.topics[0] == topic
        ]

    def error(self, name: str, *arguments: Any) -> bytes:
        """Return the data that an error reverts with."""
        return self.abi.error(name, *arguments)


def _block(height: int) -> BlockEnvironment:
    return BlockEnvironment(
        chain_id=1337,
        number=height,
        timestamp=1_700_000_000 + height,
        coinbase=bytes(20),
        gas_limit=GAS,
        base_fee=0,
        prev_randao=bytes(32),
    )


def block_hash(number: int) -> bytes:
    """Return the hash of the block at a height."""
    return keccak256(b"block" + number.to_bytes(32, "big"))
