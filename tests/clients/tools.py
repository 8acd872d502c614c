"""The programs and packages that clients are made of, and which of them are missing."""

import os
import shutil
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tests.clients.installing import install_npm, install_pip, node_folder, reason_of

ROOT = Path(__file__).parents[2]
FOUNDRY = ("cast", "forge")
BROWSERS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
NO_BROWSER = f"no Chromium on PATH: apt-get install {BROWSERS[0]}, or set CVM_BROWSER"


@dataclass(frozen=True, slots=True)
class Tools:
    """Where things lie, and for each kind that is missing (npm, pip, browser) the reason."""

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
        packages = self.node_modules / ".bin"
        return (*foundry, node_folder(self.folder), packages, self.folder / "venv" / "bin")

    def lack(self, needs: Sequence[str]) -> str | None:
        """Return why a client with these needs cannot run, or None."""
        return next((self.missing[need] for need in needs if need in self.missing), None)


def find_tools(needs: Collection[str]) -> Tools:
    """Find what is needed, and install what npm and pip can of it."""
    folder = Path(os.environ.get("CVM_CLIENTS_DIR", ROOT / ".cache" / "clients")).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    browser = os.environ.get("CVM_BROWSER") or next(filter(None, map(shutil.which, BROWSERS)), None)
    installers = {"npm": install_npm, "pip": install_pip}
    reasons = {
        need: reason_of(partial(installers[need], folder))
        for need in sorted(needs)
        if need in installers
    }
    if "browser" in needs and browser is None:
        reasons["browser"] = NO_BROWSER
    missing = {need: reason for need, reason in reasons.items() if reason is not None}
    return Tools(folder, browser, missing)
