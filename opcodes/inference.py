"""One inference, as the opcode and its precompile twin share it: registry, gas, run."""

from dataclasses import dataclass
from typing import Protocol

from cvm.evm.halts import Revert
from cvm.evm.message_rules import PrecompileCall
from cvm.evm.messages import BlockEnvironment
from cvm.evm.world_state import WorldState
from cvm.inference.faults import BadInputSize, InferenceFault
from cvm.inference.limits import MAX_BATCH
from models_registry.registry import ActiveModel, StorageReader, read_active_record
from opcodes import errors, gas
from opcodes.inference_host import InferenceCall, InferenceHost, InferenceLog

TOUCHED_MODELS = (0x0C00).to_bytes(20, "big")
"""Transient storage under this address marks the models that the transaction has loaded.

It is cleared with the transaction and rolled back with the frame, and no code can write
there: the address is a precompile's.
"""


MODEL_ID_BYTES = 32


class Caller(Protocol):
    """The frame or the call of the twin that an inference is charged to."""

    world: WorldState
    block: BlockEnvironment

    def charge(self, gas: int) -> None:
        """Take gas; raises `OutOfGas`."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """`output` is RETURNDATA: the whole output, or a selector where `ok` is False."""

    ok: bool
    output: bytes


def run_inference(
    host: InferenceHost, log: InferenceLog, frame: Caller, model_id: bytes, data: bytes
) -> Outcome:
    """Charge for a batch of one model and run it.

    Gas: base; then, where the model is ACTIVE and the size fits, load + batch * (compute +
    royalty) + bytes in one charge before any work. Raises `OutOfGas`, or a
    `LocalFault` when this machine cannot answer. PROTOCOL section 2.
    """
    frame.charge(gas.INFER_BASE)
    model = active_model(frame, model_id)
    if model is None:
        return refused(log, model_id, errors.MODEL_NOT_ACTIVE)
    batch = batch_of(model, len(data))
    if batch is None:
        return refused(log, model_id, errors.BAD_INPUT_SIZE)
    charge = charge_batch(frame, model, batch)
    return run_charged(host, log, model, charge, data)


def active_model(frame: Caller, model_id: bytes) -> ActiveModel | None:
    """Return the model that contracts may call at the block's height, or None."""
    return read_active_record(storage_of(frame.world), model_id, frame.block.number)


def charge_batch(frame: Caller, model: ActiveModel, batch: int) -> gas.InferenceGas:
    """Charge all but the base of a call, and note that the model is loaded; `OutOfGas`."""
    charge = price(model, batch, first_touch=not is_touched(frame, model.model_id))
    frame.charge(charge.total - gas.INFER_BASE)
    touch(frame, model.model_id)
    return charge


def run_charged(
    host: InferenceHost,
    log: InferenceLog,
    model: ActiveModel,
    charge: gas.InferenceGas,
    data: bytes,
) -> Outcome:
    """Run a batch that is paid for, and note the call."""
    outcome = answer(host, model.model_id, data)
    call = InferenceCall(model.model_id, model.owner, outcome.ok, charge, data, outcome.output)
    log.add(call)
    return outcome


def refuse_value(call: PrecompileCall) -> None:
    """Revert where a call of a twin would move value there."""
    if call.message.value and call.message.transfers:
        raise Revert(b"")


def answer(host: InferenceHost, model_id: bytes, data: bytes) -> Outcome:
    """Run the model and turn what every machine finds into the contract's view of it."""
    try:
        return Outcome(True, host.run(model_id, data))
    except BadInputSize:
        return Outcome(False, errors.BAD_INPUT_SIZE)
    except InferenceFault:
        return Outcome(False, errors.INPUT_OUT_OF_RANGE)


def refused(log: InferenceLog, model_id: bytes, selector: bytes) -> Outcome:
    """Note a call that was charged its base only, without its input, whose size cost nothing."""
    charge = gas.InferenceGas(gas.INFER_BASE, 0, 0, 0, 0)
    log.add(InferenceCall(model_id, b"", False, charge, b"", selector))
    return Outcome(False, selector)


def batch_of(model: ActiveModel, size_bytes: int) -> int | None:
    """Return how many items the input holds, or None where it does not fit the model."""
    record = model.record
    if size_bytes == 0 or size_bytes % record.input_bytes:
        return None
    batch = size_bytes // record.input_bytes
    if batch > (MAX_BATCH if record.batchable else 1):
        return None
    if batch * record.output_bytes > gas.MAX_OUTPUT_BYTES:
        return None
    return batch


def price(model: ActiveModel, batch: int, *, first_touch: bool) -> gas.InferenceGas:
    """Return the charge from the registry's record."""
    record = model.record
    return gas.inference_gas(
        record.cost,
        size_bytes=record.size_bytes,
        batch=batch,
        item_input_bytes=record.input_bytes,
        item_output_bytes=record.output_bytes,
        registered_royalty=model.royalty_gas,
        first_touch=first_touch,
    )


def is_touched(frame: Caller, model_id: bytes) -> bool:
    """Tell whether the transaction has already paid for loading the model."""
    return frame.world.slots.value(touched_slot(frame, model_id)) != 0


def touch(frame: Caller, model_id: bytes) -> None:
    """Note that the model is loaded; undone when the frame is."""
    frame.world.slots.set(touched_slot(frame, model_id), 1)


def touched_slot(frame: Caller, model_id: bytes) -> int:
    """Return the slot of transient storage that marks a model."""
    marks = frame.world.account(TOUCHED_MODELS)
    return frame.world.slots.transient(marks, int.from_bytes(model_id, "big"))


def storage_of(world: WorldState) -> StorageReader:
    """Return a reader of contract storage; reading warms nothing (PROTOCOL section 2)."""

    def read(address: bytes, slot: int, /) -> int:
        return world.storage(world.account(address), slot)

    return read
