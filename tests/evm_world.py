"""A small world for tests of opcodes and execution: accounts, one registered model, a fake host."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, cast

from eth.abc import ComputationAPI
from eth.constants import BLANK_ROOT_HASH
from eth.vm.forks.prague.state import PragueState
from eth.vm.message import Message
from eth.vm.transaction_context import BaseTransactionContext

from cvm.evm.execution import BlockContext, open_state
from cvm.evm.machine import Additions, state_class_with
from cvm.evm.overlay_database import OverlayDatabase
from cvm.inference.cost import Cost
from models_registry.addresses import MODEL_REGISTRY
from models_registry.record import ModelRecord
from models_registry.registry import (
    ENTRIES_SLOT,
    HEIGHTS_WORD,
    OWNER_WORD,
    RECORD_WORD,
    RegistryStatus,
    array_element_slot,
    mapping_slot,
)
from opcodes.inference_host import InferenceLog
from opcodes.table import ai_additions

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


def no_hashes() -> Iterator[bytes]:
    return iter(())


class World:
    """A state with the AI opcodes on an empty database."""

    def __init__(self, additions: Additions | None = None) -> None:
        self.host = FakeHost()
        self.log = InferenceLog()
        self.state: PragueState = open_state(
            state_class_with(ai_additions(self.host, self.log) if additions is None else additions),
            OverlayDatabase({}.get),  # type: ignore[arg-type]  # dict.get is overloaded
            bytes(BLANK_ROOT_HASH),
            context(),
            no_hashes(),
        )
        self.state.set_balance(cast(Any, CALLER), 10**18)

    def register(
        self, record: ModelRecord = RECORD, activation_height: int = 1, royalty_gas: int = 0
    ) -> None:
        """Write an entry into the registry's storage, as `register` and `activate` leave it."""
        entry = mapping_slot(ENTRIES_SLOT, MODEL_ID)
        data = record.encode()
        owner = (
            int.from_bytes(OWNER, "big") | record.size_bytes << 160 | RegistryStatus.PENDING << 224
        )
        heights = 1 | activation_height << 64 | 1 << 128 | royalty_gas << 192
        self._store(entry + OWNER_WORD, owner)
        self._store(entry + HEIGHTS_WORD, heights)
        self._store(entry + RECORD_WORD, 2 * len(data) + 1)
        for index in range(-(-len(data) // 32)):
            word = data[32 * index : 32 * index + 32].ljust(32, b"\0")
            self._store(array_element_slot(entry + RECORD_WORD, index), int.from_bytes(word, "big"))

    def _store(self, slot: int, value: int) -> None:
        self.state.set_storage(cast(Any, MODEL_REGISTRY), slot, value)

    def put_code(self, address: bytes, code: bytes) -> None:
        self.state.set_code(cast(Any, address), code)

    def run(
        self,
        code: bytes = b"",
        *,
        to: bytes = CONTRACT,
        data: bytes = b"",
        gas: int = 10_000_000,
        value: int = 0,
        is_static: bool = False,
    ) -> ComputationAPI:
        """Run a message; with `code`, the contract is given it first."""
        if code:
            self.put_code(to, code)
        message = Message(
            gas=gas,
            to=cast(Any, to),
            sender=cast(Any, CALLER),
            value=value,
            data=data,
            code=self.state.get_code(cast(Any, to)),
            is_static=is_static,
        )
        transaction = BaseTransactionContext(gas_price=1, origin=cast(Any, CALLER))
        self.state.lock_changes()
        return self.state.computation_class.apply_message(self.state, message, transaction)


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
