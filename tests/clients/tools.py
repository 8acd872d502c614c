"""The programs and packages that clients are made of: found, or installed where npm and pip can."""

import hashlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent
STAMP = ".installed"
INSTALL_TIMEOUT_S = 900
SHOWN_LINES = 4
OLDEST_NODE = (22, 13)
"""What Hardhat 3 asks for; package.json brings one for Linux."""

FOUNDRY = ("cast", "forge")
BROWSERS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
NO_BROWSER = f"no Chromium on PATH: apt-get install {BROWSERS[0]}, or set CVM_BROWSER"


@dataclass(frozen=True, slots=True)
class Tools:
    """Where things lie, and for each kind that is missing the reason."""

    folder: Path
    browser: str | None
    missing: dict[str, str]

    @property
    def node_modules(self) -> Path:
        """Return where npm's packages lie."""
        return self.folder / "node_modules"

    @property
    def programs(self) -> tuple[Path, ...]:
        """Return folders of programs, to be looked at before PATH.

        Foundry's own programs come first: npm's wrappers of them always end with status 0.
        """
        foundry = [
            path
            for name in FOUNDRY
            for path in sorted((self.node_modules / "@foundry-rs").glob(f"{name}-*/bin"))
        ]
        return (*foundry, self.node_modules / ".bin", self.folder / "venv" / "bin")

    def lack(self, needs: Sequence[str]) -> str | None:
        """Return why a client with these needs cannot run, or None."""
        return next((self.missing[need] for need in needs if need in self.missing), None)


def find_tools() -> Tools:
    """Find what is there, and install what npm and pip can."""
    folder = Path(os.environ.get("CVM_CLIENTS_DIR", ROOT / ".cache" / "clients")).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    browser = os.environ.get("CVM_BROWSER") or next(filter(None, map(shutil.which, BROWSERS)), None)
    reasons = {
        "npm": reason_of(lambda: install_npm(folder)),
        "pip": reason_of(lambda: install_pip(folder)),
        "browser": None
        if browser
        else f"no browser on PATH: {BROWSERS[0]} of Debian, or CVM_BROWSER",
    }
    missing = {kind: reason for kind, reason in reasons.items() if reason is not None}
    tools = Tools(folder, browser, missing)
    if "npm" not in missing and (reason := reason_of(lambda: check_node(tools))) is not None:
        missing["npm"] = reason
    return tools


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
    """Install the packages of package-lock.json, unless they are there; raises `CannotInstall`."""
    files = [HERE / "package.json", HERE / "package-lock.json"]
    npm = shutil.which("npm")
    if is_installed(folder / "node_modules", files):
        return
    if npm is None:
        raise CannotInstall("no npm on PATH: it comes with Node.js")
    for file in files:
        shutil.copy(file, folder / file.name)
    quiet = ["--no-audit", "--no-fund", "--loglevel=error"]
    run_installer(folder, npm, "install", "--ignore-scripts", *quiet)
    mark_installed(folder / "node_modules", files)


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


def check_node(tools: Tools) -> None:
    """See that Node.js is new enough; raises `CannotInstall`."""
    path = os.pathsep.join([*map(str, tools.programs), os.environ["PATH"]])
    node = shutil.which("node", path=path)
    if node is None:
        raise CannotInstall("no node on PATH")
    done = subprocess.run([node, "--version"], capture_output=True, text=True, check=False)
    found = re.match(r"v(\d+)\.(\d+)\.", done.stdout)
    if found is None or (int(found[1]), int(found[2])) < OLDEST_NODE:
        raise CannotInstall(f"{node} is {done.stdout.strip()}: Node.js 22.13 or later is needed")


def run_installer(folder: Path, *command: str) -> None:
    """Run an installer to its end; raises `CannotInstall` with its first lines."""
    print(f"installing into {folder}: {Path(command[0]).name} {command[1]} ...", flush=True)
    try:
        done = subprocess.run(
            command,
            cwd=folder,
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
