"""A block refused in the middle still names the model calls before it: one may be the cause."""

from dataclasses import replace

import pytest

from consensus.block import Block
from consensus.faults import InferenceGasExceeded, InvalidBlock, InvalidTransactionInBlock
from cvm.evm.list_root import list_root
from cvm.evm.transaction_decoding import decode_transaction
from tests.evm_world import MODEL_ID
from tests.unit.consensus.test_block_execution import INFERENCE, Chain, infer, send


def block_of(chain: Chain, *raws: bytes) -> Block:
    """Return an empty block of the chain with other transactions put into it."""
    empty, _left_out = chain.build()
    transactions = tuple(map(decode_transaction, raws))
    root = list_root([tx.raw for tx in transactions])
    header = replace(empty.block.header, transaction_root=root)
    return Block(header, transactions)


@pytest.mark.parametrize(
    ("fault", "cap", "second"),
    [
        pytest.param(InvalidTransactionInBlock, 1 << 24, send(1, nonce=5), id="bad transaction"),
        pytest.param(InferenceGasExceeded, INFERENCE - 1, infer(1), id="over the inference cap"),
    ],
)
def test_the_calls_before_the_fault_are_named(
    fault: type[InvalidBlock], cap: int, second: bytes
) -> None:
    chain = Chain(cap=cap)
    block = block_of(chain, infer(0), second)
    with pytest.raises(fault) as refusal:
        chain.runner.check(block, chain.parent)
    assert [(tx_hash, call.model_id) for tx_hash, call in refusal.value.inferences] == [
        (block.transactions[0].hash, MODEL_ID)
    ]
