"""The backends by name, each imported only when it is asked for."""

from importlib import import_module

from cvm.faults import DeviceFault, UnknownBackend
from cvm.inference.backends.backend import Backend

_CLASSES = {
    "reference": ("cvm.inference.backends.reference", "ReferenceBackend"),
    "cpu": ("cvm.inference.backends.cpu", "CpuBackend"),
    "cuda": ("cvm.inference.backends.cuda", "CudaBackend"),
}
_REMEDIES = {
    "reference": "install NumPy: pip install cvm-chain",
    "cpu": "install numba: pip install cvm-chain",
    "cuda": "it needs a CUDA device and CuPy: pip install 'cvm-chain[cuda]'; or use cpu",
}
BACKEND_NAMES = tuple(_CLASSES)


def backend_named(name: str) -> Backend:
    """Return a backend, ready to plan.

    Raises `UnknownBackend`, or `DeviceFault` with what to install where a package or a device
    is missing. Only the backend that is named is imported: `reference` needs NumPy alone.
    """
    if name not in _CLASSES:
        raise UnknownBackend(name, BACKEND_NAMES)
    module_name, class_name = _CLASSES[name]
    try:
        backend: Backend = getattr(import_module(module_name), class_name)()
    except ImportError as error:
        raise DeviceFault(name, f"{error}; {_REMEDIES[name]}") from error
    return backend
