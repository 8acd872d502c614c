"""Who a block pays: a validator of its height, and what the chain's schedule says."""

from dataclasses import replace

import pytest

from consensus.block import EMPTY_WITHDRAWALS_ROOT, Block
from consensus.block_execution import BlockRunner, Proposal
from consensus.faults import BodyRootWrong, CoinbaseNotValidator, HeaderFieldWrong
from consensus.fork_schedule import Machines
from consensus.withdrawal import Withdrawal, withdrawals_root
from tests.unit.consensus.headers import PARAMETERS
from tests.unit.consensus.test_block_execution import PROPOSER, Chain, send

REWARD = 2_000_000_000
STRANGER = b"\xcc" * 20
PAID = Withdrawal(9, 0, PROPOSER, REWARD)


def rewarding(reward_gwei: int = REWARD) -> Chain:
    """Return a chain whose next height is 10, with a reward."""
    chain = Chain()
    parameters = replace(PARAMETERS, block_reward_gwei=reward_gwei)
    chain.runner = BlockRunner(parameters, Machines(chain.host), chain.states)
    return chain


def paying(block: Block, *withdrawals: Withdrawal) -> Block:
    """Return a block with other withdrawals, in header and body."""
    header = replace(block.header, withdrawals_root=withdrawals_root(withdrawals))
    return Block(header, block.transactions, withdrawals)


def test_a_block_pays_its_coinbase_one_withdrawal_counted_by_height() -> None:
    chain = rewarding()
    built, _left_out = chain.build(send(0))
    assert built.block.withdrawals == (PAID,)
    assert built.block.header.withdrawals_root == withdrawals_root((PAID,))
    free, _left_out = Chain().build(send(0))
    with_reward = built.executed.changes.accounts[PROPOSER]
    without = free.executed.changes.accounts[PROPOSER]
    assert with_reward is not None
    assert without is not None
    assert with_reward.balance - without.balance == REWARD * 10**9
    assert chain.runner.check(built.block, chain.parent).update.root == built.update.root


def test_a_chain_without_a_reward_has_no_withdrawals() -> None:
    built, _left_out = Chain().build()
    assert built.block.withdrawals == ()
    assert built.block.header.withdrawals_root == EMPTY_WITHDRAWALS_ROOT


@pytest.mark.parametrize(
    "withdrawals",
    [
        pytest.param((), id="none"),
        pytest.param((replace(PAID, amount_gwei=REWARD + 1),), id="a gwei more"),
        pytest.param((replace(PAID, address=STRANGER),), id="to another"),
        pytest.param((replace(PAID, index=10),), id="another index"),
        pytest.param((replace(PAID, validator_index=1),), id="another validator index"),
        pytest.param((PAID, PAID), id="twice"),
    ],
)
def test_another_reward_is_refused(withdrawals: tuple[Withdrawal, ...]) -> None:
    chain = rewarding()
    built, _left_out = chain.build()
    with pytest.raises(HeaderFieldWrong, match="withdrawalsRoot is"):
        chain.runner.check(paying(built.block, *withdrawals), chain.parent)


def test_a_reward_is_refused_where_there_is_none() -> None:
    chain = Chain()
    built, _left_out = chain.build()
    with pytest.raises(HeaderFieldWrong, match="withdrawalsRoot is"):
        chain.runner.check(paying(built.block, PAID), chain.parent)


def test_withdrawals_of_the_body_are_those_of_the_header() -> None:
    chain = rewarding()
    built, _left_out = chain.build()
    block = Block(built.block.header, built.block.transactions)
    with pytest.raises(BodyRootWrong, match="withdrawals root of the body is 0x"):
        chain.runner.check(block, chain.parent)


def test_only_a_validator_of_the_height_is_paid() -> None:
    chain = Chain()
    built, _left_out = chain.build()
    stolen = Block(replace(built.block.header, coinbase=STRANGER), ())
    with pytest.raises(CoinbaseNotValidator) as caught:
        chain.runner.check(stolen, chain.parent)
    assert (caught.value.coinbase, caught.value.validators) == (STRANGER, 1)
    assert str(caught.value) == f"block 10: coinbase 0x{'cc' * 20} is none of the 1 validators"


def test_nobody_else_can_build() -> None:
    with pytest.raises(CoinbaseNotValidator):
        Chain().build(proposal=Proposal(STRANGER, 0))
