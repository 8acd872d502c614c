"""The record that every validator builds of a model, by itself, from the model's bytes."""

import hashlib
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from cvm.inference.faults import InferenceFault
from cvm.inference.model_file import Model
from cvm.inference.tensor_bytes import encode_tensors
from cvm.inference.tensor_type import Array, TensorType
from models_registry.record import ModelRecord
from opcodes import errors, gas

FLOAT_STEP_SHIFT = 6
"""A byte b becomes the float (b - 128) / 2**6: exact, between -2 and 2."""


class ModelRefused(Exception):
    """The file keeps the engine's rules, but nobody could call the model."""


class OutputTooLarge(ModelRefused):
    """One item gives more bytes than a call may return (PROTOCOL section 2)."""

    def __init__(self, size_bytes: int, limit: int) -> None:
        super().__init__(
            f"one item gives {size_bytes} bytes, a call returns at most {limit}: "
            "give the model a smaller output, such as a sum, a maximum or an index"
        )
        self.size_bytes = size_bytes


class RoyaltyTooHigh(ModelRefused):
    """The registration asks for more than a quarter of the compute gas (PROTOCOL section 3)."""

    def __init__(self, royalty_gas: int, most: int) -> None:
        super().__init__(
            f"the royalty is {royalty_gas} gas an item, at most {most}: a quarter of"
            " its compute gas"
        )


class WrongSize(ModelRefused):
    """The registration names another size, and so another deposit, than the file has."""

    def __init__(self, size_bytes: int, registered: int) -> None:
        super().__init__(f"the model has {size_bytes} bytes, but is registered with {registered}")


class ModelTooExpensive(ModelRefused):
    """One call would cost more gas than a transaction can bring (PROTOCOL section 3)."""

    def __init__(self, cost: int, limit: int) -> None:
        super().__init__(
            f"base + load + one item cost {cost} gas, at most {limit}: "
            "use a smaller or a quantised model"
        )
        self.cost = cost


def build_record(model_id: bytes, model: Model, run: Callable[[bytes], bytes]) -> ModelRecord:
    """Return the record of a checked model; `run` gives the packed output of one packed item.

    Raises `ModelRefused`; a `LocalFault` of `run` passes through.
    """
    record = ModelRecord(
        engine=model.engine,
        size_bytes=model.size_bytes,
        batchable=model.batchable,
        input_bytes=model.input_bytes,
        output_bytes=model.output_bytes,
        cost=model.cost,
        test_hash=bytes(32),
    )
    validate_callable(record)
    types = tuple(value.type for value in model.graph.inputs)
    try:
        output = run(test_input(model_id, types))
    except InferenceFault:
        output = errors.INPUT_OUT_OF_RANGE
    return replace(record, test_hash=hashlib.sha256(output).digest())


def validate_callable(record: ModelRecord) -> None:
    """Refuse a model that costs or gives more than a call may; raises `ModelRefused`."""
    validate_price(record)
    if record.output_bytes > gas.MAX_OUTPUT_BYTES:
        raise OutputTooLarge(record.output_bytes, gas.MAX_OUTPUT_BYTES)


def validate_size(size_bytes: int, registered: int) -> None:
    """Refuse a registration with another size than the file's; raises `ModelRefused`.

    The id binds the file's size, which no contract can see: deposit, fee and the registry's bounds
    on bytes follow from what was registered.
    """
    if size_bytes != registered:
        raise WrongSize(size_bytes, registered)


def validate_royalty(record: ModelRecord, royalty_gas: int) -> None:
    """Refuse a registered royalty over a quarter of the compute gas; raises `ModelRefused`."""
    most = gas.compute_gas(record.cost) // gas.MAX_ROYALTY_DIVISOR
    if royalty_gas > most:
        raise RoyaltyTooHigh(royalty_gas, most)
    validate_price(record, royalty_gas)


def validate_price(record: ModelRecord, royalty_gas: int = 0) -> None:
    """Refuse a model whose base + load + one item with its royalty exceeds 2**23 gas."""
    charge = gas.inference_gas(
        record.cost,
        size_bytes=record.size_bytes,
        batch=1,
        item_input_bytes=record.input_bytes,
        item_output_bytes=record.output_bytes,
        registered_royalty=royalty_gas,
        first_touch=True,
    )
    if charge.total > gas.MAX_ACTIVATION_GAS:
        raise ModelTooExpensive(charge.total, gas.MAX_ACTIVATION_GAS)


def test_input(model_id: bytes, types: tuple[TensorType, ...]) -> bytes:
    """Return the packed item on which `testHash` is made.

    SHAKE256(modelId) yields one byte per element, inputs in graph order, elements in C order:
    float32 (b - 128) / 64, int8 b - 128, uint8 and wider integers b, bool b & 1.
    """
    stream = hashlib.shake_256(model_id).digest(sum(kind.size for kind in types))
    tensors = []
    offset = 0
    for kind in types:
        drawn = np.frombuffer(stream, np.uint8, kind.size, offset).reshape(kind.shape)
        tensors.append(mapped(drawn, kind.dtype))
        offset += kind.size
    return encode_tensors(tensors)


def mapped(drawn: Array, dtype: str) -> Array:
    """Map bytes into the legal range of a dtype."""
    if dtype == "float32":
        centred = drawn.astype(np.int32) - 128
        return np.ldexp(centred.astype(np.float32), -FLOAT_STEP_SHIFT)
    if dtype == "int8":
        return (drawn.astype(np.int16) - 128).astype(np.int8)
    if dtype == "bool":
        return (drawn & 1).astype(np.bool_)
    return drawn.astype(dtype)
