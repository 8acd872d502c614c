"""A coroutine that was stepped to its first wait goes on as if it had been awaited."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

import pytest

from node.rpc.going_on import go_on

ResultT = TypeVar("ResultT")


async def stepped(work: Coroutine[Any, Any, ResultT]) -> ResultT:
    return await go_on(work, work.send(None))


@pytest.mark.parametrize("waits", [1, 2, 5])
def test_it_returns_the_result_after_any_number_of_waits(waits: int) -> None:
    async def work() -> int:
        loop = asyncio.get_running_loop()
        total = 0
        for number in range(waits):
            future = loop.create_future()
            loop.call_soon(future.set_result, number)
            total += await future
            await asyncio.sleep(0)
        return total

    assert asyncio.run(stepped(work())) == sum(range(waits))


def test_what_a_future_raises_is_raised_where_it_is_awaited() -> None:
    async def work() -> str:
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        asyncio.get_running_loop().call_soon(future.set_exception, KeyError("x"))
        try:
            await future
        except KeyError as fault:
            return f"caught {fault}"
        return "nothing"

    assert asyncio.run(stepped(work())) == "caught 'x'"


def test_what_the_coroutine_raises_after_a_wait_is_raised() -> None:
    async def work() -> None:
        await asyncio.sleep(0)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        asyncio.run(stepped(work()))


def test_a_timeout_around_it_ends_it_and_lets_it_clean_up() -> None:
    ended: list[str] = []

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            ended.append("cleaned up")

    async def check() -> None:
        begun = work()
        wait = begun.send(None)
        async with asyncio.timeout(0.01):
            await go_on(begun, wait)

    with pytest.raises(TimeoutError):
        asyncio.run(check())
    assert ended == ["cleaned up"]


def test_a_cancelled_task_ends_it() -> None:
    ended: list[str] = []

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            ended.append("cancelled")
            raise

    async def check() -> None:
        task = asyncio.create_task(stepped(work()))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(check())
    assert ended == ["cancelled"]
