"""What supervisors read at /health and /ready, and what watches requests."""

import asyncio
import json

import pytest
from aiohttp import ClientSession

from node.readiness import NodeReadiness, Phase
from node.rpc.caller import Caller
from node.rpc.dispatcher import Limits, answer
from node.rpc.server import RpcSettings, start_rpc_server
from tests.unit.node.rpc.fake_chain import FakeChain, small_chain
from tests.unit.node.rpc.rpc_caller import request, shared_node

MODEL = b"\x01" * 32
READY = NodeReadiness(Phase.READY, 7, 7, ())
SYNCING = NodeReadiness(Phase.SYNCING, 7, 90, ())
NO_MODEL = NodeReadiness(Phase.NOT_READY, 7, 7, (MODEL,))
QUARANTINED = NodeReadiness(Phase.NOT_READY, 7, 7, (), "cuda")
TIMEOUT_S = 20


class ChainInPhase(FakeChain):
    """A chain whose node is in some phase."""

    def __init__(self, readiness: NodeReadiness) -> None:
        super().__init__(small_chain().blocks)
        self.readiness = readiness

    def node_status(self) -> NodeReadiness:
        return self.readiness


def got(
    path: str, readiness: NodeReadiness, headers: dict[str, str] | None = None, method: str = "GET"
) -> tuple[int, str]:
    async def ask() -> tuple[int, str]:
        async with (
            asyncio.timeout(TIMEOUT_S),
            await start_rpc_server(
                shared_node(ChainInPhase(readiness)), port=0, settings=RpcSettings()
            ) as server,
            ClientSession() as session,
            session.request(method, f"{server.url}{path}", headers=headers) as response,
        ):
            return response.status, await response.text()

    return asyncio.run(ask())


@pytest.mark.network
@pytest.mark.parametrize(
    ("readiness", "status", "reason"),
    [
        pytest.param(READY, 200, None, id="ready"),
        pytest.param(SYNCING, 503, "syncing", id="syncing"),
        pytest.param(
            NO_MODEL, 503, f"not ready (model 0x{MODEL.hex()} missing)", id="a missing model"
        ),
        pytest.param(
            QUARANTINED, 503, "not ready (backend cuda in quarantine)", id="a wrong backend"
        ),
    ],
)
def test_ready_is_503_with_the_reason_until_it_is_so(
    readiness: NodeReadiness, status: int, reason: str | None
) -> None:
    found, text = got("/ready", readiness)
    body = json.loads(text)
    assert (found, body["reason"]) == (status, reason)
    assert (body["height"], body["highest"]) == (readiness.height, readiness.highest)
    assert (body["status"], body["peers"]) == (str(readiness.phase), 3)


@pytest.mark.network
@pytest.mark.parametrize("readiness", [READY, SYNCING, NO_MODEL])
def test_a_node_that_answers_is_healthy_whatever_it_does(readiness: NodeReadiness) -> None:
    status, text = got("/health", readiness)
    assert (status, json.loads(text)["status"]) == (200, str(readiness.phase))


@pytest.mark.network
@pytest.mark.parametrize("path", ["/health", "/ready"])
def test_a_name_of_somebody_else_is_refused(path: str) -> None:
    assert got(path, READY, {"Host": "evil.example"})[0] == 403


@pytest.mark.network
def test_they_are_read_only() -> None:
    assert got("/ready", READY, method="POST")[0] == 405


@pytest.mark.parametrize(
    ("method", "params", "is_error"),
    [
        pytest.param("eth_chainId", [], False, id="a result"),
        pytest.param("eth_getBalance", ["0x1"], True, id="an error"),
    ],
)
def test_a_watcher_hears_of_each_request(method: str, params: list[str], is_error: bool) -> None:
    heard: list[tuple[str, float, bool]] = []
    node = shared_node(small_chain())
    node.watch.watcher = lambda *told: heard.append(told)
    body = json.dumps([request(method, *params)] * 2).encode()
    asyncio.run(answer(Caller(node), body, Limits()))
    assert [(name, failed) for name, _duration_s, failed in heard] == [(method, is_error)] * 2
    assert all(0 < duration_s < TIMEOUT_S for _name, duration_s, _failed in heard)
