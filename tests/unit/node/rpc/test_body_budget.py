"""How many bytes of large requests are held at once."""

import asyncio

from node.rpc.body_budget import SMALL_BYTES, BodyBudget

LARGE = SMALL_BYTES + 1
TIMEOUT_S = 20


def test_large_requests_wait_in_order_and_small_ones_do_not() -> None:
    async def scenario() -> list[str]:
        budget, events = BodyBudget(2 * LARGE), list[str]()

        async def hold(name: str, size_bytes: int, until: asyncio.Event) -> None:
            async with budget.hold(size_bytes):
                events.append(name)
                if name == "two large":
                    came.set()
                await until.wait()

        first, rest, came = asyncio.Event(), asyncio.Event(), asyncio.Event()
        async with asyncio.timeout(TIMEOUT_S), asyncio.TaskGroup() as tasks:
            tasks.create_task(hold("a", LARGE, first))
            tasks.create_task(hold("two large", 2 * LARGE, rest))
            tasks.create_task(hold("c", LARGE, rest))
            tasks.create_task(hold("small", SMALL_BYTES, rest))
            await asyncio.sleep(0)
            assert events == ["a", "small"]
            first.set()
            await came.wait()
            assert events == ["a", "small", "two large"]
            rest.set()
        return events

    assert asyncio.run(scenario()) == ["a", "small", "two large", "c"]


def test_who_stops_waiting_frees_its_place() -> None:
    async def scenario() -> None:
        budget = BodyBudget(2 * LARGE)
        async with asyncio.timeout(TIMEOUT_S):
            async with budget.hold(LARGE):
                blocked = asyncio.create_task(budget.take(2 * LARGE))
                behind = asyncio.create_task(budget.take(LARGE))
                await asyncio.sleep(0)
                blocked.cancel()
                await behind
            budget.give_back(LARGE)
            await budget.take(2 * LARGE)

    asyncio.run(scenario())


def test_room_that_came_with_the_cancellation_is_given_back() -> None:
    async def scenario() -> None:
        budget = BodyBudget(LARGE)
        async with asyncio.timeout(TIMEOUT_S):
            await budget.take(LARGE)
            waiting = asyncio.create_task(budget.take(LARGE))
            await asyncio.sleep(0)
            budget.give_back(LARGE)
            waiting.cancel()
            await asyncio.gather(waiting, return_exceptions=True)
            await budget.take(LARGE)

    asyncio.run(scenario())
