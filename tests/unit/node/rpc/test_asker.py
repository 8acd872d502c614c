"""Who executions are fair to: an address, and of this machine each connection."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import ClientSession

from node.execution.asker import ASKER
from node.execution.jobs import Job, ResultT
from node.rpc import http_connections
from node.rpc.caller import LOCAL_NAMESPACES
from node.rpc.ipc import IpcServer, close
from node.rpc.server import RpcServer, RpcSettings, start_rpc_server
from tests.unit.node.rpc.fake_chain import BOB, FakeChain, small_chain
from tests.unit.node.rpc.rpc_caller import request, shared_node

pytestmark = pytest.mark.network
TIMEOUT_S = 20
ELSEWHERE = "192.0.2.1"
CALL = request("eth_call", {"to": "0x" + BOB.hex()}, "latest")


class Listening(FakeChain):
    """Notes who asks for what it executes."""

    def __init__(self) -> None:
        super().__init__(small_chain().blocks)
        self.askers: list[str] = []

    async def execute(self, job: Job[ResultT]) -> ResultT:
        self.askers.append(ASKER.get())
        return await super().execute(job)


@asynccontextmanager
async def served(chain: FakeChain) -> AsyncIterator[RpcServer]:
    settings = RpcSettings(ws_namespaces=frozenset({"eth"}))
    async with (
        asyncio.timeout(TIMEOUT_S),
        await start_rpc_server(shared_node(chain), port=0, settings=settings) as server,
    ):
        yield server


async def ask(session: ClientSession, url: str) -> None:
    async with session.post(url, json=CALL) as response:
        assert "error" not in await response.json()


def test_each_connection_from_this_machine_is_an_asker() -> None:
    async def check() -> None:
        chain = Listening()
        async with served(chain) as server:
            for _ in range(2):
                async with ClientSession() as session:
                    await ask(session, server.url)
                    await ask(session, server.url)
                    async with session.ws_connect(server.ws_url) as socket:
                        await socket.send_json(CALL)
                        assert "error" not in await socket.receive_json()
        http, http_again, ws, other, other_again, other_ws = chain.askers
        assert (http, other) == (http_again, other_again)
        assert {http, ws}.isdisjoint({other, other_ws})

    asyncio.run(check())


def test_an_address_is_one_asker_however_many_its_connections(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(http_connections, "client_of", lambda _peer: ELSEWHERE)

    async def check() -> None:
        chain = Listening()
        async with served(chain) as server:
            for _ in range(2):
                async with ClientSession() as session:
                    await ask(session, server.url)
        assert chain.askers == [ELSEWHERE] * 2

    asyncio.run(check())


def test_each_connection_to_the_socket_file_is_an_asker(tmp_path: Path) -> None:
    async def check() -> None:
        chain = Listening()
        path = tmp_path / "cvm.ipc"
        async with (
            asyncio.timeout(TIMEOUT_S),
            IpcServer(shared_node(chain), path, LOCAL_NAMESPACES),
        ):
            for _ in range(2):
                reader, writer = await asyncio.open_unix_connection(path)
                writer.write(json.dumps(CALL).encode() + b"\n")
                assert "error" not in json.loads(await reader.readline())
                await close(writer)
        assert len(set(chain.askers)) == 2

    asyncio.run(check())
