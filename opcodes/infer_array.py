"""INFERARRAY (0xC1): run a registered model on a Solidity `bytes` in the contract's storage."""

from cvm.evm.frame_view import FrameView
from cvm.evm.gas_costs import COLD_SLOT_GAS, WARM_GAS
from cvm.evm.keccak import keccak256
from cvm.evm.machine_limits import WORD_BYTES
from opcodes import errors, gas
from opcodes.inference import (
    Outcome,
    active_model,
    batch_of,
    charge_batch,
    refused,
    run_charged,
)
from opcodes.inference_host import InferenceHost, InferenceLog

WORDS = 1 << 256


def infer_array(host: InferenceHost, log: InferenceLog, frame: FrameView) -> None:
    """Pop model id, slot, output offset and size; push ok.

    Gas: memory expansion; base and the slot of the length (EIP-2929); then, where the model is
    ACTIVE and the length fits, every data slot; then the rest in one charge, as for INFER.
    RETURNDATA and memory are left as by INFER. Allowed in STATICCALL. PROTOCOL section 2.
    """
    # STACK
    model_id = frame.pop().to_bytes(32, "big")
    slot, out_offset, out_size = (frame.pop() for _ in range(3))

    # GAS
    frame.reserve((out_offset, out_size))

    # OPERATION
    outcome = run_on_array(host, log, frame, model_id, slot)
    frame.set_return_data(outcome.output)
    if outcome.ok:
        frame.write(out_offset, outcome.output[:out_size])
    frame.push(int(outcome.ok))


def run_on_array(
    host: InferenceHost, log: InferenceLog, frame: FrameView, model_id: bytes, slot: int
) -> Outcome:
    """Charge step by step, reading nothing that is not paid for, and run the model."""
    frame.charge(gas.INFER_BASE)
    word = load(frame, slot)
    length = array_length(word)
    if length is None:
        return refused(log, model_id, errors.BAD_STORAGE_ARRAY)
    model = active_model(frame, model_id)
    if model is None:
        return refused(log, model_id, errors.MODEL_NOT_ACTIVE)
    batch = batch_of(model, length)
    if batch is None:
        return refused(log, model_id, errors.BAD_INPUT_SIZE)
    if length < WORD_BYTES:
        data = word.to_bytes(WORD_BYTES, "big")[:length]
    else:
        data = load_data(frame, slot, length)
    return run_charged(host, log, model, charge_batch(frame, model, batch), data)


def array_length(word: int) -> int | None:
    """Return the length of the `bytes` whose slot holds a word, None where it is no such slot.

    Up to 31 bytes lie in the slot itself, whose lowest byte is twice the length; of more, the slot
    holds twice the length plus one (Solidity, "Layout of State Variables in Storage").
    """
    length = word >> 1 if word & 1 else (word & 0xFF) >> 1
    return length if (length >= WORD_BYTES) == bool(word & 1) else None


def load_data(frame: FrameView, slot: int, length: int) -> bytes:
    """Return the data of a long array: all slots are charged as warm, then each that is cold."""
    count = -(-length // WORD_BYTES)
    frame.charge(count * WARM_GAS)
    frame.return_gas(count * WARM_GAS)
    first = int.from_bytes(keccak256(slot.to_bytes(WORD_BYTES, "big")), "big")
    words = [load(frame, (first + index) % WORDS) for index in range(count)]
    return b"".join([word.to_bytes(WORD_BYTES, "big") for word in words])[:length]


def load(frame: FrameView, key: int) -> int:
    """Return a value of the contract's storage at SLOAD's price (EIP-2929)."""
    world = frame.world
    slot = world.slots.slot(world.account(frame.address), key)
    frame.charge(COLD_SLOT_GAS if world.slots.warm(slot) else WARM_GAS)
    return world.slots.value(slot)
