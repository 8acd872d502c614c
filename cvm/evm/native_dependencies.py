"""Choose the native keccak and secp256k1, and refuse to start without them or assertions.

Under the wallet libraries `eth-hash` silently prefers a keccak that is five times slower (measured:
8.2 us against 1.7 us for 64 bytes).
"""

import os
from importlib.util import find_spec

os.environ["ETH_HASH_BACKEND"] = "pysha3"  # for the wallet libraries

NATIVE_MODULES = {"_pysha3": "safe-pysha3", "coincurve._libsecp256k1": "coincurve"}
"""Extension modules, and the packages that bring them."""


class NativeDependencyMissing(ImportError):
    """A hard dependency is not installed as native code."""

    def __init__(self, name: str) -> None:
        super().__init__(f"{name} is missing: run `make install`, or pip install cvm-chain again")


class AssertionsOff(ImportError):
    """Libraries below check with `assert`; without it a node would accept what others refuse."""

    def __init__(self) -> None:
        super().__init__(
            "Python runs without assertions (-O or PYTHONOPTIMIZE), on which consensus rests: "
            "start it without"
        )


def require_assertions() -> None:
    """Raise `AssertionsOff` under `python -O`."""
    if not __debug__:
        raise AssertionsOff


def require_native_dependencies() -> None:
    """Raise `NativeDependencyMissing` unless keccak and secp256k1 are there as native code."""
    for module, package in NATIVE_MODULES.items():
        if find_spec(module) is None:
            raise NativeDependencyMissing(package)
