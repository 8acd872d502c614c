"""A caller's float settings change no result, and come back."""

import ctypes
import platform
import struct
import sys
from collections.abc import Iterator
from threading import Thread

import numpy as np
import pytest

from cvm.inference.backends.reference import ReferenceBackend
from cvm.inference.engine import run_items
from cvm.inference.float_environment import default_float_environment
from cvm.inference.model_file import parse_model
from tests.unit.inference.onnx_models import encoded, two_layers

pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or platform.machine() != "x86_64",
    reason="sets MXCSR through the x86-64 layout of fenv_t",
)

LIBM = ctypes.PyDLL(None)
MXCSR_OFFSET = 28  # glibc sysdeps/x86/fpu/bits/fenv.h; musl has the same layout
FLUSH_TO_ZERO, DENORMALS_ARE_ZERO, ROUND_UP = 0x8000, 0x0040, 0x4000
MODE_BITS = 0x6000 | FLUSH_TO_ZERO | DENORMALS_ARE_ZERO
HOSTILE = FLUSH_TO_ZERO | DENORMALS_ARE_ZERO | ROUND_UP

TINY = bytes.fromhex("00000001 00400000 80000001")
"""Subnormal float32 elements: flush-to-zero turns all of them into 0."""


def mode_bits() -> int:
    environment = ctypes.create_string_buffer(64)
    LIBM.fegetenv(environment)
    return int(struct.unpack_from("<I", environment, MXCSR_OFFSET)[0]) & MODE_BITS


def set_mode_bits(bits: int) -> None:
    environment = ctypes.create_string_buffer(64)
    LIBM.fegetenv(environment)
    mxcsr = struct.unpack_from("<I", environment, MXCSR_OFFSET)[0] & ~MODE_BITS
    struct.pack_into("<I", environment, MXCSR_OFFSET, mxcsr | bits)
    LIBM.fesetenv(environment)


@pytest.fixture
def hostile_thread_modes() -> Iterator[None]:
    before = mode_bits()
    set_mode_bits(HOSTILE)
    yield
    set_mode_bits(before)


def test_hostile_settings_do_change_plain_arithmetic(hostile_thread_modes: None) -> None:
    assert (np.frombuffer(TINY, ">f4").astype("f4") * np.float32(1)).view(np.uint32).tolist() == [
        0,
        0,
        0x80000000,
    ]


def test_default_environment_keeps_subnormals_and_rounds_to_even(
    hostile_thread_modes: None,
) -> None:
    with default_float_environment():
        inside = mode_bits()
        product = np.array([1e-40, 1e-45], np.float32) * np.array([1, 1], np.float32)
    assert inside == 0
    assert product.view(np.uint32).tolist() == [0x000116C2, 0x00000001]


def test_callers_settings_come_back(hostile_thread_modes: None) -> None:
    with default_float_environment():
        pass
    assert mode_bits() == HOSTILE


def test_callers_settings_come_back_after_an_error(hostile_thread_modes: None) -> None:
    with pytest.raises(KeyError), default_float_environment():
        raise KeyError
    assert mode_bits() == HOSTILE


def test_inference_in_a_hostile_thread_gives_the_same_bytes() -> None:
    model = parse_model(encoded(two_layers()))
    plan = ReferenceBackend().plan(model.graph)
    data = struct.pack(">12f", 1e-40, 3e-39, 7.1, 8.3, 1e-45, 1e-45, 5, 1e-38, 1e-39, 0, 1e-40, 3)
    clean = run_items(plan, model, data)
    results: list[tuple[bytes, int]] = []

    def run_hostile() -> None:
        set_mode_bits(HOSTILE)
        results.append((run_items(plan, model, data), mode_bits()))

    thread = Thread(target=run_hostile)
    thread.start()
    thread.join(timeout=60)
    assert results == [(clean, HOSTILE)]
