"""A CUDA device by way of CuPy, which only compiles, allocates, copies and launches."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import cupy

from cvm.faults import DeviceFault
from cvm.inference.backends.cuda.device import THREADS, Kernel, Launch, Memory
from cvm.inference.backends.cuda.kernels import EXACT_OPTIONS, headers, source_text
from cvm.inference.tensor_type import Array

_FAILURES = (
    cupy.cuda.runtime.CUDARuntimeError,
    cupy.cuda.driver.CUDADriverError,
    cupy.cuda.memory.OutOfMemoryError,
)


@contextmanager
def _device_faults(remedy: str) -> Iterator[None]:
    """Turn what CuPy raises for a failed device into a `DeviceFault` with what to do next."""
    try:
        yield
    except _FAILURES as error:
        raise DeviceFault("cuda", f"{error}; {remedy}") from error


class DeviceMemory:
    """Memory from the pool; it goes back to the pool with this object."""

    def __init__(self, pointer: "cupy.cuda.MemoryPointer") -> None:
        self._pointer = pointer

    @property
    def address(self) -> int:
        """Return where it starts."""
        return int(self._pointer.ptr)


class CupyDevice:
    """One GPU, one stream, and a memory pool that never grows beyond its limit.

    Kernels are compiled by NVRTC for exactly this GPU when they are first launched. Not by
    `cupy.RawModule`: it appends `-ftz=true` to every compilation (CuPy 14.2,
    `cupy/cuda/compiler.py`), which flushes subnormal results to zero.
    """

    def __init__(self, memory_limit_bytes: int, index: int = 0) -> None:
        with _device_faults("install an NVIDIA driver and a GPU, or use the cpu backend"):
            self._device = cupy.cuda.Device(index)
            self._capability = str(self._device.compute_capability)
            with self._device:
                self._stream = cupy.cuda.Stream(non_blocking=True)
                self._pool = cupy.cuda.MemoryPool()
                self._pool.set_limit(size=memory_limit_bytes)
        self._memory_limit_bytes = memory_limit_bytes
        self._modules: dict[str, cupy.cuda.Module] = {}
        self._functions: dict[Kernel, cupy.cuda.Function] = {}

    def description(self) -> dict[str, str]:
        """Return the GPU's name and compute capability, and the versions of what drives it."""
        with self._working():
            properties = cupy.cuda.runtime.getDeviceProperties(self._device.id)
            driver = cupy.cuda.runtime.driverGetVersion()
        return {
            "device": properties["name"].decode(),
            "compute_capability": self._capability,
            "driver_cuda": str(driver),
            "nvrtc": ".".join(map(str, cupy.cuda.nvrtc.getVersion())),
            "cupy": cupy.__version__,
        }

    def allocate(self, size_bytes: int) -> Memory:
        """Return memory from the pool; raises `DeviceFault` where its limit is reached."""
        limit = self._memory_limit_bytes
        remedy = f"a plan needs {size_bytes} of at most {limit} bytes: raise the limit or use cpu"
        with _device_faults(remedy), self._device:
            return DeviceMemory(self._pool.malloc(max(size_bytes, 1)))

    def upload(self, address: int, array: Array) -> None:
        """Copy a C-ordered array to the device, in the order of the stream."""
        with self._working():
            cupy.cuda.runtime.memcpyAsync(
                address,
                array.ctypes.data,
                array.nbytes,
                cupy.cuda.runtime.memcpyHostToDevice,
                self._stream.ptr,
            )
            self._stream.synchronize()

    def download(self, address: int, array: Array) -> None:
        """Wait for all launches, then fill a C-ordered array from the device."""
        with self._working():
            cupy.cuda.runtime.memcpyAsync(
                array.ctypes.data,
                address,
                array.nbytes,
                cupy.cuda.runtime.memcpyDeviceToHost,
                self._stream.ptr,
            )
            self._stream.synchronize()

    def wait(self) -> None:
        """Return when all launches have ended."""
        with self._working():
            self._stream.synchronize()

    def run(self, launches: Sequence[Launch]) -> None:
        """Launch kernels, one after the other."""
        functions = [self._function(launch.kernel) for launch in launches]
        with self._working():
            for function, launch in zip(functions, launches, strict=True):
                arguments = (launch.record_address,)
                function((launch.blocks, 1, 1), (THREADS, 1, 1), arguments)

    def recorded(self, launches: Sequence[Launch]) -> Callable[[], None]:
        """Return a function that replays a CUDA graph of the launches.

        The first call launches them one by one, which loads every kernel, and then captures the
        graph, which runs nothing.
        """
        graphs: list[cupy.cuda.Graph] = []

        def replay() -> None:
            if graphs:
                with self._working():
                    graphs[0].launch(self._stream)
            elif launches:
                self.run(launches)
                graphs.append(self._captured(launches))

        return replay

    def _captured(self, launches: Sequence[Launch]) -> "cupy.cuda.Graph":
        """Return a CUDA graph of the launches, whose kernels are loaded."""
        with self._working():
            self._stream.begin_capture()
            try:
                self.run(launches)
            finally:
                graph = self._stream.end_capture()
        return graph

    @contextmanager
    def _working(self) -> Iterator[None]:
        """Make this device and its stream the current ones of the calling thread."""
        remedy = "restart the node, or use the cpu backend"
        with _device_faults(remedy), self._device, self._stream:
            yield

    def _function(self, kernel: Kernel) -> "cupy.cuda.Function":
        """Return a kernel, its file compiled and loaded when it is first asked for."""
        if kernel not in self._functions:
            if kernel.source not in self._modules:
                binary = compile_kernels(kernel.source, f"sm_{self._capability}")
                with self._working():
                    self._modules[kernel.source] = module = cupy.cuda.function.Module()
                    module.load(binary)
            with self._working():
                function = self._modules[kernel.source].get_function(kernel.name)
            self._functions[kernel] = function
        return self._functions[kernel]


def compile_kernels(source: str, architecture: str) -> bytes:
    """Return the machine code of `kernels/<source>.cu` for an architecture (`sm_90`).

    For a virtual architecture (`compute_90`) it is PTX. Needs NVRTC, but no device. Raises
    `DeviceFault` with the compiler's log.
    """
    included = {name.encode(): text.encode() for name, text in headers().items()}
    nvrtc = cupy.cuda.nvrtc
    options = (f"--gpu-architecture={architecture}", *EXACT_OPTIONS)
    program = nvrtc.createProgram(
        source_text(source), f"{source}.cu", tuple(included.values()), tuple(included)
    )
    try:
        nvrtc.compileProgram(program, options)
        if architecture.startswith("compute_"):
            return bytes(nvrtc.getPTX(program))
        return bytes(nvrtc.getCUBIN(program))
    except nvrtc.NVRTCError as error:
        log = nvrtc.getProgramLog(program)
        raise DeviceFault(
            "cuda", f"NVRTC cannot compile {source}.cu for {architecture}: {error}: {log}"
        ) from error
    finally:
        nvrtc.destroyProgram(program)
