"""How `cvm testnet` starts: kernels once and before, Ctrl-C at any time, nodes that are coming."""

import asyncio
import io
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import onnx
import pytest
from onnx import TensorProto, helper
from rich.console import Console

from models_registry.cli.prepare import Options, prepare_model
from node.cli.network_board import Board
from node.cli.testnet import continued, is_done, way_in
from node.cli.warming import CannotWarm, Warming, warm_up, warmings_for
from node.local_network import NetworkPlan, load_places, make_network
from node.network_process import NetworkProcess, NoAnswer, NodePlace
from node.p2p.first_fault import first_fault
from node.warm_models import warm_models

TIMEOUT_S = 60


def run(work: Coroutine[Any, Any, None]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(TIMEOUT_S):
            await work

    asyncio.run(bounded())


def place(folder: Path, name: str = "validator-0") -> NodePlace:
    return NodePlace(name, folder / name, 1, 2, bytes(64), bytes(20))


def small_model() -> bytes:
    """Return a checked model of two operators."""
    graph = helper.make_graph(
        [helper.make_node("Relu", ["x"], ["z"]), helper.make_node("Abs", ["z"], ["y"])],
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 4])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 4])],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)])
    assert isinstance(model, onnx.ModelProto)
    return prepare_model(model.SerializeToString(), Options()).data


def test_the_way_in_names_the_genesis_file_and_a_peer(tmp_path: Path) -> None:
    words = way_in(place(tmp_path)).split()
    assert words[words.index("init") + 1] == str(tmp_path / "genesis.json")
    assert words[-2:] == ["--peer", f"enode://{bytes(64).hex()}@127.0.0.1:2"]


def test_the_samples_and_every_model_of_the_network_are_compiled_once(tmp_path: Path) -> None:
    places = [place(tmp_path, name) for name in ("validator-0", "validator-1")]
    for each in places:
        (each.datadir / "models").mkdir(parents=True)
        (each.datadir / "models" / "aa.onnx").write_bytes(b"")
    core, models = warmings_for(places)
    assert core.module == "node.warm_kernels"
    assert [Path(path).name for path in models.arguments] == [
        "digits_int8.onnx",
        "digits_float32.onnx",
        "aa.onnx",
    ]


def test_each_operator_and_each_run_is_a_step() -> None:
    told: list[tuple[int, int]] = []
    warm_models([small_model()], lambda done, total: told.append((done, total)))
    assert told == [(0, 3), (1, 3), (2, 3), (3, 3)]


def test_a_process_that_cannot_compile_ends_with_its_words(tmp_path: Path) -> None:
    missing = Warming("a model", "node.warm_models", (str(tmp_path / "none.onnx"),))

    async def drive() -> None:
        with first_fault():
            await warm_up([missing], Console(file=io.StringIO()))

    with pytest.raises(CannotWarm, match=r"compiling a model failed:(?s:.*)No such file"):
        run(drive())


def test_what_was_compiled_is_said(tmp_path: Path) -> None:
    path = tmp_path / "small.onnx"
    path.write_bytes(small_model())
    text = io.StringIO()
    run(warm_up([Warming("a model", "node.warm_models", (str(path),))], Console(file=text)))
    assert text.getvalue() == "ready: a model\n"


def test_work_is_left_when_told_to_stop() -> None:
    ended: list[str] = []

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("work")

    async def drive() -> None:
        stop = asyncio.Event()
        asyncio.get_running_loop().call_soon(stop.set)
        assert not await is_done(work(), stop)

    run(drive())
    assert ended == ["work"]


def test_work_that_ends_is_done() -> None:
    async def drive() -> None:
        assert await is_done(asyncio.sleep(0), asyncio.Event())

    run(drive())


def test_the_fault_of_work_comes_out() -> None:
    async def fail() -> None:
        raise CannotWarm("a model", "out of memory")

    async def drive() -> None:
        await is_done(fail(), asyncio.Event())

    with pytest.raises(CannotWarm, match="out of memory"):
        run(drive())


class FakeNode(NetworkProcess):
    """Answers, or does not."""

    answers = False

    async def call(self, method: str, *params: object) -> Any:
        if not self.answers:
            raise NoAnswer(self.place.name)
        return {
            "eth_getBlockByNumber": {"number": "0x7", "hash": "0xab", "timestamp": "0x9"},
            "net_peerCount": "0x3",
            "cvm_nodeStatus": {"status": "ready", "round": "0x2"},
        }[method]


def test_silence_means_something_else_before_and_after_the_first_answer(tmp_path: Path) -> None:
    node = FakeNode(place(tmp_path))
    board = Board((node,))
    seen = []

    async def drive() -> None:
        for node.answers in (False, True, False):
            text = io.StringIO()
            Console(file=text, width=80).print(await board.table())
            (line,) = (row for row in text.getvalue().splitlines() if "validator-0" in row)
            seen.append(line.split()[2:])

    run(drive())
    assert seen == [
        ["-", "-", "-", "starting"],
        ["7", "2", "3", "ready"],
        ["-", "-", "-", "stopped"],
    ]


def test_a_network_that_goes_on_is_shown_as_it_was_made(tmp_path: Path) -> None:
    made = make_network(tmp_path, NetworkPlan(validators=3, full_nodes=1))
    words = continued(tmp_path, load_places(tmp_path))
    assert f"{tmp_path}: 3 validators, 1 full nodes" in words
    assert made[0].url in words
