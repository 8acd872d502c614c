"""What the GPU's device asks of CuPy, shown on a fake, and on a GPU where there is one."""

import importlib
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import pytest

from cvm.faults import DeviceFault
from cvm.inference.backends.cuda import CudaBackend, open_gpu
from cvm.inference.backends.cuda.device import Kernel, Launch
from cvm.inference.self_test import run_self_test
from node.self_test_vectors import load_self_test_vectors
from tests.gpu import require_gpu
from tests.unit.inference.cuda.fake_cupy import FakeGpu

if TYPE_CHECKING:
    from cvm.inference.backends.cuda.cupy_device import CupyDevice

MODULE = "cvm.inference.backends.cuda.cupy_device"
ADD = Launch(Kernel("elementwise", "add_f32"), 2, 4096)
CLIP = Launch(Kernel("elementwise", "clip_float32"), 1, 8192)
LAUNCH_ADD, LAUNCH_CLIP = "launch add_f32 2x256 (4096,)", "launch clip_float32 1x256 (8192,)"


@pytest.fixture
def gpu(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeGpu]:
    fake = FakeGpu()
    kept = sys.modules.pop(MODULE, None)
    monkeypatch.setitem(sys.modules, "cupy", fake.module())
    yield fake
    del sys.modules[MODULE]
    if kept is not None:
        sys.modules[MODULE] = kept


@pytest.fixture
def device(gpu: FakeGpu) -> "CupyDevice":
    opened: CupyDevice = importlib.import_module(MODULE).CupyDevice(1000)
    return opened


def test_kernels_are_compiled_once_for_this_gpu_without_flush_to_zero(
    gpu: FakeGpu, device: "CupyDevice"
) -> None:
    device.run([ADD, CLIP])
    device.run([ADD])
    assert gpu.calls == [
        "destroy elementwise.cu",
        "load elementwise.cu",
        LAUNCH_ADD,
        LAUNCH_CLIP,
        LAUNCH_ADD,
    ]
    assert gpu.options == [
        (
            "--gpu-architecture=sm_90",
            "--fmad=false",
            "--ftz=false",
            "--prec-div=true",
            "--prec-sqrt=true",
            "--std=c++17",
        )
    ]


def test_the_first_call_launches_and_captures_and_the_others_replay(
    gpu: FakeGpu, device: "CupyDevice"
) -> None:
    replay = device.recorded([ADD, CLIP])
    assert gpu.calls == []
    replay()
    replay()
    replay()
    assert gpu.calls[2:] == [
        LAUNCH_ADD,
        LAUNCH_CLIP,
        "begin",
        f"capture {LAUNCH_ADD}",
        f"capture {LAUNCH_CLIP}",
        "replay",
        "replay",
    ]


def test_nothing_to_launch_makes_no_graph(gpu: FakeGpu, device: "CupyDevice") -> None:
    device.recorded([])()
    assert gpu.calls == []


def test_copies_go_there_and_back_and_end_before_they_return(
    gpu: FakeGpu, device: "CupyDevice"
) -> None:
    memory = device.allocate(12)
    sent, received = np.arange(3, dtype=np.float32), np.zeros(3, np.float32)
    device.upload(memory.address, sent)
    device.download(memory.address, received)
    assert received.tolist() == [0, 1, 2]
    assert gpu.calls == ["copy", "synchronize", "copy", "synchronize"]


def test_the_pool_is_bounded(gpu: FakeGpu, device: "CupyDevice") -> None:
    assert gpu.limit_bytes == 1000
    with pytest.raises(DeviceFault, match="needs 1001 of at most 1000 bytes: raise the limit"):
        device.allocate(1001)


@pytest.mark.parametrize("failing", ["load", "launch"])
def test_a_failure_of_cuda_is_a_fault_of_this_machine(
    gpu: FakeGpu, device: "CupyDevice", failing: str
) -> None:
    gpu.failing = {failing}
    with pytest.raises(DeviceFault, match=rf"{failing} .*failed; restart the node, or use the cpu"):
        device.run([ADD])


def test_a_failure_of_the_compiler_carries_its_log(gpu: FakeGpu, device: "CupyDevice") -> None:
    gpu.failing = {"compile"}
    with pytest.raises(DeviceFault, match=r"elementwise\.cu for sm_90: .*line 1: no such name"):
        device.run([ADD])
    assert gpu.calls == ["destroy elementwise.cu"]


def test_the_device_describes_itself(device: "CupyDevice") -> None:
    assert device.description() == {
        "device": "Fake",
        "compute_capability": "90",
        "driver_cuda": "13000",
        "nvrtc": "13.0",
        "cupy": "0",
    }


@pytest.mark.gpu
def test_every_golden_vector_holds_on_this_gpu() -> None:
    require_gpu()
    device = open_gpu()
    vectors = load_self_test_vectors()
    assert run_self_test(CudaBackend(device), vectors) == len(vectors)
