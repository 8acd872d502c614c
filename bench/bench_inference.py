"""Speed of the CPU backend beside NumPy's BLAS and onnxruntime, one thread each, same machine.

Peers are measured in the same run; `extra_info` holds both figures. NumPy's sgemm runs in its own
process, where OPENBLAS_CORETYPE names the widest kernel that the CPU has: the environment may pin
a slower one.
"""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from bench.sgemm import CORETYPES, sgemm_seconds
from cvm.inference.backends.cpu import CpuBackend
from cvm.inference.backends.cpu.feature_level import available_levels
from cvm.inference.model_file import parse_model
from tests.unit.inference.cpu.one_node import draw, one_node_graph

M, K, N = 256, 2304, 196
"""A 3 by 3 convolution of 256 channels on a 14 by 14 image, as in ResNet-50."""

LEVELS = [level.name for level in available_levels()]
MODELS = Path(__file__).parent.parent / "models-registry" / "models"


def least_seconds(run: Callable[[], object], rounds: int) -> float:
    """Return the least time of a call."""
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return min(times)


def measure(benchmark: BenchmarkFixture, run: Callable[[], object], rounds: int) -> float:
    """Let pytest-benchmark time a call; return the least seconds."""
    fixture: Any = benchmark
    fixture.pedantic(run, rounds=rounds, warmup_rounds=3)
    return float(fixture.stats.stats.min)


@pytest.mark.parametrize("level", LEVELS)
def test_float32_product(benchmark: BenchmarkFixture, level: str) -> None:
    a, b = draw(1, "float32", M, K), draw(2, "float32", K, N)
    plan = CpuBackend(level).plan(one_node_graph("MatMul", {}, [a, b], {0, 1}))
    seconds = measure(benchmark, lambda: plan.run([]), 50)
    operations = 2e-9 * M * K * N
    coretype = CORETYPES[level]
    benchmark.extra_info["GFLOP/s"] = round(operations / seconds, 1)
    benchmark.extra_info[f"OpenBLAS {coretype}"] = round(
        operations / sgemm_seconds(level, M, K, N), 1
    )
    print(level, benchmark.extra_info)


@pytest.mark.parametrize("level", LEVELS)
def test_float32_convolution(benchmark: BenchmarkFixture, level: str) -> None:
    x, w = draw(1, "float32", 1, 256, 14, 14), draw(2, "float32", 256, 256, 3, 3)
    inputs = [x, w, draw(3, "float32", 256)]
    graph = one_node_graph("Conv", {"pads": (1, 1, 1, 1)}, inputs, {1, 2})
    plan = CpuBackend(level).plan(graph)
    seconds = measure(benchmark, lambda: plan.run([x]), 50)
    benchmark.extra_info["GFLOP/s"] = round(2e-9 * M * K * N / seconds, 1)
    print(level, benchmark.extra_info)


@pytest.mark.parametrize("level", LEVELS)
def test_int8_convolution(benchmark: BenchmarkFixture, level: str) -> None:
    x, w = draw(1, "uint8", 1, 256, 14, 14), draw(2, "int8", 256, 256, 3, 3) // np.int8(2)
    scale, zero, w_zero = np.array(0.02, np.float32), np.array(3, np.uint8), np.zeros(256, np.int8)
    inputs = [x, scale, zero, w, np.full(256, 0.01, np.float32), w_zero, scale, zero]
    graph = one_node_graph("QLinearConv", {"pads": (1, 1, 1, 1)}, inputs, set(range(1, 8)))
    plan = CpuBackend(level).plan(graph)
    seconds = measure(benchmark, lambda: plan.run([x]), 50)
    benchmark.extra_info["GMAC/s"] = round(1e-9 * M * K * N / seconds, 1)
    print(level, benchmark.extra_info)


@pytest.mark.parametrize("name", ["digits_float32", "digits_int8"])
def test_digit(benchmark: BenchmarkFixture, name: str) -> None:
    path = MODELS / f"{name}.onnx"
    image = np.load(MODELS / "digits_100_images.npy")[:1].reshape(1, 1, 28, 28)
    plan = CpuBackend().plan(parse_model(path.read_bytes()).graph)
    seconds = measure(benchmark, lambda: plan.run([image]), 2_000)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    peer = least_seconds(lambda: session.run(None, {"image": image}), 2_000)
    benchmark.extra_info["microseconds"] = round(seconds * 1e6, 1)
    benchmark.extra_info["onnxruntime microseconds"] = round(peer * 1e6, 1)
    print(name, benchmark.extra_info)
