"""Runs contracts on py-evm's Prague rules, one message at a height that the test chooses."""

from dataclasses import dataclass
from typing import Any

from eth.db.atomic import AtomicDB
from eth.vm.execution_context import ExecutionContext
from eth.vm.forks.cancun.transaction_context import CancunTransactionContext
from eth.vm.forks.prague import PragueVM
from eth.vm.message import Message
from eth_abi.abi import decode, encode
from eth_hash.auto import keccak
from eth_typing import Address, BlockNumber, Hash32

from models_registry.registry_calls import selector

CHAIN_ID = 1337
GAS = 30_000_000
EMPTY_ROOT = Hash32(keccak(b"\x80"))


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

    def __init__(self) -> None:
        self.height = 1
        self._state = PragueVM.get_state_class()(AtomicDB(), _context(1), EMPTY_ROOT)

    def place(self, address: bytes, code: bytes, storage: dict[int, int] | None = None) -> None:
        """Put an account there, as genesis does."""
        self._state.set_code(Address(address), code)
        self._state.set_nonce(Address(address), 1)
        for slot, value in (storage or {}).items():
            self._state.set_storage(Address(address), slot, value)

    def storage(self, address: bytes, slot: int, /) -> int:
        """Read a word, as `StorageReader` does."""
        return int(self._state.get_storage(Address(address), slot))

    def create(self, sender: bytes, init_code: bytes) -> bytes:
        """Create a contract and return its address."""
        created = keccak(b"created" + init_code)[12:]
        self._run(sender, b"", init_code, b"", Address(created))
        return bytes(created)

    def send(self, sender: bytes, to: bytes, data: bytes, gas: int = GAS) -> Answer:
        """Run a message and keep what it did; raises `Reverted`."""
        return self._run(sender, to, self._state.get_code(Address(to)), data, None, gas)

    def dry_run(self, sender: bytes, to: bytes, data: bytes, height: int) -> Answer:
        """Run a message as at a height and keep nothing; raises `Reverted`."""
        before, at_height = self._state.snapshot(), self.height
        self.height = height
        try:
            return self._run(
                sender, to, self._state.get_code(Address(to)), data, None, GAS, keeps=False
            )
        finally:
            self._state.revert(before)
            self.height = at_height

    def view(self, to: bytes, signature: str, arguments: list[Any], returns: list[str]) -> Any:
        """Call a view by its signature and decode what it returns."""
        types = signature[signature.index("(") + 1 : -1]
        data = selector(signature) + encode(types.split(",") if types else [], arguments)
        values = decode(returns, self.send(bytes(20), to, data).output)
        return values[0] if len(values) == 1 else values

    def _run(
        self,
        sender: bytes,
        to: bytes,
        code: bytes,
        data: bytes,
        create_address: Address | None,
        gas: int = GAS,
        keeps: bool = True,
    ) -> Answer:
        self._state.execution_context = _context(self.height)
        context = CancunTransactionContext(gas_price=0, origin=Address(sender))
        computation_class = self._state.computation_class
        if create_address is None:
            message = Message(gas, Address(to), Address(sender), 0, data, code)
            apply = computation_class.apply_message
        else:
            message = Message(
                gas, Address(to), Address(sender), 0, data, code, create_address=create_address
            )
            apply = computation_class.apply_create_message
        computation = apply(self._state, message, context)
        if keeps:
            self._state.lock_changes()
        self._state.clear_transient_storage()
        if computation.is_error:
            raise Reverted(bytes(computation.output))
        logs = tuple(
            (bytes(address), tuple(topic.to_bytes(32, "big") for topic in topics), bytes(log_data))
            for address, topics, log_data in computation.get_log_entries()
        )
        return Answer(bytes(computation.output), logs, computation.get_gas_used())


def _context(height: int) -> ExecutionContext:
    return ExecutionContext(
        coinbase=Address(bytes(20)),
        timestamp=1_700_000_000 + height,
        block_number=BlockNumber(height),
        difficulty=0,
        mix_hash=Hash32(bytes(32)),
        gas_limit=GAS,
        prev_hashes=(),
        chain_id=CHAIN_ID,
        base_fee_per_gas=0,
        excess_blob_gas=0,
    )


def _number(height: int) -> Any:
    return height
