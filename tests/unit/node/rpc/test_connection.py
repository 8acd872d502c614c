"""One client's queue and requests: bounds, back-pressure, and what is given up when it goes."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence

import pytest

from node.execution.jobs import Job, ResultT
from node.rpc.body_budget import BodyBudget
from node.rpc.caller import RpcNode
from node.rpc.connection import MAX_IN_FLIGHT, Connection
from node.rpc.dispatcher import Limits
from node.rpc.outbox import Outbox, SlowClient
from tests.unit.node.rpc.fake_chain import FakeChain
from tests.unit.node.rpc.rpc_caller import request, shared_node

TIMEOUT_S = 20


def run(scenario: Callable[[], Coroutine[object, object, None]]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(TIMEOUT_S):
            await scenario()

    asyncio.run(bounded())


@pytest.mark.parametrize(
    ("sizes", "reason"),
    [
        pytest.param([1, 1, 1, 1], "too slow: 3 messages, 3 bytes wait to be read", id="count"),
        pytest.param([90, 20, 1], "too slow: 2 messages, 110 bytes wait to be read", id="bytes"),
    ],
)
def test_notifications_past_the_bound_end_a_client(sizes: list[int], reason: str) -> None:
    async def scenario() -> None:
        outbox = Outbox(max_waiting=3, max_bytes=100)
        for size in sizes:
            outbox.notify(bytes(size))
        with pytest.raises(SlowClient, match=reason):
            await outbox.take()

    run(scenario)


def test_what_is_read_in_time_makes_room() -> None:
    async def scenario() -> None:
        outbox = Outbox(max_waiting=2, max_bytes=100)
        for _ in range(5):
            outbox.notify(b"a")
            outbox.notify(b"b")
            assert await outbox.take() == [b"a", b"b"]

    run(scenario)


def test_a_reply_waits_for_room_and_keeps_its_place() -> None:
    async def scenario() -> None:
        outbox = Outbox(max_waiting=1, max_bytes=100)
        outbox.notify(b"first")
        reply = asyncio.create_task(outbox.reply(b"second"))
        await asyncio.sleep(0)
        assert not reply.done()
        assert await outbox.take() == [b"first"]
        await reply
        assert await outbox.take() == [b"second"]

    run(scenario)


def test_a_closed_queue_gives_what_is_left_and_then_nothing() -> None:
    async def scenario() -> None:
        outbox = Outbox()
        outbox.notify(b"last")
        outbox.close()
        assert await outbox.take() == [b"last"]
        assert await outbox.take() == []

    run(scenario)


def test_a_notification_is_written_at_once_only_while_nothing_is_before_it() -> None:
    async def scenario() -> None:
        written: list[bytes] = []
        has_room = True

        def write_now(message: bytes) -> bool:
            if has_room:
                written.append(message)
            return has_room

        outbox = Outbox(write_now=write_now)
        outbox.notify(b"at once", is_alone=True)
        assert written == [b"at once"]
        outbox.notify(b"not alone")
        assert await outbox.take() == [b"not alone"]
        rest = asyncio.create_task(outbox.take())
        await asyncio.sleep(0)
        has_room = False
        outbox.notify(b"waits", is_alone=True)
        has_room = True
        outbox.notify(b"behind it", is_alone=True)
        assert await rest == [b"waits", b"behind it"]
        outbox.notify(b"behind what is on its way", is_alone=True)
        assert await outbox.take() == [b"behind what is on its way"]
        rest = asyncio.create_task(outbox.take())
        await asyncio.sleep(0)
        outbox.notify(b"at once again", is_alone=True)
        outbox.close()
        assert await rest == []
        outbox.notify(b"too late", is_alone=True)
        assert written == [b"at once", b"at once again"]

    run(scenario)


class SlowChain(FakeChain):
    """A chain whose calls wait for `released`; how many are under way is counted."""

    def __init__(self) -> None:
        super().__init__()
        self.add_block()
        self.released = asyncio.Event()
        self.full = asyncio.Event()
        self.under_way = 0
        self.given_up = 0

    async def execute(self, job: Job[ResultT]) -> ResultT:
        self.under_way += 1
        if self.under_way == MAX_IN_FLIGHT:
            self.full.set()
        try:
            await self.released.wait()
        except asyncio.CancelledError:
            self.given_up += 1
            raise
        return await super().execute(job)


def connection(node: RpcNode) -> Connection:
    return Connection(node, frozenset({"eth"}), Limits(), BodyBudget())


CALL = json.dumps(request("eth_call", {})).encode()


def test_requests_past_the_bound_are_not_read_until_one_is_answered() -> None:
    async def scenario() -> None:
        chain = SlowChain()
        read: list[int] = []
        sent: list[bytes] = []

        async def messages() -> AsyncIterator[bytes]:
            for number in range(MAX_IN_FLIGHT + 5):
                read.append(number)
                yield CALL

        async def send(answers: Sequence[bytes]) -> None:
            sent.extend(answers)

        serving = asyncio.create_task(connection(shared_node(chain)).run(messages(), send))
        await chain.full.wait()
        assert (len(read), chain.under_way, sent) == (MAX_IN_FLIGHT + 1, MAX_IN_FLIGHT, [])
        chain.released.set()
        await serving
        assert len(sent) == MAX_IN_FLIGHT + 5

    run(scenario)


def test_a_client_that_is_gone_is_worked_for_no_more() -> None:
    async def scenario() -> None:
        chain, gone = SlowChain(), asyncio.Event()

        async def messages() -> AsyncIterator[bytes]:
            for _ in range(MAX_IN_FLIGHT):
                yield CALL
            await gone.wait()
            raise ConnectionResetError("closed")

        async def send(_answers: Sequence[bytes]) -> None:
            raise AssertionError("nothing was answered")

        serving = asyncio.create_task(connection(shared_node(chain)).run(messages(), send))
        await chain.full.wait()
        gone.set()
        with pytest.raises(ConnectionResetError, match="closed"):
            await serving
        assert chain.given_up == MAX_IN_FLIGHT

    run(scenario)
