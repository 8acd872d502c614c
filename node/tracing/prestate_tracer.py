"""prestateTracer: the accounts that a transaction touched as it found them, and what it changed.

go-ethereum, eth/tracers/native/prestate.go. With `diffMode` the answer is `pre` and `post`: `pre`
has what was changed, `post` only the fields that are new; what was destroyed is in `pre` alone, and
what was created in `post` alone. Who is paid a royalty for an inference is touched by it.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from cvm.evm.calls import CALL, CALLCODE, DELEGATECALL, STATICCALL
from cvm.evm.live_account import delegate_address
from cvm.evm.messages import Message
from cvm.evm.state_reader import EMPTY_CODE_HASH
from cvm.evm.tracer import TracedFrame
from models_registry.registry import read_active_record
from node.execution.execution_chain import LiveWorld
from node.execution.trace_budget import TraceBudget
from node.rpc.encoding import data, quantity, word
from node.rpc.json_value import JsonValue
from node.tracing.transaction_tracer import SilentTracer, TraceEnd, TraceStart
from opcodes.inference import MODEL_ID_BYTES
from opcodes.table import INFER, INFER_ADDRESS, INFERARRAY

SLOAD, SSTORE = 0x54, 0x55
BALANCE, EXTCODESIZE, EXTCODECOPY, EXTCODEHASH, SELFDESTRUCT = 0x31, 0x3B, 0x3C, 0x3F, 0xFF
NAMES_ACCOUNT = frozenset((BALANCE, EXTCODESIZE, EXTCODECOPY, EXTCODEHASH, SELFDESTRUCT))
CALLS = frozenset((CALL, CALLCODE, DELEGATECALL, STATICCALL))
ADDRESS_MASK = (1 << 160) - 1
ACCOUNT_BYTES, SLOT_BYTES = 200, 140


@dataclass(frozen=True, slots=True)
class PrestateOptions:
    """What prestateTracer shows."""

    diff_mode: bool = False
    disable_code: bool = False
    disable_storage: bool = False
    include_empty: bool = False


@dataclass(slots=True)
class Found:
    """An account as the transaction found it."""

    balance: int
    nonce: int
    code: bytes
    storage: dict[int, int] = field(default_factory=dict)

    @property
    def is_empty(self) -> bool:
        """Tell whether nothing was there."""
        return not (self.balance or self.nonce or self.code or any(self.storage.values()))


class PrestateTracer(SilentTracer):
    """See `transaction_tracer.TransactionTracer`."""

    def __init__(self, options: PrestateOptions, budget: TraceBudget) -> None:
        self._options = options
        self._budget = budget
        self._found: dict[bytes, Found] = {}
        self._world: LiveWorld | None = None
        self._number = 0

    def begin(self, start: TraceStart) -> None:
        """Look at everybody whom the transaction itself names."""
        self._world, self._number = start.world, start.block_number
        for address in (start.sender, start.to, start.coinbase, *start.signers):
            if address:
                self._look(address)

    def enter(self, message: Message, _opcode: int | None, _depth: int, /) -> None:
        """Look at the account that a message reaches; a creation has made none yet."""
        self._look(message.target)
        if message.code_address == INFER_ADDRESS:
            self._look_owner(bytes(message.data[:MODEL_ID_BYTES]))

    def step(self, frame: TracedFrame, opcode: int) -> None:
        """Look at what an opcode names, before it runs."""
        stack = frame.stack
        if opcode in (SLOAD, SSTORE):
            if stack and not self._options.disable_storage:
                self._look_slot(frame.address, stack[-1])
        elif opcode in (INFER, INFERARRAY):
            if stack:
                self._look_owner(stack[-1].to_bytes(MODEL_ID_BYTES, "big"))
        elif opcode in NAMES_ACCOUNT:
            if stack:
                self._look((stack[-1] & ADDRESS_MASK).to_bytes(20, "big"))
        elif opcode in CALLS and len(stack) >= 2:
            account = self._look((stack[-2] & ADDRESS_MASK).to_bytes(20, "big"))
            delegate = delegate_address(account.code)
            if delegate is not None:
                self._look(delegate)

    def result(self, _end: TraceEnd, /) -> JsonValue:
        """Return the accounts as they were; with `diff_mode` also what became of them."""
        if self._options.diff_mode:
            return self._difference()
        return {
            data(address): self._account_object(found)
            for address, found in sorted(self._found.items())
            if self._options.include_empty or not found.is_empty
        }

    def touched(self) -> Iterator[tuple[bytes, Found, LiveWorld]]:
        """Yield each account as it was found, by address, with the state as it is."""
        for address, found in sorted(self._found.items()):
            yield address, found, self._world_now()

    def _world_now(self) -> LiveWorld:
        if self._world is None:
            raise LookupError("a tracer was not told where its transaction begins")
        return self._world

    def _look(self, address: bytes) -> Found:
        found = self._found.get(address)
        if found is None:
            world = self._world_now()
            account = world.account(address)
            has_code = account.code_hash != EMPTY_CODE_HASH
            code = world.code_at(address) if has_code else b""
            found = self._found[address] = Found(account.balance, account.nonce, code)
            self._budget.spend(ACCOUNT_BYTES + 2 * len(code))
        return found

    def _look_owner(self, model_id: bytes) -> None:
        """Look at who is paid a royalty for a model, after the transaction."""
        if len(model_id) == MODEL_ID_BYTES:
            model = read_active_record(self._world_now().storage_at, model_id, self._number)
            if model is not None and model.royalty_gas:
                self._look(model.owner)

    def _look_slot(self, address: bytes, slot: int) -> None:
        storage = self._look(address).storage
        if slot not in storage:
            storage[slot] = self._world_now().storage_at(address, slot)
            self._budget.spend(SLOT_BYTES)

    def _difference(self) -> JsonValue:
        """Return what changed: before, and after."""
        world = self._world_now()
        before: dict[str, JsonValue] = {}
        after: dict[str, JsonValue] = {}
        for address, found in sorted(self._found.items()):
            account = world.account(address)
            is_gone = not account.exists and not found.is_empty
            slots = {slot: world.storage_at(address, slot) for slot in found.storage}
            written = {slot: now for slot, now in slots.items() if now != found.storage[slot]}
            changed = {} if is_gone else self._changed(world, address, found, written)
            if is_gone:
                before[data(address)] = self._account_object(found)
            elif changed or written:
                after[data(address)] = changed
                kept = {slot: found.storage[slot] for slot in written if found.storage[slot]}
                if not found.is_empty:
                    shown = Found(found.balance, found.nonce, found.code, kept)
                    before[data(address)] = self._account_object(shown)
        return {"pre": before, "post": after}

    def _changed(
        self, world: LiveWorld, address: bytes, found: Found, written: dict[int, int]
    ) -> dict[str, JsonValue]:
        """Return the fields of an account that are new; a slot that is 0 now is left out."""
        account = world.account(address)
        code = world.code_at(address)
        result: dict[str, JsonValue] = {}
        if account.balance != found.balance:
            result["balance"] = quantity(account.balance)
        if account.nonce != found.nonce:
            result["nonce"] = account.nonce
        if code != found.code and not self._options.disable_code:
            result["code"] = data(code)
        kept = {word(slot): word(now) for slot, now in written.items() if now}
        if kept:
            result["storage"] = kept
        return result

    def _account_object(self, found: Found) -> dict[str, JsonValue]:
        """Return an account; what is zero is left out, but for the balance."""
        result: dict[str, JsonValue] = {"balance": quantity(found.balance)}
        if found.nonce:
            result["nonce"] = found.nonce
        if found.code and not self._options.disable_code:
            result["code"] = data(found.code)
        if found.storage:
            slots = sorted(found.storage.items())
            result["storage"] = {word(slot): word(value) for slot, value in slots}
        return result
