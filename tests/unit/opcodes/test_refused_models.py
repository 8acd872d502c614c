"""A validator attests no model that nobody could call."""

from dataclasses import replace

import pytest

from cvm.inference.cost import Cost
from models_registry.record import ModelRecord
from opcodes import gas
from opcodes.model_record import ModelRefused, ModelTooExpensive, OutputTooLarge, validate_callable
from tests.evm_world import RECORD

DEAREST_MACS = (gas.MAX_ACTIVATION_GAS - gas.INFER_BASE - 200 - 6) * (1 << 20) // 1_200
"""With 6,400 bytes of file and one word in and out, exactly at the limit."""


@pytest.mark.parametrize(
    "record",
    [
        pytest.param(replace(RECORD, cost=Cost(float32_macs=DEAREST_MACS)), id="price"),
        pytest.param(replace(RECORD, output_bytes=1 << 20), id="output"),
    ],
)
def test_at_the_limit_is_taken(record: ModelRecord) -> None:
    validate_callable(record)


@pytest.mark.parametrize(
    ("record", "fault", "words"),
    [
        pytest.param(
            replace(RECORD, cost=Cost(float32_macs=DEAREST_MACS + 656)),
            ModelTooExpensive,
            "cost 8388609 gas, at most 8388608",
            id="price",
        ),
        pytest.param(
            replace(RECORD, output_bytes=(1 << 20) + 1),
            OutputTooLarge,
            "1048577 bytes, a call returns at most 1048576",
            id="output",
        ),
    ],
)
def test_over_the_limit_is_refused(
    record: ModelRecord, fault: type[ModelRefused], words: str
) -> None:
    with pytest.raises(fault, match=words):
        validate_callable(record)
