"""The index of a node's states follows its head every so many blocks."""

import asyncio

from node.p2p.state_indexing import StateIndexing
from node.storage.preimages import FOLLOW_BLOCKS
from tests.unit.node.p2p.sync_world import InlineExecutor


def test_the_index_is_brought_forward_at_the_start_and_after_many_blocks() -> None:
    followed: list[int] = []
    height = 0

    async def settle() -> None:
        for _ in range(5):
            await asyncio.sleep(0)

    async def scenario() -> None:
        nonlocal height
        indexing = StateIndexing(lambda: followed.append(height), InlineExecutor())
        running = asyncio.create_task(indexing.run())
        await settle()
        for height in range(1, 3 * FOLLOW_BLOCKS):
            indexing.head_moved(height)
            await settle()
        running.cancel()

    asyncio.run(scenario())
    assert followed == [0, 1, 1 + FOLLOW_BLOCKS, 1 + 2 * FOLLOW_BLOCKS]
