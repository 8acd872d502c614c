"""A small world for tests of opcodes and execution: accounts, one registered model, a fake host."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from cvm.evm.execution import BlockContext, environment_of
from cvm.evm.forks import OSAKA
from cvm.evm.message_rules import Additions, Interpreter, Rules
from cvm.evm.messages import Message, TransactionEnvironment
from cvm.evm.native.machine_memory import MachineMemory
from cvm.evm.native_interpreter import NativeInterpreter
from cvm.evm.precompiles.table import precompiles
from cvm.evm.world_state import WorldState
from cvm.inference.cost import Cost
from models_registry.addresses import MODEL_REGISTRY
from models_registry.record import ModelRecord
from models_registry.registry import (
    ENTRIES_SLOT,
    RECORD_WORD,
    REGISTRATION_WORD,
    RUN_WORD,
    TOKEN_OWNERS_SLOT,
    RegistryStatus,
    array_element_slot,
    mapping_slot,
)
from opcodes.inference_host import InferenceLog
from opcodes.table import ai_additions
from tests.memory_state import MemoryState

INTERPRETER: type[Interpreter] = NativeInterpreter
"""What runs in every world; the fixture `interpreter` runs a test on each."""

CHAIN_ID = 7
BLOCK_NUMBER = 100
CALLER = b"\xca" * 20
CONTRACT = b"\xc0" * 20
OWNER = b"\x0e" * 20
MODEL_ID = b"\x77" * 32
RECORD = ModelRecord(
    engine=1,
    size_bytes=6_400,
    batchable=True,
    input_bytes=4,
    output_bytes=8,
    cost=Cost(float32_macs=1_000_000, elementwise=2_000, nodes=3),
    test_hash=bytes(32),
)


@dataclass
class FakeHost:
    """Doubles every input byte; `fault` is raised instead where it is set."""

    fault: Exception | None = None
    ran: list[bytes] = field(default_factory=list)

    def run(self, model_id: bytes, data: bytes) -> bytes:
        self.ran.append(data)
        if self.fault is not None:
            raise self.fault
        return bytes(part for byte in data for part in (byte, byte))


def context(number: int = BLOCK_NUMBER, base_fee: int = 7) -> BlockContext:
    return BlockContext(
        chain_id=CHAIN_ID,
        number=number,
        timestamp=1_000 + number,
        coinbase=b"\xcb" * 20,
        gas_limit=1 << 25,
        base_fee=base_fee,
        prev_randao=bytes(32),
        parent_hash=bytes(32),
        parent_beacon_block_root=bytes(32),
    )


def no_hash(_number: int) -> bytes:
    return bytes(32)


def registry_storage(
    record: ModelRecord = RECORD, activation_height: int = 1, royalty_gas: int = 0
) -> Mapping[int, int]:
    """Return an entry in the registry's storage, as `register` and `activate` leave it."""
    entry = mapping_slot(ENTRIES_SLOT, MODEL_ID)
    data = record.encode()
    registration = record.size_bytes << 64 | 1 << 128 | 1 << 192 | RegistryStatus.PENDING << 224
    slots = {
        mapping_slot(TOKEN_OWNERS_SLOT, MODEL_ID): int.from_bytes(OWNER, "big"),
        entry + RUN_WORD: activation_height | royalty_gas << 128 | royalty_gas << 192,
        entry + REGISTRATION_WORD: registration,
        entry + RECORD_WORD: 2 * len(data) + 1,
    }
    for index in range(-(-len(data) // 32)):
        word = data[32 * index : 32 * index + 32].ljust(32, b"\0")
        slots[array_element_slot(entry + RECORD_WORD, index)] = int.from_bytes(word, "big")
    return slots


@dataclass(frozen=True, slots=True)
class Ran:
    """How a message ended; `error` is None or names the halt."""

    output: bytes
    error: str | None
    gas_used: int
    gas_left: int

    @property
    def is_success(self) -> bool:
        return self.error is None


class World:
    """A state with the AI opcodes; every run is a transaction of its own on it."""

    def __init__(self, additions: Additions | None = None) -> None:
        self.host = FakeHost()
        self.log = InferenceLog()
        self.additions = ai_additions(self.host, self.log) if additions is None else additions
        self.state = MemoryState()
        self.state.put(CALLER, balance=10**18)

    def register(
        self, record: ModelRecord = RECORD, activation_height: int = 1, royalty_gas: int = 0
    ) -> None:
        """Write the model into the registry's storage."""
        slots = registry_storage(record, activation_height, royalty_gas)
        self.state.put(MODEL_REGISTRY, nonce=1, storage=slots)

    def put_code(self, address: bytes, code: bytes) -> None:
        self.state.put(address, code=code)

    def run(
        self,
        code: bytes = b"",
        *,
        to: bytes = CONTRACT,
        data: bytes = b"",
        gas: int = 10_000_000,
        value: int = 0,
        is_static: bool = False,
        blob_hashes: tuple[bytes, ...] = (),
    ) -> Ran:
        """Run a message; with `code`, the contract is given it first."""
        if code:
            self.put_code(to, code)
        world = WorldState(self.state, MachineMemory(), OSAKA, no_hash)
        for address in (*precompiles(OSAKA), *self.additions.precompiles):
            world.keep_warm(address)
        block = environment_of(context(), OSAKA)
        interpreter = INTERPRETER(Rules(world, block, precompiles(OSAKA), self.additions))
        world.begin_transaction()
        message = Message(CALLER, to, to, value, gas, data, is_static=is_static)
        outcome = interpreter.execute(message, TransactionEnvironment(CALLER, 1, blob_hashes))
        used = gas - outcome.gas_left
        return Ran(outcome.output, outcome.error, used, outcome.gas_left)


def push(value: int | bytes) -> bytes:
    """Return the shortest PUSH of a number or of bytes."""
    data = (
        value
        if isinstance(value, bytes)
        else value.to_bytes(max(1, -(-value.bit_length() // 8)), "big")
    )
    return bytes([0x5F + len(data)]) + data


STOP, MSTORE8, MSTORE, RETURN, REVERT, POP = (
    bytes.fromhex(op) for op in ("00", "53", "52", "f3", "fd", "50")
)
RETURNDATASIZE, RETURNDATACOPY, GAS = (bytes.fromhex(op) for op in ("3d", "3e", "5a"))
CALL, CALLCODE, DELEGATECALL, STATICCALL, INFER = (
    bytes.fromhex(op) for op in ("f1", "f2", "f4", "fa", "c0")
)


def store_bytes(data: bytes, offset: int = 0) -> bytes:
    """Return code that writes bytes to memory one by one."""
    return b"".join(push(byte) + push(offset + i) + MSTORE8 for i, byte in enumerate(data))


def infer_code(
    in_offset: int = 0,
    in_size: int = 4,
    out_offset: int = 32,
    out_size: int = 8,
    model_id: bytes = MODEL_ID,
) -> bytes:
    """Return INFER with its five arguments, which leaves ok on the stack."""
    arguments = (out_size, out_offset, in_size, in_offset)
    return b"".join(push(value) for value in arguments) + push(model_id) + INFER


def return_top(size: int = 32) -> bytes:
    """Return code that ends the frame with the top of the stack as output."""
    return push(0) + MSTORE + push(size) + push(0) + RETURN


RETURN_RETURNDATA = (
    RETURNDATASIZE + push(0) + push(0) + RETURNDATACOPY + RETURNDATASIZE + push(0) + RETURN
)
