"""Runs testnets of real processes, one after another.

    python -m tests.testnets                              # every manifest
    python -m tests.testnets tests/testnets/kill.toml     # some of them

The figures of each go to `bench/results/testnet-<date>.json`, beside those of testnets that were
not run. Ends with a table; the last line is `N passed, N failed`, and the status is 1 where one
failed.
"""

import argparse
import asyncio
import json
import os
import sys
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from rich.console import Console
from rich.table import Table

from cvm.numba_cache import configure_numba_cache

configure_numba_cache()

# The cache folder must be named before a module with kernels is imported.
from tests.testnets.manifest import BadManifest, Manifest, load_manifest, manifests_in  # noqa: E402
from tests.testnets.scenario import Report, Scenario  # noqa: E402

HERE = Path(__file__).parent
RESULTS = HERE.parents[1] / "bench" / "results"
HEADINGS = ("testnet", "blocks", "transactions", "perturbations", "slowest back", "s", "result")
console = Console(highlight=False)


async def run_manifest(manifest: Manifest, keep: Path | None = None) -> Report:
    """Run one manifest in a folder that is dropped afterwards, unless it is to be kept."""
    if keep is not None:
        return await Scenario(manifest, keep / manifest.name).run()
    with TemporaryDirectory(prefix="cvm-testnet-") as folder:
        return await Scenario(manifest, Path(folder)).run()


def show(report: Report) -> None:
    """Print what came of one manifest."""
    for recovery in report.recoveries:
        console.print(
            f"  {recovery.what}: next block after {seconds(recovery.progress_s)}, "
            f"all at the tip after {seconds(recovery.back_s)}"
        )
    for note in report.notes:
        console.print(f"  {note}")
    for fault in report.faults:
        console.print(f"  [red]{fault}[/]")


def seconds(value: float | None) -> str:
    """Return a time, or that there is none."""
    return "never" if value is None else f"{value:.1f} s"


def table_of(reports: Sequence[Report]) -> Table:
    """Return one line for each manifest."""
    table = Table()
    for heading in HEADINGS:
        table.add_column(heading, justify="left" if heading in ("testnet", "result") else "right")
    for report in reports:
        back = [each.back_s for each in report.recoveries if each.back_s is not None]
        table.add_row(
            report.name,
            str(report.blocks),
            str(report.transactions),
            str(len(report.recoveries)),
            f"{max(back):.1f} s" if back else "",
            f"{report.seconds:.0f}",
            "[red]failed[/]" if report.faults else "[green]passed[/]",
        )
    return table


def write_result(folder: Path, report: Report) -> None:
    """Write the figures of a testnet beside those that the day's file has of others."""
    path = folder / f"testnet-{datetime.now(UTC):%Y-%m-%d}.json"
    found: dict[str, Any] = json.loads(path.read_text("utf-8")) if path.exists() else {}
    found[report.name] = asdict(report) | {
        "passed": not report.faults,
        "load_average": round(os.getloadavg()[1], 1),
    }
    path.write_text(json.dumps(found, indent=1, sort_keys=True) + "\n", "utf-8")


def main(arguments: Sequence[str]) -> int:
    """Run the manifests that are named, or all."""
    parser = argparse.ArgumentParser(prog="python -m tests.testnets", description=__doc__)
    parser.add_argument("manifests", nargs="*", type=Path)
    parser.add_argument("--results", type=Path, default=RESULTS, help="folder of the figures")
    parser.add_argument("--keep", type=Path, help="keep data directories and logs in this folder")
    chosen = parser.parse_args(arguments)
    try:
        manifests = [load_manifest(path) for path in chosen.manifests or manifests_in(HERE)]
    except BadManifest as error:
        console.print(f"error: {error}")
        return 2
    reports = []
    for manifest in manifests:
        console.print(f"[bold]{manifest.name}[/]: {manifest.about}")
        reports.append(asyncio.run(run_manifest(manifest, chosen.keep)))
        show(reports[-1])
        write_result(chosen.results, reports[-1])
    console.print(table_of(reports))
    failed = sum(bool(report.faults) for report in reports)
    console.print(f"{len(reports) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
