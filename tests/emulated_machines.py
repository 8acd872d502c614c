"""Other CPUs on this machine: qemu-user, and a Python for arm64 with the engine's libraries.

Everything comes through `apt-get` and `pip` into one cache folder, and nothing is installed: the
packages are unpacked there. Needs a Debian, for `apt-get`, `dpkg-deb` and the archive's keys.
"""

import os
import platform
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

LIBRARIES = ("numpy", "numba", "llvmlite", "onnx")
ARM_PACKAGES = ("python3-minimal", "libpython3-stdlib", "libstdc++6")
WHEEL_PLATFORMS = (
    *(f"manylinux_2_{minor}_aarch64" for minor in range(17, 37)),
    "manylinux2014_aarch64",
)
STEP_TIMEOUT_S = 600
SOURCES = (
    "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] "
    "http://deb.debian.org/debian trixie main\n"
)
"""Debian 13 brings qemu 10; the AVX2 of qemu 7.2 sorts wrongly (NumPy's argsort)."""
NOT_EMULATED = ("pcid", "x2apic", "tsc-deadline", "hle", "invpcid", "rtm")
"""Features of a Haswell that qemu would only warn of."""


class CannotEmulate(Exception):
    """An emulated machine cannot be prepared here, and why."""


@dataclass(frozen=True, slots=True)
class EmulatedMachine:
    """How to start Python there: what stands before its arguments, and where modules lie."""

    command: tuple[str, ...]
    site: tuple[Path, ...]


def haswell(cache: Path) -> EmulatedMachine:
    """Return this very Python on an x86-64 CPU with AVX2 and FMA but without AVX-512."""
    if platform.machine() != "x86_64":
        raise CannotEmulate(f"needs an x86-64 Python, this one is for {platform.machine()}")
    cpu = "Haswell" + "".join(f",{feature}=off" for feature in NOT_EMULATED)
    return EmulatedMachine((_emulator(cache, "qemu-x86_64"), "-cpu", cpu, sys.executable), ())


def arm64(cache: Path) -> EmulatedMachine:
    """Return Debian's Python for arm64, with the libraries in the versions of this Python."""
    qemu = _emulator(cache, "qemu-aarch64")
    root = cache / "arm64"
    if not root.is_dir():
        _unpack(_archives(cache, "arm64", ARM_PACKAGES), root)
    python = next((root / "usr/bin").glob("python3.*[0-9]"))
    site = _arm_libraries(cache, python.name.removeprefix("python"))
    return EmulatedMachine((qemu, "-L", str(root), str(python)), (site,))


def _emulator(cache: Path, name: str) -> str:
    """Return the path of an emulator."""
    folder = cache / "qemu"
    if not folder.is_dir():
        _unpack(_archives(cache, "amd64", ["qemu-user"]), folder)
    return str(folder / "usr/bin" / name)


def _archives(cache: Path, architecture: str, packages: Sequence[str]) -> Path:
    """Return a folder with Debian's archives of packages and of all that they need."""
    state = _fresh(cache / f"apt-{architecture}")
    for folder in ("state/lists/partial", "cache/archives/partial"):
        (state / folder).mkdir(parents=True)
    (state / "status").touch()
    (state / "sources.list").write_text(SOURCES, encoding="utf-8")
    options = [
        f"Dir::State={state / 'state'}",
        f"Dir::Cache={state / 'cache'}",
        f"Dir::State::status={state / 'status'}",
        f"Dir::Etc::sourcelist={state / 'sources.list'}",
        "Dir::Etc::sourceparts=-",
        f"APT::Architecture={architecture}",
        f"APT::Architectures={architecture}",
        "APT::Sandbox::User=",
    ]
    apt = ["apt-get", "--quiet", *(f"--option={option}" for option in options)]
    _run([*apt, "update"], state)
    wanted = ["--yes", "--no-install-recommends", "--download-only", *packages]
    _run([*apt, "install", *wanted], state)
    return state / "cache/archives"


def _arm_libraries(cache: Path, python_version: str) -> Path:
    """Return a folder with the wheels for arm64, unpacked."""
    names = [f"{library}=={version(library)}" for library in LIBRARIES]
    folder = cache / "-".join(["site", python_version, *names])
    if not folder.is_dir():
        wheels = _fresh(cache / "wheels")
        platforms = [f"--platform={name}" for name in WHEEL_PLATFORMS]
        pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
        target = ["--only-binary=:all:", "--implementation=cp", "--dest", "."]
        _run(
            [*pip, "download", *target, f"--python-version={python_version}", *platforms, *names],
            wheels,
        )
        unpacked = _fresh(cache / "unpacked")
        for wheel in sorted(wheels.glob("*.whl")):
            with zipfile.ZipFile(wheel) as archive:
                archive.extractall(unpacked)
        unpacked.rename(folder)
    return folder


def _unpack(archives: Path, target: Path) -> None:
    """Unpack every Debian archive of a folder into one root; the root appears when it is whole."""
    unpacked = _fresh(target.with_name(f"{target.name}-unpacked"))
    for archive in sorted(archives.glob("*.deb")):
        _run(["dpkg-deb", "--extract", str(archive), str(unpacked)], archives)
    if not (unpacked / "lib").exists():  # Debian's package base-files makes this link
        (unpacked / "lib").symlink_to("usr/lib")
    unpacked.rename(target)


def _fresh(folder: Path) -> Path:
    """Return an empty folder in the place of whatever a broken run left."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def _run(command: Sequence[str], folder: Path) -> None:
    """Run one step; raises `CannotEmulate` with the last line that it wrote."""
    environment = {**os.environ, "LC_ALL": "C"}
    try:
        subprocess.run(
            command,
            cwd=folder,
            env=environment,
            check=True,
            capture_output=True,
            text=True,
            timeout=STEP_TIMEOUT_S,
        )
    except FileNotFoundError as error:
        raise CannotEmulate(f"{command[0]} is not installed") from error
    except subprocess.TimeoutExpired as error:
        raise CannotEmulate(f"{command[0]} took over {STEP_TIMEOUT_S} s") from error
    except subprocess.CalledProcessError as error:
        lines = (error.stderr or error.stdout).strip().splitlines() or ["no message"]
        raise CannotEmulate(f"{command[0]}: {lines[-1]}") from error
