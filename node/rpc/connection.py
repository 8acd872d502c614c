"""One client on a connection that stays: its requests in flight, its subscriptions, its outbox."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

from node.p2p.first_fault import first_fault
from node.rpc.body_budget import BodyBudget
from node.rpc.caller import Caller, RpcNode
from node.rpc.dispatcher import Limits, answer, error_text
from node.rpc.faults import RateLimited
from node.rpc.outbox import Outbox, SlowClient, WriteNow, no_room
from node.rpc.rate_limit import NOT_COUNTED, Meter
from node.rpc.subscriptions import ClientSubscriptions

MAX_IN_FLIGHT = 32
"""Requests of one client that are worked on at once; more are not read meanwhile."""

SEND_TIMEOUT_S = 60.0
"""How long a client may take to read what was sent to it at once, 32 MiB at most."""

Send = Callable[[Sequence[bytes]], Awaitable[None]]


class Connection:
    """Answers one client and pushes its notifications, until either side ends it."""

    def __init__(
        self,
        node: RpcNode,
        namespaces: frozenset[str],
        limits: Limits,
        budget: BodyBudget,
        meter: Meter = NOT_COUNTED,
        write_now: WriteNow = no_room,
    ) -> None:
        self._limits = limits
        self._budget = budget
        self._meter = meter
        self._outbox = Outbox(write_now=write_now)
        self._subscriptions = ClientSubscriptions(node.subscriptions, self._outbox)
        self._caller = Caller(node, namespaces, self._subscriptions)
        self._slots = asyncio.Semaphore(MAX_IN_FLIGHT)

    async def run(self, messages: AsyncIterator[bytes], send: Send) -> None:
        """Serve until `messages` ends, then send what is still to be answered.

        Raises `SlowClient` where the client does not keep up, and what `messages` or `send` raise;
        what is still worked on is given up then.
        """
        try:
            with first_fault():
                async with asyncio.TaskGroup() as tasks:
                    tasks.create_task(self._send_all(send))
                    async with asyncio.TaskGroup() as answers:
                        async for message in messages:
                            await self._slots.acquire()
                            await self._budget.take(len(message))
                            answers.create_task(self._answer(message))
                    self._outbox.close()
        finally:
            self._subscriptions.close()

    async def _answer(self, message: bytes) -> None:
        try:
            text = await self._answered(message)
            if text is not None:
                await self._outbox.reply(text.encode())
        finally:
            self._budget.give_back(len(message))
            self._slots.release()

    async def _answered(self, message: bytes) -> str | None:
        try:
            self._meter.take()
            return await answer(self._caller, message, self._limits, self._meter)
        except RateLimited as error:
            return error_text(None, error)

    async def _send_all(self, send: Send) -> None:
        while messages := await self._outbox.take():
            try:
                async with asyncio.timeout(SEND_TIMEOUT_S):
                    await send(messages)
            except TimeoutError:
                raise SlowClient(*self._outbox.size()) from None
