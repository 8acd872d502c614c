"""NVIDIA's run-time compiler from its PyPI package, which needs no GPU, driver or toolkit."""

import ctypes
import functools
import importlib.util
from collections.abc import Sequence
from pathlib import Path

from cvm.inference.backends.cuda.kernels import EXACT_OPTIONS, headers, source_text

PACKAGE = "nvidia-cuda-nvrtc-cu12"
_SHARED_OBJECT = "cuda_nvrtc/lib/libnvrtc.so.12"
"""Where the package lays NVRTC, under the folder `nvidia` that NVIDIA's packages share."""


class CompilationFailed(Exception):
    """NVRTC refused device code, or warned; the message is its log."""


def nvidia_folders() -> list[Path]:
    """Return the folders that NVIDIA's packages share."""
    spec = importlib.util.find_spec("nvidia")
    return [Path(place) for place in (spec.submodule_search_locations or ())] if spec else []


def shared_object() -> Path | None:
    """Return where NVRTC lies, or None where its package is not installed."""
    paths = (folder / _SHARED_OBJECT for folder in nvidia_folders())
    return next(filter(Path.exists, paths), None)


@functools.cache
def compile_kernel_file(source: str, architecture: str) -> bytes:
    """Return what NVRTC makes of `kernels/<source>.cu` for an architecture.

    A virtual one (`compute_90`) gives PTX, a real one (`sm_90`) machine code. Raises
    `CompilationFailed`.
    """
    return compile_text(source_text(source), f"{source}.cu", architecture)


def compile_text(text: str, name: str, architecture: str) -> bytes:
    """Return what NVRTC makes of device code that may include the headers of the kernels.

    Warnings are errors.
    """
    compiler = _nvrtc()
    included = {file.encode(): content.encode() for file, content in headers().items()}
    program = ctypes.c_void_p()
    _check(
        compiler.nvrtcCreateProgram(
            ctypes.byref(program),
            text.encode(),
            name.encode(),
            len(included),
            _strings(list(included.values())),
            _strings(list(included)),
        )
    )
    try:
        options = [f"--gpu-architecture={architecture}", *EXACT_OPTIONS]
        given = _strings([option.encode() for option in options])
        status = compiler.nvrtcCompileProgram(program, len(options), given)
        log = _answer("ProgramLog", program).decode().strip()
        if status or log:
            raise CompilationFailed(log)
        return _answer("PTX" if architecture.startswith("compute_") else "CUBIN", program)
    finally:
        compiler.nvrtcDestroyProgram(ctypes.byref(program))


@functools.cache
def _nvrtc() -> ctypes.CDLL:
    path = shared_object()
    if path is None:
        raise CompilationFailed(f"NVRTC is not installed: pip install {PACKAGE}")
    return ctypes.CDLL(str(path))


def _strings(values: Sequence[bytes]) -> "ctypes.Array[ctypes.c_char_p]":
    return (ctypes.c_char_p * len(values))(*values)


def _check(status: int) -> None:
    if status:
        raise CompilationFailed(f"NVRTC answers with status {status}")


def _answer(what: str, program: ctypes.c_void_p) -> bytes:
    """Return the text or machine code that a compilation has left."""
    size = ctypes.c_size_t()
    _check(_nvrtc()[f"nvrtcGet{what}Size"](program, ctypes.byref(size)))
    buffer = ctypes.create_string_buffer(size.value)
    _check(_nvrtc()[f"nvrtcGet{what}"](program, buffer))
    return buffer.raw if what == "CUBIN" else buffer.raw.rstrip(b"\0")
