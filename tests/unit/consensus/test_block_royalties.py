"""A block pays the royalties of what it takes, and of nothing that its builder rolled back."""

import pytest

from consensus.block_execution import CheckedBlock
from cvm.faults import ModelDataMissing
from tests.evm_world import OWNER, FakeHost
from tests.unit.consensus.test_block_execution import INFERENCE, ITEMS, TWICE, Chain, infer

ROYALTY, TIP = 200, 3
"""Of an item in gas, and what `raw` offers the proposer."""


class LosesData(FakeHost):
    """Has the bytes of the model in every call but one."""

    def __init__(self, missing_in: int) -> None:
        super().__init__()
        self.missing_in = missing_in

    def run(self, model_id: bytes, data: bytes) -> bytes:
        self.fault = ModelDataMissing(model_id) if len(self.ran) == self.missing_in else None
        return super().run(model_id, data)


def owned(built: CheckedBlock) -> int:
    """Return what a block leaves to the owner of the model, in gas at its price."""
    account = built.executed.changes.accounts.get(OWNER)
    base_fee = built.block.header.base_fee_per_gas
    assert account is not None
    assert base_fee is not None
    return account.balance // (base_fee + TIP)


@pytest.mark.parametrize(
    ("cap", "missing_in", "candidates", "calls"),
    [
        pytest.param(INFERENCE, 9, (infer(0), infer(1)), 1, id="one over the cap"),
        pytest.param(
            3 * INFERENCE, 9, (infer(0), infer(1, to=TWICE)), 3, id="royalties are outside the cap"
        ),
        pytest.param(
            9 * INFERENCE, 1, (infer(0, to=TWICE), infer(1)), 1, id="data missing after a call"
        ),
        pytest.param(
            9 * INFERENCE, 1, (infer(0), infer(1), infer(2)), 2, id="data missing between"
        ),
    ],
)
def test_a_candidate_that_is_left_out_pays_no_royalty(
    cap: int, missing_in: int, candidates: tuple[bytes, ...], calls: int
) -> None:
    chain = Chain(cap=cap, host=LosesData(missing_in), royalty_gas=ROYALTY)
    built, _left_out = chain.build(*candidates)
    assert len(built.inferences) == calls
    assert owned(built) == calls * ITEMS * ROYALTY
    checker = Chain(cap=cap, royalty_gas=ROYALTY)
    assert checker.runner.check(built.block, checker.parent).executed == built.executed
