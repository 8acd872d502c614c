"""The cvm_ methods about models: what is registered, and what an inference would cost."""

from cvm.inference.graph import Value
from cvm.inference.limits import MAX_BATCH
from models_registry.record import ModelRecord
from models_registry.registry import RegistryEntry
from node.rpc.chain_view import ChainView
from node.rpc.cvm_inferences import gas_object
from node.rpc.encoding import data, quantity
from node.rpc.faults import InvalidParams, ServerError
from node.rpc.parameters import Hash, OptionalUint64, Uint64
from node.rpc.registry import JsonValue, rpc_method
from opcodes.gas import compute_gas, load_gas


@rpc_method("cvm_getModel")
async def get_model(chain: ChainView, model_id: Hash) -> JsonValue:
    """Return a registered model, or null."""
    entry = chain.model_entry(model_id)
    return None if entry is None else model_object(entry)


@rpc_method("cvm_listModels", is_long=True)
async def list_models(chain: ChainView) -> list[JsonValue]:
    """Return every registered model, in order of registration."""
    entries = (chain.model_entry(model_id) for model_id in chain.model_ids())
    return [model_object(entry) for entry in entries if entry is not None]


@rpc_method("cvm_modelStatus")
async def model_status(
    chain: ChainView, model_id: Hash, size_bytes: OptionalUint64 = None
) -> JsonValue:
    """Return where a model stands on chain and at this node.

    `size_bytes` tells how many chunks a model that is not registered yet has.
    """
    entry = chain.model_entry(model_id)
    if entry is not None and size_bytes not in (None, entry.size_bytes):
        raise InvalidParams(
            f"invalid argument 1: size {size_bytes}, but model {data(model_id)} "
            f"is registered with {entry.size_bytes} bytes"
        )
    status = chain.model_status(model_id, size_bytes)
    return {
        "status": "none" if entry is None else status_name(entry),
        "hasBytes": status.has_bytes,
        "missingChunks": [quantity(index) for index in status.missing_chunks],
        "record": None if status.record is None else data(status.record.encode()),
        "recordHash": None if status.record is None else data(status.record.hash),
        "refusal": status.refusal,
        "attestations": [data(signature) for signature in status.attestations],
        "activationHeight": None if entry is None else _known_height(entry.activation_height),
    }


@rpc_method("cvm_modelInterface", is_long=True)
async def model_interface(chain: ChainView, model_id: Hash) -> JsonValue:
    """Return what a model whose bytes lie here takes and gives, in the order of packing."""
    interface = await chain.model_interface(model_id)
    return {
        "inputs": [_value_object(value) for value in interface.inputs],
        "outputs": [_value_object(value) for value in interface.outputs],
        "batchable": interface.batchable,
    }


@rpc_method("cvm_estimateInference")
async def estimate_inference(chain: ChainView, model_id: Hash, batch: Uint64) -> JsonValue:
    """Return what one call of INFER with a batch would be charged, part by part and in all."""
    entry = chain.model_entry(model_id)
    if entry is None:
        raise ServerError(f"model {data(model_id)} is not registered; see cvm_listModels")
    _validate_batch(entry, batch)
    quote = chain.inference_quote(entry, batch)
    if quote is None:
        raise ServerError(
            f"model {data(model_id)} is {status_name(entry)}, not active; see cvm_modelStatus"
        )
    return gas_object(quote)


def model_object(entry: RegistryEntry) -> dict[str, JsonValue]:
    """Return a registered model; what its record tells is null until it has one."""
    return {
        "modelId": data(entry.model_id),
        "owner": data(entry.owner),
        "size": quantity(entry.size_bytes),
        "status": status_name(entry),
        "royaltyGas": quantity(entry.royalty_gas),
        "nextRoyaltyGas": quantity(entry.next_royalty_gas),
        "royaltyHeight": _known_height(entry.royalty_height),
        "uri": entry.uri,
        "deposit": quantity(entry.deposit),
        "activationHeight": _known_height(entry.activation_height),
        "retirementHeight": _known_height(entry.retirement_height),
        **_record_fields(entry.record),
    }


def _value_object(value: Value) -> JsonValue:
    shape = [quantity(length) for length in value.type.shape]
    return {"name": value.name, "dtype": value.type.dtype, "shape": shape}


def status_name(entry: RegistryEntry) -> str:
    """Return the status as the API names it: pending, active, expired or retired."""
    return entry.status.name.lower()


def _record_fields(record: ModelRecord | None) -> dict[str, JsonValue]:
    if record is None:
        names = ("engine", "inputBytes", "outputBytes", "batchable", "gasPerItem", "loadGas")
        return dict.fromkeys((*names, "recordHash", "cost"))
    cost = record.cost
    return {
        "engine": quantity(record.engine),
        "inputBytes": quantity(record.input_bytes),
        "outputBytes": quantity(record.output_bytes),
        "batchable": record.batchable,
        "gasPerItem": quantity(compute_gas(cost)),
        "loadGas": quantity(load_gas(record.size_bytes)),
        "recordHash": data(record.hash),
        "cost": {
            "float32Macs": quantity(cost.float32_macs),
            "int8Macs": quantity(cost.int8_macs),
            "elementwise": quantity(cost.elementwise),
            "transcendental": quantity(cost.transcendental),
            "bytesMoved": quantity(cost.bytes_moved),
            "nodes": quantity(cost.nodes),
            "weightBytes": quantity(cost.weight_bytes),
            "peakBytes": quantity(cost.peak_bytes),
        },
    }


def _known_height(height: int) -> str | None:
    return quantity(height) if height else None


def _validate_batch(entry: RegistryEntry, batch: int) -> None:
    is_batchable = entry.record is None or entry.record.batchable
    largest = MAX_BATCH if is_batchable else 1
    if not 1 <= batch <= largest:
        raise InvalidParams(f"invalid argument 1: batch {batch}; this model takes 1 to {largest}")
