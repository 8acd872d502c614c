"""Long work goes on in slices, one in each round of the event loop."""

import asyncio
import json

import pytest

from node.rpc import turns as module
from node.rpc.dispatcher import Limits, answer
from node.rpc.turns import Slices, turns
from tests.unit.node.rpc.fake_chain import small_chain
from tests.unit.node.rpc.rpc_caller import local_caller

TIMEOUT_S = 20


def test_one_turn_is_given_in_each_round() -> None:
    async def scenario() -> list[str]:
        events: list[str] = []

        async def work(name: str) -> None:
            for _ in range(2):
                await turns().take()
                events.append(name)

        async def others() -> None:
            while len(events) - events.count("-") < 6:
                events.append("-")
                await asyncio.sleep(0)

        async with asyncio.timeout(TIMEOUT_S), asyncio.TaskGroup() as tasks:
            for name in "abc":
                tasks.create_task(work(name))
            tasks.create_task(others())
        return events

    events = asyncio.run(scenario())
    assert [each for each in events if each != "-"] == ["a", "b", "c", "a", "b", "c"]
    assert "-" in events[events.index("a") : events.index("b")]
    assert "-" in events[events.index("b") : events.index("c")]


def test_every_other_turn_is_for_who_had_fewer_and_who_waits_longest() -> None:
    async def scenario() -> list[str]:
        events: list[str] = []

        async def work(name: str, had: int) -> None:
            await turns().take(had)
            events.append(name)

        async with asyncio.timeout(TIMEOUT_S), asyncio.TaskGroup() as tasks:
            for name, had in (("a", 3), ("b", 1), ("c", 0), ("d", 1)):
                tasks.create_task(work(name, had))
        return events

    assert asyncio.run(scenario()) == ["c", "a", "b", "d"]


def test_who_has_gone_keeps_nobody_waiting() -> None:
    async def scenario() -> None:
        gone = asyncio.create_task(turns().take())
        waiting = asyncio.create_task(turns().take())
        await asyncio.sleep(0)
        gone.cancel()
        async with asyncio.timeout(TIMEOUT_S):
            await waiting
            await turns().take()

    asyncio.run(scenario())


def test_a_slice_lasts_until_it_is_used_up(monkeypatch: pytest.MonkeyPatch) -> None:
    now_s = 100.0
    monkeypatch.setattr(module, "perf_counter", lambda: now_s)

    async def scenario() -> list[bool]:
        nonlocal now_s
        taken: list[bool] = []
        slices = Slices()
        for spent_s in (0.0, 0.004, 0.002):
            now_s += spent_s
            rounds = 0

            def count() -> None:
                nonlocal rounds
                rounds += 1

            asyncio.get_running_loop().call_soon(count)
            await slices.pause()
            taken.append(rounds > 0)
        return taken

    assert asyncio.run(scenario()) == [True, False, True]


@pytest.mark.parametrize(
    ("body", "is_long"),
    [
        pytest.param(b'{"jsonrpc":"2.0","id":1,"method":"eth_chainId"}', False, id="short"),
        pytest.param(
            b'{"jsonrpc":"2.0","id":1,"method":"eth_getLogs","params":[{}]}', True, id="long-method"
        ),
        pytest.param(b'{"jsonrpc":"2.0","id":1}' + b" " * 70_000, True, id="long-body"),
        pytest.param(
            b"[" + b'{"jsonrpc":"2.0","id":1,"method":"eth_chainId"},' * 10 + b"{}]",
            True,
            id="long-batch",
        ),
        pytest.param(
            b'[{"jsonrpc":"2.0","id":1,"method":"eth_getLogs","params":[{}]}]',
            True,
            id="long-method-in-a-short-batch",
        ),
        pytest.param(
            b"[" + b'{"jsonrpc":"2.0","id":1,"method":"eth_chainId"},' * 9 + b"{}]",
            False,
            id="short-batch",
        ),
    ],
)
def test_what_takes_long_waits_for_its_turn(body: bytes, is_long: bool) -> None:
    async def scenario() -> bool:
        others: list[str] = []
        asyncio.get_running_loop().call_soon(others.append, "served")
        assert await answer(local_caller(small_chain()), body, Limits())
        return others == ["served"]

    assert asyncio.run(scenario()) is is_long


@pytest.mark.parametrize("method", ["eth_getLogs", "trace_filter", "cvm_getInferences"])
def test_a_search_of_empty_blocks_lets_others_go_between_them(
    method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    chain = small_chain()
    first = chain.head().block_number
    for _ in range(20):
        chain.add_block()
    now_s = 0.0

    def clock() -> float:
        nonlocal now_s
        now_s += 0.01
        return now_s

    monkeypatch.setattr(module, "perf_counter", clock)
    body = {"jsonrpc": "2.0", "id": 1, "method": method}
    body |= {"params": [{"fromBlock": hex(first), "toBlock": "latest"}]}

    async def scenario() -> int:
        rounds = 0

        async def others() -> None:
            nonlocal rounds
            while True:
                rounds += 1
                await asyncio.sleep(0)

        waiting = asyncio.create_task(others())
        text = await answer(local_caller(chain), json.dumps(body).encode(), Limits())
        waiting.cancel()
        assert json.loads(text or "")["result"] == []
        return rounds

    assert asyncio.run(scenario()) >= 20
