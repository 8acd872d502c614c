"""A development node that a web page may ask: `cvm dev --http.corsdomain`."""

import asyncio
import json
from collections.abc import Iterator
from urllib.request import Request, urlopen

import pytest
from aiohttp import ClientSession, WSServerHandshakeError

from tests.integration.node_process import NodeProcess, running

pytestmark = pytest.mark.network
PAGE, SECOND_PAGE = "http://localhost:5173", "http://127.0.0.1:3000"
STRANGER = "http://localhost:9999"
TIMEOUT_S = 60


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NodeProcess]:
    folder = tmp_path_factory.mktemp("paged")
    options = ["--datadir", str(folder / "data"), "--backend", "reference"]
    with running(
        folder / "node.log", "dev", *options, "--http.corsdomain", f"{PAGE}, {SECOND_PAGE}"
    ) as node:
        yield node


def readable_by(node: NodeProcess, origin: str) -> str | None:
    """Return which page a browser would let read the answer."""
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "eth_chainId"}).encode()
    headers = {"Content-Type": "application/json", "Origin": origin}
    with urlopen(Request(node.url, body, headers), timeout=TIMEOUT_S) as response:
        allowed: str | None = response.headers["Access-Control-Allow-Origin"]
    return allowed


@pytest.mark.parametrize(
    ("origin", "allowed"),
    [
        pytest.param(PAGE, PAGE, id="the first that is named"),
        pytest.param(SECOND_PAGE, SECOND_PAGE, id="the second"),
        pytest.param(STRANGER, None, id="another"),
    ],
)
def test_the_pages_that_are_named_may_read_answers(
    node: NodeProcess, origin: str, allowed: str | None
) -> None:
    assert readable_by(node, origin) == allowed


async def open_socket(node: NodeProcess, origin: str) -> int:
    """Return the HTTP status with which the node answers the wish for a WebSocket."""
    async with asyncio.timeout(TIMEOUT_S), ClientSession() as session:
        try:
            async with session.ws_connect(node.url, origin=origin):
                return 101
        except WSServerHandshakeError as fault:
            return fault.status


@pytest.mark.parametrize(
    ("origin", "status"),
    [pytest.param(PAGE, 101, id="named"), pytest.param(STRANGER, 403, id="another")],
)
def test_the_pages_that_are_named_may_open_a_websocket(
    node: NodeProcess, origin: str, status: int
) -> None:
    assert asyncio.run(open_socket(node, origin)) == status
