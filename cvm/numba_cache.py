"""Where compiled kernels lie on disk: a folder that changes whenever their meaning could.

numba's own cache does not notice an edited helper in another file or a changed constant, so the
folder is named by a hash of every source of `cvm`, of the library versions and of the CPU.
"""

import os
import sys
from contextlib import suppress
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from shutil import rmtree
from tempfile import TemporaryFile, mkdtemp

from llvmlite import binding

KEPT_FOLDERS = 8
"""Folders of other sources or CPUs that stay: the most recently made ones."""

LIBRARIES = ("llvmlite", "numba", "numpy")
SOURCES = Path(__file__).resolve().parent


def default_cache_root() -> Path:
    """Return `cvm/numba` in the user's cache folder (XDG Base Directory 0.8)."""
    home = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(home).expanduser() / "cvm" / "numba"


def cache_key() -> str:
    """Return 32 hex digits of a hash of the sources, the libraries, Python and the CPU."""
    digest = sha256()
    for path in sorted(SOURCES.rglob("*.py")):
        content = path.read_bytes()
        digest.update(f"{path.relative_to(SOURCES).as_posix()} {len(content)}\n".encode())
        digest.update(content)
    for library in LIBRARIES:
        digest.update(f"{library} {version(library)}\n".encode())
    digest.update(f"python {sys.version}\n".encode())
    digest.update(f"cpu {binding.get_host_cpu_name()}\n".encode())
    digest.update(binding.get_host_cpu_features().flatten().encode())
    return digest.hexdigest()[:32]


def configure_numba_cache(root: Path | None = None) -> Path:
    """Send numba's disk cache to the folder of this exact source and CPU, and return it.

    Call it before a module with kernels is imported: numba fixes a kernel's cache folder when the
    kernel is declared. `root` defaults to `default_cache_root()`. Where that cannot be written,
    a new temporary folder serves this process.
    """
    key = cache_key()
    folder = (root if root is not None else default_cache_root()) / key
    if not _is_writable(folder):
        folder = Path(mkdtemp(prefix="cvm-numba-")) / key
    _forget_old_folders(folder)
    os.environ["NUMBA_CACHE_DIR"] = str(folder)
    numba = sys.modules.get("numba")
    if numba is not None:
        numba.config.CACHE_DIR = str(folder)
    return folder


def is_cache_configured() -> bool:
    """Say whether numba's disk cache is the folder of this exact source and CPU."""
    return Path(os.environ.get("NUMBA_CACHE_DIR", "")).name == cache_key()


def _forget_old_folders(current: Path) -> None:
    """Delete what earlier versions left behind, beyond the newest few."""
    with suppress(OSError):  # another process may be deleting the same ones
        others = [path for path in current.parent.iterdir() if path.is_dir() and path != current]
        others.sort(key=lambda path: (path.stat().st_mtime_ns, path.name), reverse=True)
        for path in others[KEPT_FOLDERS:]:
            rmtree(path, ignore_errors=True)


def _is_writable(folder: Path) -> bool:
    """Create a folder and try to write a file into it."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with TemporaryFile(dir=folder):
            return True
    except OSError:
        return False
