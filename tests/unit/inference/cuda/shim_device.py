"""A device of the CUDA backend that is this CPU: the kernels built by g++, for tests."""

import ctypes
import shutil
import subprocess
from collections.abc import Callable, Sequence
from importlib.resources import files
from pathlib import Path

import numpy as np

from cvm.inference.backends.cuda import kernels
from cvm.inference.backends.cuda.device import Launch
from cvm.inference.tensor_type import Array

HERE = Path(__file__).parent
KERNEL_FOLDER = Path(str(files(kernels)))
POISON = 0xFF
"""What fresh memory holds: a NaN as float32, -1 as int32."""

ALIGNMENT = 256


def has_compiler() -> bool:
    """Return whether the kernels can be built here."""
    return shutil.which("g++") is not None


def build_shim(folder: Path) -> ctypes.CDLL:
    """Compile every kernel into one shared library."""
    headers = sorted(path.name for path in KERNEL_FOLDER.glob("*.cuh"))
    lines = [f'#include "{name}"' for name in headers]
    lines += [
        f'namespace {name}_cu {{\n#include "{name}.cu"\n}}' for name in kernels.source_names()
    ]
    (folder / "kernels.inc").write_text("\n".join(lines) + "\n")
    library = folder / "shim.so"
    flags = ["-std=c++17", "-O1", "-ffp-contract=off", "-Wall", "-Werror", "-shared", "-fPIC"]
    places = [f"-I{KERNEL_FOLDER}", f"-I{HERE}", f"-I{folder}", '-DKERNELS="kernels.inc"']
    command = ["g++", *flags, *places, "-o", str(library), str(HERE / "shim.cpp")]
    subprocess.run(command, check=True)
    return ctypes.CDLL(str(library))


class ShimMemory:
    """Poisoned memory of this process."""

    def __init__(self, size_bytes: int) -> None:
        self._memory = np.full(size_bytes + ALIGNMENT, POISON, np.uint8)

    @property
    def address(self) -> int:
        start = self._memory.ctypes.data
        return start + -start % ALIGNMENT


class ShimDevice:
    """Runs launches at once, the threads of each block in the order that `schedule` names."""

    def __init__(self, kernels: ctypes.CDLL, schedule: int = 0) -> None:
        self._kernels = kernels
        self._schedule = schedule
        self.launched: list[str] = []

    def allocate(self, size_bytes: int) -> ShimMemory:
        return ShimMemory(size_bytes)

    def upload(self, address: int, array: Array) -> None:
        ctypes.memmove(address, array.ctypes.data, array.nbytes)

    def download(self, address: int, array: Array) -> None:
        ctypes.memmove(array.ctypes.data, address, array.nbytes)

    def wait(self) -> None:
        """Every launch has ended when `run` returns."""

    def run(self, launches: Sequence[Launch]) -> None:
        for launch in launches:
            function = ctypes.cast(self._kernels[launch.kernel.name], ctypes.c_void_p)
            record = ctypes.c_void_p(launch.record_address)
            self.launched.append(launch.kernel.name)
            missed = self._kernels.launch(function, launch.blocks, record, self._schedule)
            assert not missed, f"{launch.kernel.name}: threads miss a barrier"

    def recorded(self, launches: Sequence[Launch]) -> Callable[[], None]:
        return lambda: self.run(launches)
