"""MODELINFO (0xC2): one fact about a model, from the registry."""

from cvm.evm.frame_view import FrameView
from models_registry.registry import RegistryEntry, read_entry
from opcodes import errors, gas
from opcodes.inference import Caller, storage_of

STATUS, GAS_PER_ITEM, LOAD_GAS, INPUT_BYTES, OUTPUT_BYTES = range(5)
OWNER, ROYALTY_GAS, BATCHABLE, ENGINE, ACTIVATION_HEIGHT = range(5, 10)
FIELD_COUNT = 10


def model_info(frame: FrameView) -> None:
    """Pop model id and field; push the value.

    Gas: `gas.MODELINFO`. RETURNDATA is left empty, or holds the selector of `BadField()` where
    there is no such field; then the value is 0. Allowed in STATICCALL. PROTOCOL section 2.
    """
    # STACK
    model_id, field = frame.pop().to_bytes(32, "big"), frame.pop()

    # GAS
    frame.charge(gas.MODELINFO)

    # OPERATION
    value = field_value(frame, model_id, field)
    frame.set_return_data(errors.BAD_FIELD if value is None else b"")
    frame.push(value or 0)


def field_value(frame: Caller, model_id: bytes, field: int) -> int | None:
    """Return a field of a model at the block's height, None where there is no such field.

    0 where the model was never registered; what its record would say is 0 until it is accepted.
    """
    if field >= FIELD_COUNT:
        return None
    entry = read_entry(storage_of(frame.world), model_id, frame.block.number)
    if entry is None:
        return 0
    if field == STATUS:
        return int(entry.status)
    if field == OWNER:
        return int.from_bytes(entry.owner, "big")
    if field == ACTIVATION_HEIGHT:
        return entry.activation_height
    return record_value(entry, field)


def record_value(entry: RegistryEntry, field: int) -> int:
    """Return a field that follows from the record."""
    record = entry.record
    if record is None:
        return 0
    values = {
        GAS_PER_ITEM: gas.compute_gas(record.cost),
        LOAD_GAS: gas.load_gas(record.size_bytes),
        INPUT_BYTES: record.input_bytes,
        OUTPUT_BYTES: record.output_bytes,
        ROYALTY_GAS: gas.royalty_gas(record.cost, entry.royalty_gas),
        BATCHABLE: int(record.batchable),
        ENGINE: record.engine,
    }
    return values[field]
