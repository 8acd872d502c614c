"""The report on a GPU: what it writes and how it exits, with the CPU in the GPU's place."""

import ctypes
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from bench import gpu_cases, gpu_report
from cvm.faults import DeviceFault
from cvm.inference.tensor_type import Array
from tests.unit.inference.cuda.shim_device import ShimDevice


class NamedDevice(ShimDevice):
    """Has a name, as a GPU has."""

    def description(self) -> dict[str, str]:
        return {"device": "This CPU"}


class WrongDevice(NamedDevice):
    """Turns the lowest bit of every download."""

    def download(self, address: int, array: Array) -> None:
        super().download(address, array)
        array.reshape(-1).view(np.uint8)[:1] ^= 1


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> Callable[[ShimDevice], None]:
    """Return what puts a device in the GPU's place, and keep the report short."""
    product = gpu_cases.Case(
        "product", "MatMul", (np.eye(3, dtype=np.float32),) * 2, frozenset({1})
    )
    monkeypatch.setattr(gpu_report, "timed_cases", lambda: [product])
    monkeypatch.setattr(gpu_report, "NETWORKS", {})
    monkeypatch.setattr(gpu_report, "ROUND_SECONDS", 0)
    monkeypatch.setattr(gpu_report, "configure_numba_cache", lambda: None)
    monkeypatch.setattr(gpu_cases, "EXPONENTIAL_STEP", 1_000_003)
    return lambda device: monkeypatch.setattr(gpu_report, "open_gpu", lambda: device)


def test_a_right_device_gives_a_report_of_equal_entries(
    shim: ctypes.CDLL,
    small: Callable[[ShimDevice], None],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    small(NamedDevice(shim))
    assert gpu_report.main([str(tmp_path)]) == 0
    (path,) = tmp_path.iterdir()
    assert path.name.startswith("gpu-this-cpu-20")
    report = json.loads(path.read_text())
    assert len(report["vectors"]) >= 180
    assert [entry["name"] for entry in report["digits"]] == ["digits_float32", "digits_int8"]
    assert report["operators"][0]["microseconds"] > 0
    assert "0 wrong" in capsys.readouterr().out


def test_a_wrong_bit_makes_the_exit_status_1(
    shim: ctypes.CDLL, small: Callable[[ShimDevice], None], tmp_path: Path
) -> None:
    small(WrongDevice(shim))
    assert gpu_report.main([str(tmp_path)]) == 1
    (path,) = tmp_path.iterdir()
    report = json.loads(path.read_text())
    assert not any(entry["equal"] for entry in report["digits"])
    faults = {entry["name"]: entry.get("fault", "") for entry in report["vectors"]}
    assert "fails the self-test" in faults["Relu: specials"]


def test_without_a_gpu_the_exit_status_is_2(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def no_gpu() -> None:
        raise DeviceFault("cuda", "no GPU; use the cpu backend")

    monkeypatch.setattr(gpu_report, "open_gpu", no_gpu)
    assert gpu_report.main([str(tmp_path)]) == 2
    assert list(tmp_path.iterdir()) == []
    assert "no GPU; use the cpu backend" in capsys.readouterr().out
