"""Two threads run two plans side by side, outside the interpreter lock, with the same bytes."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from cvm.inference.backends.cpu import CpuBackend
from cvm.inference.backends.cpu.plan import CpuPlan
from cvm.inference.float_environment import default_float_environment
from cvm.inference.graph import AttributeValue
from cvm.inference.tensor_type import Array
from tests.unit.inference.cpu.levels import LEVELS
from tests.unit.inference.cpu.one_node import draw, one_node_graph

RUNS = 40


@pytest.mark.parametrize("level", LEVELS)
def test_two_plans_at_once_give_the_bytes_of_one(level: str) -> None:
    attributes: dict[str, AttributeValue] = {"pads": (1, 1, 1, 1)}
    x, w = draw(1, "float32", 1, 16, 20, 20), draw(2, "float32", 24, 16, 3, 3)
    graph = one_node_graph("Conv", attributes, [x, w], {1})
    backend = CpuBackend(level)
    images = [x, -x]
    alone = [backend.plan(graph).run([image])[0].tobytes() for image in images]
    start = Barrier(len(images), timeout=30)

    def work(plan: CpuPlan, image: Array) -> set[bytes]:
        start.wait()
        with default_float_environment():
            return {plan.run([image])[0].tobytes() for _ in range(RUNS)}

    with ThreadPoolExecutor(len(images)) as pool:
        plans = [backend.plan(graph) for _ in images]
        together = list(pool.map(work, plans, images))
    assert together == [{expected} for expected in alone]
