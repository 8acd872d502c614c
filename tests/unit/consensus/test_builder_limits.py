"""What a builder leaves out for room: bytes of the block, and inference that no block can hold."""

import pytest

from consensus import block_execution
from consensus.block import decode_block
from consensus.faults import InferenceGasTooHigh
from cvm.evm.faults import InvalidTransaction, TransactionVetoed
from tests.unit.consensus.test_block_execution import (
    INFERENCE,
    Chain,
    infer,
    reasons,
    send,
    taken,
)


def test_eip_7934_a_block_is_never_longer_than_what_nodes_decode(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A longer one would be stored and never be read again."""
    monkeypatch.setattr(block_execution, "MAX_BLOCK_BYTES", 6_000)
    chain = Chain()
    transactions = [send(index, data=bytes(2_000), gas=100_000) for index in range(3)]
    checked, left_out = chain.build(*transactions, send(3))
    assert taken(checked) == [*transactions[:2], send(3)]
    assert reasons(left_out) == [TransactionVetoed]
    assert "block size" in str(left_out[0][1])
    assert len(checked.block.encode()) <= 6_000
    assert decode_block(checked.block.encode()).hash == checked.block.hash


def test_inference_that_no_block_can_hold_is_invalid_and_not_tried_again() -> None:
    chain = Chain(cap=INFERENCE - 1)
    _checked, left_out = chain.build(infer(0))
    assert reasons(left_out) == [InferenceGasTooHigh]
    assert issubclass(InferenceGasTooHigh, InvalidTransaction)
    assert f"{INFERENCE} gas" in str(left_out[0][1])


def test_inference_that_another_block_can_hold_waits() -> None:
    chain = Chain(cap=2 * INFERENCE - 1)
    _checked, left_out = chain.build(infer(0), infer(1))
    assert reasons(left_out) == [TransactionVetoed]
