"""No schedule of messages, timers, crashes and lies below a third makes two blocks final."""

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consensus.qbft.validator_order import faulty_bound
from tests.qbft_network import Network, Unsafe
from tests.qbft_world import (
    PARENT_CERTIFICATE,
    SIGNERS,
    commit_by,
    hash_of,
    prepare_by,
    proposal_by,
    tiny_block,
)

CALM_ROUNDS = 100


@settings(derandomize=True, max_examples=120, deadline=None)
@given(
    st.integers(1, 7), st.randoms(use_true_random=False), st.integers(0, 2**32), st.integers(0, 900)
)
def test_all_decide_one_block_once_the_network_is_calm(
    count: int, choice: Random, seed: int, steps: int
) -> None:
    byzantine = choice.sample(range(count), faulty_bound(count))
    network = Network(count, byzantine, Random(seed))
    network.storm(steps)
    assert network.calm(CALM_ROUNDS)


@settings(derandomize=True, max_examples=60, deadline=None)
@given(st.integers(1, 7), st.integers(0, 2**32), st.integers(0, 900))
def test_honest_validators_blame_nobody_honest(count: int, seed: int, steps: int) -> None:
    network = Network(count, (), Random(seed))
    network.storm(steps)
    assert network.calm(CALM_ROUNDS)
    assert network.faults == []


@pytest.mark.slow
def test_long_storms_are_safe() -> None:
    decisions = 0
    for seed in range(100):
        random = Random(seed)
        count = random.choice([4, 5, 7])
        network = Network(count, random.sample(range(count), faulty_bound(count)), random)
        network.storm(6000)
        decisions += sum(life.decided is not None for life in network.lives.values())
    assert decisions > 100


def test_two_of_four_byzantine_validators_can_fork_the_chain_and_that_is_seen() -> None:
    network = Network(4, (0, 1), Random(0))
    hear_block(network, 2, salt=1)
    assert network.lives[2].decided is not None
    with pytest.raises(Unsafe, match="validators 2 and 3 decide differently"):
        hear_block(network, 3, salt=2)


def hear_block(network: Network, victim: int, salt: int) -> None:
    """Let two byzantine validators take one honest one through a block of its own."""
    block = tiny_block(SIGNERS[0].address, salt)
    life = network.lives[victim]
    network.hear(life, proposal_by(0, block), PARENT_CERTIFICATE)
    network.finish_work(life)
    for vote in (prepare_by, commit_by):
        for index in (0, 1):
            network.hear(life, vote(index, hash_of(block)), None)


def test_a_validator_that_loses_its_disk_is_seen_to_sign_twice() -> None:
    network = Network(4, (0,), Random(0))
    first, second = (tiny_block(SIGNERS[0].address, salt) for salt in (1, 2))
    network.hear(network.lives[3], proposal_by(0, first), PARENT_CERTIFICATE)
    network.finish_work(network.lives[3])
    network.lives[3].disk.clear()
    network.begin(network.lives[3])
    network.hear(network.lives[3], proposal_by(0, second), PARENT_CERTIFICATE)
    with pytest.raises(Unsafe, match="validator 3 signed two messages 0x13"):
        network.finish_work(network.lives[3])
