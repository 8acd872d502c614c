"""One running node: what it refuses to start on, how it stops, and what a fault makes of it."""

import asyncio
import dataclasses
import json
import os
import signal
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest
import structlog

from consensus.block import Block
from consensus.certificate import certify
from cvm.evm.private_key import PrivateKey
from cvm.faults import BackendDisagrees, DeviceFault, UnknownBackend
from node import service
from node.chain import Chain
from node.config import NodeConfig, NotTheOnlyValidator
from node.execution.workers import Workers
from node.rpc.rpc_config import HttpConfig
from node.rpc.server import CannotListen, RpcServer
from node.service import assemble, open_node, plan_active_models, run_node, run_tasks, within
from node.stopping import SIGNALS
from node.storage.chain_database import NoChainHere
from node.storage.database_lock import DatabaseInUse
from node.storage.snapshot_store import Pivot, SnapshotIncomplete
from tests.chain_world import STRANGER, VALIDATOR, ChainWorld, final_block, genesis_document
from tests.integration.test_disagreement import FlippedBit
from tests.unit.node.execution_jobs import BackendJob
from tests.unit.node.p2p.snapshot_world import empty_store

GENESIS = json.dumps(genesis_document()).encode()
TIMEOUT_S = 30


def config(folder: Path, key: PrivateKey | None = None, port: int = 0) -> NodeConfig:
    return NodeConfig(
        datadir=folder,
        http=HttpConfig(port=port),
        backend="reference",
        validator_key=key,
        instant=True,
        idle_blocks=False,
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Make a data directory with two blocks."""
    world = ChainWorld(tmp_path, GENESIS)
    world.propose()
    world.propose()
    world.close()
    return tmp_path


@pytest.fixture(autouse=True)
def logged() -> Iterator[list[dict[str, object]]]:
    with structlog.testing.capture_logs() as lines:
        yield lines  # type: ignore[misc]  # structlog's lines are mappings


@pytest.fixture(autouse=True)
def _signal_handlers() -> Iterator[None]:
    """Put back what a node that was told to stop leaves: the system's own way to end."""
    before = {number: signal.getsignal(number) for number in SIGNALS}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def test_workers_of_a_node_follow_its_quarantine(folder: Path) -> None:
    wanted = replace(config(folder), backend="cpu", http=None, rpc_workers=1)

    async def check() -> None:
        with open_node(wanted) as node, ExitStack() as cleanup:
            parts = assemble(wanted, node, cleanup)
            (workers,) = [duty for duty in parts.duties if isinstance(duty, Workers)]
            async with asyncio.timeout(10 * TIMEOUT_S), asyncio.TaskGroup() as tasks:
                running = tasks.create_task(workers.run())
                assert await parts.rpc.chain.execute(BackendJob()) == ("cpu", None)
                node.chain.host.quarantine()
                assert await parts.rpc.chain.execute(BackendJob()) == ("reference", "cpu")
                running.cancel()

    asyncio.run(check())


def run(node: NodeConfig, *, stop_with: int = signal.SIGTERM) -> list[int]:
    """Run a node, send this process a signal as soon as it answers; return heads and ports."""
    seen: list[int] = []

    def ready(chain: Chain, server: RpcServer | None) -> None:
        assert server is not None
        seen.extend([int(chain.head.block_number), int(server.url.rsplit(":", 1)[1])])
        os.kill(os.getpid(), stop_with)

    async def bounded() -> None:
        async with asyncio.timeout(TIMEOUT_S):
            await run_node(node, ready)

    asyncio.run(bounded())
    return seen


@pytest.mark.network
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_it(folder: Path, number: int) -> None:
    head, _port = run(config(folder), stop_with=number)
    assert head == 2


@pytest.mark.network
def test_it_releases_port_and_data_directory(folder: Path) -> None:
    _head, port = run(config(folder))
    assert run(config(folder, port=port)) == [2, port]


@pytest.mark.network
def test_a_backend_that_is_wrong_stops_a_validator_before_its_first_vote(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The node answers before the proof is done, and makes no block before it."""

    def disagree(_chain: Chain) -> None:
        raise BackendDisagrees("reference", "Add: two", "1", "2")

    async def bounded() -> None:
        async with asyncio.timeout(TIMEOUT_S):
            await run_node(replace(config(folder, VALIDATOR), idle_blocks=True), lambda *_: None)

    monkeypatch.setattr(service, "plan_active_models", disagree)
    with pytest.raises(BackendDisagrees):
        asyncio.run(bounded())
    with open_node(config(folder), read_only=True) as node:
        assert node.chain.head.block_number == 2


@pytest.mark.network
def test_the_stop_is_logged_with_the_head(folder: Path, logged: list[dict[str, object]]) -> None:
    run(config(folder, VALIDATOR))
    assert {"event": "stopping", "head": 2, "log_level": "info"} in logged


@pytest.mark.network
def test_after_the_first_signal_the_second_is_the_systems(folder: Path) -> None:
    run(config(folder))
    assert [signal.getsignal(number) for number in SIGNALS] == [signal.SIG_DFL, signal.SIG_DFL]


@pytest.mark.network
def test_a_taken_port_is_refused_in_one_line(folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(CannotListen, match=f"port {port}"):
            run(config(folder, port=port))


def test_instant_blocks_with_a_key_that_is_not_the_validator_are_refused(folder: Path) -> None:
    instant = dataclasses.replace(config(folder, STRANGER), instant=True)
    with pytest.raises(NotTheOnlyValidator):
        run(instant)


def test_no_chain_is_refused_and_nothing_is_made(tmp_path: Path) -> None:
    with pytest.raises(NoChainHere, match=f"--datadir {tmp_path}/none` first"):
        run(config(tmp_path / "none"))
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_backend_is_refused_and_the_directory_is_free_again(folder: Path) -> None:
    with pytest.raises(UnknownBackend, match="no backend 'tpu'; there are "):
        run(dataclasses.replace(config(folder), backend="tpu"))
    with open_node(config(folder)) as node:
        assert int(node.chain.head.block_number) == 2


def test_a_part_of_a_snapshot_is_refused_and_says_how_to_fetch_the_rest(tmp_path: Path) -> None:
    database, store = empty_store(tmp_path, GENESIS)
    header = database.header(database.hash_at(0) or b"")
    assert header is not None
    pivot = Block(dataclasses.replace(header, block_number=9), ())
    store.begin(Pivot(pivot, certify(9, 0, pivot.hash, [])))
    database.close()
    with pytest.raises(SnapshotIncomplete, match="block 9 is not whole here: run `cvm node --snap"):
        run(config(tmp_path))


def test_a_second_node_on_the_same_directory_is_refused(folder: Path) -> None:
    with (
        open_node(config(folder)),
        pytest.raises(DatabaseInUse, match=f"{folder} is in use by another process"),
    ):
        run(config(folder))


async def fail() -> None:
    raise DeviceFault("cuda", "device lost")


async def wait_for_ever() -> None:
    await asyncio.Event().wait()


def test_a_fault_of_one_duty_stops_all_and_comes_out_as_itself() -> None:
    with pytest.raises(DeviceFault, match="device lost"):
        asyncio.run(run_tasks([wait_for_ever(), fail()], asyncio.Event()))


def test_a_fault_among_the_tasks_of_a_duty_comes_out_as_itself() -> None:
    async def duty() -> None:
        async with asyncio.TaskGroup() as sessions, asyncio.TaskGroup() as tasks:
            sessions.create_task(wait_for_ever())
            tasks.create_task(fail())

    with pytest.raises(DeviceFault, match="device lost"):
        asyncio.run(run_tasks([duty()], asyncio.Event()))


def test_duties_still_run_while_servers_close() -> None:
    seen: list[str] = []

    async def duty() -> None:
        try:
            await wait_for_ever()
        finally:
            seen.append("duty ended")

    async def close() -> None:
        await asyncio.sleep(0)
        seen.append("servers closed")

    async def drive() -> None:
        stop = asyncio.Event()
        asyncio.get_running_loop().call_soon(stop.set)
        await run_tasks([duty()], stop, close)

    asyncio.run(drive())
    assert seen == ["servers closed", "duty ended"]


def test_what_does_not_end_in_time_is_given_up() -> None:
    asyncio.run(within(0.01, wait_for_ever()))


def test_told_to_stop_every_duty_is_cancelled() -> None:
    ended: list[str] = []

    async def noticed() -> None:
        try:
            await wait_for_ever()
        finally:
            ended.append("duty")

    async def drive() -> None:
        stop = asyncio.Event()
        asyncio.get_running_loop().call_soon(stop.set)
        await run_tasks([noticed(), noticed()], stop)

    asyncio.run(drive())
    assert ended == ["duty", "duty"]


@pytest.fixture
def with_model(tmp_path: Path) -> Iterator[ChainWorld]:
    world = ChainWorld(tmp_path / "first", GENESIS)
    world.register_model()
    world.propose()
    yield world
    world.close()


def test_active_models_are_planned_at_the_start(
    with_model: ChainWorld, logged: list[dict[str, object]]
) -> None:
    plan_active_models(with_model.chain)
    assert [line["event"] for line in logged][-1] == "model ready"


def test_an_active_model_that_is_not_here_makes_the_node_not_ready(
    with_model: ChainWorld, tmp_path: Path, logged: list[dict[str, object]]
) -> None:
    follower = ChainWorld(tmp_path / "second", GENESIS)
    for number in range(1, int(with_model.chain.head.block_number) + 1):
        follower.chain.import_block(*final_block(with_model, number))
    plan_active_models(follower.chain)
    follower.close()
    model_id = with_model.store.list_models()[0]
    assert logged[-1]["event"] == "not ready"
    assert logged[-1]["reason"] == f"model data not available: 0x{model_id.hex()}"


def test_a_backend_that_fails_its_vectors_is_not_used(
    with_model: ChainWorld, tmp_path: Path
) -> None:
    wrong = FlippedBit()
    wrong.flips = True
    follower = ChainWorld(tmp_path / "second", GENESIS, wrong)
    for model_id in with_model.store.list_models():
        follower.store.add_file(with_model.store.read(model_id))
    try:
        for number in range(1, int(with_model.chain.head.block_number) + 1):
            follower.chain.import_block(*final_block(with_model, number))
        with pytest.raises(BackendDisagrees, match="'flipped' fails the self-test at vector"):
            plan_active_models(follower.chain)
    finally:
        follower.close()
