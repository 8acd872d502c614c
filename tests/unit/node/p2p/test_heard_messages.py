"""What counts as heard: the very same message, so that a forged copy hides no good one."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from consensus.certificate import CommitCertificate
from cvm.evm.rlp_encoding import encode_list
from node.p2p.cvm_messages import NewBlock, Qbft
from tests.chain_world import ChainWorld, final_block
from tests.unit.node.p2p.test_cvm_protocol import (
    DOUBLE_VOTE,
    VOTE,
    Heard,
    executor,
    on_loop,
    three,
    world,
)

__all__ = ["executor", "world"]


def announced_block(world: ChainWorld) -> NewBlock:
    block, sealed = final_block(world, 3)
    return NewBlock(block.encode(), sealed, final_block(world, 2)[1])


def forged(certificate: CommitCertificate) -> CommitCertificate:
    return replace(certificate, seals=(b"\x01" * 65,))


def with_forged_parent(message: NewBlock) -> NewBlock:
    assert message.parent_certificate is not None
    return replace(message, parent_certificate=forged(message.parent_certificate))


@pytest.mark.parametrize(
    "forge",
    [
        pytest.param(
            lambda said: replace(said, certificate=forged(said.certificate)), id="its certificate"
        ),
        pytest.param(with_forged_parent, id="its parent's"),
    ],
)
def test_a_forged_certificate_hides_no_honest_announcement_of_a_block(
    world: ChainWorld, executor: ThreadPoolExecutor, forge: Callable[[NewBlock], NewBlock]
) -> None:
    honest = announced_block(world)

    async def scenario() -> None:
        events = Heard(is_good=False)
        async with three(world, events, executor) as (one, two, _ours):
            await one.send(forge(honest))
            await events.until(lambda: events.messages)
            await two.send(honest)
            await events.until(lambda: len(events.messages) == 2)
            assert events.messages == [forge(honest), honest]

    on_loop(scenario)


def test_a_forged_certificate_of_the_parent_hides_no_proposal(
    world: ChainWorld, executor: ThreadPoolExecutor
) -> None:
    honest = Qbft(0x12, encode_list(b"\x01"), final_block(world, 2)[1])

    async def scenario() -> None:
        events = Heard(is_good=False)
        async with three(world, events, executor) as (one, two, _ours):
            await one.send(replace(honest, parent_certificate=None))
            await events.until(lambda: events.messages)
            await two.send(honest)
            await events.until(lambda: honest in events.messages)

    on_loop(scenario)


def test_a_block_that_two_peers_announce_alike_is_heard_once(
    world: ChainWorld, executor: ThreadPoolExecutor
) -> None:
    async def scenario() -> None:
        events = Heard()
        async with three(world, events, executor) as (one, two, _ours):
            await one.send(announced_block(world))
            await two.send(announced_block(world))
            await one.send(VOTE)
            await two.send(DOUBLE_VOTE)
            await events.until(lambda: len(events.messages) == 3)
            assert events.messages.count(announced_block(world)) == 1

    on_loop(scenario)
