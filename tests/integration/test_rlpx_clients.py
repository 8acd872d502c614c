"""RLPx sessions with @ethereumjs/devp2p, in both directions, over loopback.

`CVM_NODE_MODULES` names folders of npm packages, separated by colons.
"""

import asyncio
import json
import os
import shutil
import socket
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from node.p2p.disconnect_reason import DisconnectReason
from node.p2p.enode import Enode
from tests.documents import ROOT
from tests.p2p_servers import serving, until
from tests.unit.node.p2p.echo import Answer, Ask, Echo, Tell

pytestmark = pytest.mark.network
LIMIT_S = 60
PACKAGES = ("@ethereumjs/devp2p", "snappyjs")
PROGRAM = ROOT / "tests" / "integration" / "rlpx_peer.mjs"


def modules_folder() -> Path:
    """Return the folder with the client; skips the test where there is none."""
    named = os.environ.get("CVM_NODE_MODULES", "")
    folders = [Path(part) for part in named.split(":") if part] + [ROOT / "node_modules"]
    found = next((f for f in folders if all((f / p).is_dir() for p in PACKAGES)), None)
    if found is None or shutil.which("node") is None:
        pytest.skip("no Node.js with @ethereumjs/devp2p@10: npm installs it; set CVM_NODE_MODULES")
    return found


def free_port() -> int:
    """Return a TCP port that nobody has."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Client:
    """A running node of @ethereumjs/devp2p."""

    process: asyncio.subprocess.Process
    enode: Enode

    async def do(self, *command: object) -> Any:  # JSON of the client's answer
        """Give one command; return what it gave."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(command).encode() + b"\n")
        answer = json.loads(await self.process.stdout.readline())
        assert "error" not in answer, answer
        return answer["result"]

    async def until(self, command: str, holds: Callable[[Any], bool]) -> Any:
        """Ask again until the answer is as wanted."""
        async with asyncio.timeout(10):
            answer = await self.do(command)
            while not holds(answer):
                answer = await self.do(command)
        return answer


@asynccontextmanager
async def client() -> AsyncIterator[Client]:
    """Run a node of the client."""
    port = free_port()
    process = await asyncio.create_subprocess_exec(
        "node", str(PROGRAM), str(modules_folder()), str(port),
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        node_id = bytes.fromhex(json.loads(await process.stdout.readline()))
        yield Client(process, Enode(node_id, "127.0.0.1", port))
    finally:
        assert process.stdin is not None
        process.stdin.close()
        await process.wait()


def run(test: Callable[[], Coroutine[None, None, None]]) -> None:
    modules_folder()

    async def bounded() -> None:
        async with asyncio.timeout(LIMIT_S):
            await test()

    asyncio.run(bounded())


async def talk(ours: Echo, theirs: Client) -> None:
    """Say and ask something in both directions, then check that nobody complains."""
    await until(lambda: bool(ours.channels))
    channel = ours.channels[0]
    await channel.send(Tell(b"from us"))
    assert await channel.request(Ask(7), Answer, 5) == Answer(7)
    long_text = b"x" * 1000
    await channel.send(Tell(long_text))
    await theirs.until("told", lambda told: told == ["from us", long_text.decode()])
    await theirs.do("tell", "from them")
    assert await theirs.do("ask", 9) == 9
    await until(lambda: ours.told == [b"from them"])
    assert await theirs.do("faults") == []


def test_we_dial_the_client_and_both_talk() -> None:
    async def scene() -> None:
        ours = Echo()
        async with client() as theirs, serving(1, ours) as server:
            peer = await server.connect(str(theirs.enode))
            assert peer.client.startswith("ethereumjs-devp2p/")
            await talk(ours, theirs)

    run(scene)


def test_the_client_dials_us_and_both_talk() -> None:
    async def scene() -> None:
        ours = Echo()
        async with client() as theirs, serving(1, ours) as server:
            port = int(server.enode.rpartition(":")[2])
            await theirs.do("connect", "127.0.0.1", port, server.node_id.hex())
            await talk(ours, theirs)
            assert [peer.inbound for peer in server.peers()] == [True]

    run(scene)


def test_the_client_understands_our_goodbye() -> None:
    async def scene() -> None:
        async with client() as theirs, serving(1, Echo()) as server:
            peer = await server.connect(str(theirs.enode))
            await theirs.until("peers", bool)
            peer.disconnect(DisconnectReason.TOO_MANY_PEERS)
            await theirs.until("gone", lambda gone: gone == [DisconnectReason.TOO_MANY_PEERS])

    run(scene)


def test_we_understand_the_client_s_goodbye() -> None:
    async def scene() -> None:
        async with client() as theirs, serving(1, Echo()) as server:
            peer = await server.connect(str(theirs.enode))
            await theirs.until("peers", bool)
            await theirs.do("leave")
            await until(lambda: peer.end is not None)
            assert peer.end is not None
            assert peer.end.reason is DisconnectReason.CLIENT_QUITTING

    run(scene)
