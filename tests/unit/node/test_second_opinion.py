"""A refused proposal is compared with the definition beside all else, not in its way."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from node import consensus_driver
from opcodes.inference_host import InferenceCall
from tests.four_validators import FourWorld
from tests.unit.node.test_divergence import (
    TIMEOUT_S,
    FlippingBackend,
    candidate,
    follower,
    guilty_block,
    honest_world,
    take_part,
)


@pytest.fixture(scope="module")
def honest(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FourWorld]:
    world = honest_world(tmp_path_factory.mktemp("honest"))
    yield world
    world.close()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch, honest: FourWorld) -> None:
    due_ms = (honest.chain.head.timestamp + 1) * 1_000
    monkeypatch.setattr(consensus_driver, "now_ms", lambda: due_ms)


@pytest.mark.usefixtures("clock")
def test_a_wrong_proposal_does_not_hold_up_the_writer_while_the_definition_runs(
    honest: FourWorld, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The definition is hundreds of times slower, and a validator may propose wrong roots often."""
    block = guilty_block(honest, tmp_path / "guilty")
    world = follower(tmp_path / "ours", honest, FlippingBackend())
    began, ended = threading.Event(), threading.Event()

    def slow(_call: InferenceCall, is_over: Callable[[], bool]) -> None:
        began.set()
        while not is_over():
            ended.wait(0.01)
        ended.set()

    monkeypatch.setattr(world.host, "compare_with_reference", slow)
    folder = tmp_path / "ours"
    assert take_part(world, folder, block, until_final=False, until=began.wait) == []
    assert ended.wait(TIMEOUT_S)
    world.close()


@pytest.mark.usefixtures("clock")
def test_a_refused_proposal_shows_a_wrong_backend_though_nobody_makes_it_final(
    honest: FourWorld, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    block = candidate(honest)[0].block
    backend = FlippingBackend()
    world = follower(tmp_path, honest, backend)
    world.host.model(honest.model_id)  # type: ignore[attr-defined]
    backend.runs = None
    compared, find = threading.Event(), world.chain.find_own_fault

    def found(*arguments: Any) -> bool:
        is_own = find(*arguments)
        compared.set()
        return is_own

    monkeypatch.setattr(world.chain, "find_own_fault", found)
    assert take_part(world, tmp_path, block, until_final=False, until=compared.wait) == []
    assert world.host.quarantined == "flipping"
    world.close()
