"""A CuPy whose GPU is a list of calls, for tests of what `CupyDevice` asks of it."""

import ctypes
from collections.abc import Sequence
from types import ModuleType, SimpleNamespace

HOST_TO_DEVICE, DEVICE_TO_HOST = 1, 2


class RuntimeFailure(Exception):
    """Stands for CUDARuntimeError."""


class DriverFailure(Exception):
    """Stands for CUDADriverError."""


class OutOfMemory(Exception):
    """Stands for OutOfMemoryError."""


class CompilerFailure(Exception):
    """Stands for NVRTCError."""


class FakeGpu:
    """Notes what is asked of it; `failing` names calls that raise a `RuntimeFailure`."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.failing: set[str] = set()
        self.options: list[tuple[str, ...]] = []
        self.capturing = False
        self.limit_bytes = 0

    def note(self, call: str) -> None:
        if call.split()[0] in self.failing:
            raise RuntimeFailure(f"{call} failed")
        self.calls.append(f"capture {call}" if self.capturing else call)

    def module(self) -> ModuleType:
        """Return what stands in for the package `cupy`."""
        cupy = ModuleType("cupy")
        contents: dict[str, object] = vars(cupy)
        contents["__version__"] = "0"
        contents["cuda"] = SimpleNamespace(
            Device=lambda index: FakeContext(self, compute_capability="90", id=index),
            Stream=lambda non_blocking: FakeStream(self),
            MemoryPool=lambda: FakePool(self),
            runtime=SimpleNamespace(
                CUDARuntimeError=RuntimeFailure,
                memcpyHostToDevice=HOST_TO_DEVICE,
                memcpyDeviceToHost=DEVICE_TO_HOST,
                memcpyAsync=self.copy,
                getDeviceProperties=lambda index: {"name": b"Fake"},
                driverGetVersion=lambda: 13000,
            ),
            driver=SimpleNamespace(CUDADriverError=DriverFailure),
            memory=SimpleNamespace(OutOfMemoryError=OutOfMemory),
            function=SimpleNamespace(Module=lambda: FakeModule(self)),
            nvrtc=SimpleNamespace(
                NVRTCError=CompilerFailure,
                createProgram=lambda text, name, headers, names: name,
                compileProgram=self.compile,
                getCUBIN=lambda program: program.encode(),
                getProgramLog=lambda program: "line 1: no such name",
                destroyProgram=lambda program: self.note(f"destroy {program}"),
                getVersion=lambda: (13, 0),
            ),
        )
        return cupy

    def copy(self, target: int, source: int, size_bytes: int, kind: int, stream: int) -> None:
        self.note("copy")
        ctypes.memmove(target, source, size_bytes)

    def compile(self, program: str, options: Sequence[str]) -> None:
        self.options.append(tuple(options))
        if "compile" in self.failing:
            raise CompilerFailure("NVRTC_ERROR_COMPILATION")


class FakeContext(SimpleNamespace):
    """Something to enter and leave."""

    def __init__(self, gpu: FakeGpu, **values: object) -> None:
        super().__init__(gpu=gpu, **values)

    def __enter__(self) -> "FakeContext":
        return self

    def __exit__(self, *_: object) -> None:
        return None


class FakeStream(FakeContext):
    """Captures launches between begin and end."""

    ptr = 7

    def synchronize(self) -> None:
        self.gpu.note("synchronize")

    def begin_capture(self) -> None:
        self.gpu.note("begin")
        self.gpu.capturing = True

    def end_capture(self) -> SimpleNamespace:
        self.gpu.capturing = False
        return SimpleNamespace(launch=lambda stream: self.gpu.note("replay"))


class FakePool:
    """Gives memory of this process up to its limit."""

    def __init__(self, gpu: FakeGpu) -> None:
        self._gpu = gpu

    def set_limit(self, size: int) -> None:
        self._gpu.limit_bytes = size

    def malloc(self, size: int) -> SimpleNamespace:
        if size > self._gpu.limit_bytes:
            raise OutOfMemory(f"Out of memory allocating {size} bytes")
        memory = ctypes.create_string_buffer(size)
        return SimpleNamespace(memory=memory, ptr=ctypes.addressof(memory))


class FakeModule:
    """Holds a compiled file; its functions note their launches."""

    def __init__(self, gpu: FakeGpu) -> None:
        self._gpu = gpu

    def load(self, binary: bytes) -> None:
        self._gpu.note(f"load {binary.decode()}")

    def get_function(self, name: str) -> object:
        def launch(
            grid: tuple[int, int, int], block: tuple[int, int, int], arguments: tuple[int, ...]
        ) -> None:
            self._gpu.note(f"launch {name} {grid[0]}x{block[0]} {arguments}")

        return launch
