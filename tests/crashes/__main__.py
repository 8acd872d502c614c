"""Kills nodes at chosen and at random places, and looks what is left: the long run.

    python -m tests.crashes                              # every part, in full
    python -m tests.crashes --part votes --kills 50      # one of them, shorter

The last line is `N passed, N failed`, of parts; the status is 1 where one failed. Results go to
`bench/results/faults-<date>.json`, beside those of parts that were not run.
"""

# It names the cache folder, which must be known before a module with kernels is imported.
from node.warm_kernels import warm_execution  # isort: skip

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from tests.crashes.node_kills import kill_nodes
from tests.crashes.storage_kills import kill_storage
from tests.crashes.vote_kills import kill_votes

RESULTS = Path(__file__).parents[2] / "bench" / "results"
Part = Callable[[Path, int, int, Callable[[str], None]], dict[str, Any]]
PARTS: dict[str, tuple[Part, int]] = {
    "votes": (kill_votes, 500),
    "storage": (kill_storage, 1_000),
    "nodes": (kill_nodes, 50),
}
PLANTED: dict[str, Part] = {
    "votes": partial(kill_votes, forgets=True),
    "storage": partial(kill_storage, forges=True),
}
"""Parts with a bug that they must find."""


def run_part(name: str, kills: int | None, seed: int, *, planted: bool) -> dict[str, Any]:
    """Run a part in a folder of its own; return its result."""
    part, whole = PARTS[name]
    before_s, before_cpu_s = time.monotonic(), time.process_time()
    with tempfile.TemporaryDirectory() as folder:
        chosen = PLANTED[name] if planted else part
        result = chosen(Path(folder), kills or whole, seed, partial(print, flush=True))
    result["wall_s"] = round(time.monotonic() - before_s, 1)
    result["parent_processor_s"] = round(time.process_time() - before_cpu_s, 1)
    return result


def write_results(folder: Path, results: dict[str, dict[str, Any]]) -> Path:
    """Write the results beside those that the day's file has of other parts."""
    path = folder / f"faults-{datetime.now(UTC):%Y-%m-%d}.json"
    report = json.loads(path.read_text("utf-8")) if path.exists() else {}
    path.write_text(json.dumps(report | results, indent=1, sort_keys=True) + "\n", "utf-8")
    return path


def main(words: Sequence[str]) -> int:
    """Run the command; return its status."""
    parser = argparse.ArgumentParser(prog="python -m tests.crashes")
    parser.add_argument("--part", action="append", choices=list(PARTS))
    parser.add_argument("--kills", type=int)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--planted", action="store_true", help="with a bug, which must be found")
    parser.add_argument("--results", type=Path, default=RESULTS)
    arguments = parser.parse_args(words)
    warm_execution()
    results = {}
    for name in arguments.part or PARTS:
        result = run_part(name, arguments.kills, arguments.seed, planted=arguments.planted)
        verdict = "passed" if result["passed"] else "FAILED"
        print(f"{name}: {result['kills']} kills, {result['wall_s']} s: {verdict}", flush=True)
        results[name] = result
        if not arguments.planted:
            print(write_results(arguments.results, {name: result}), flush=True)
    passed = sum(result["passed"] for result in results.values())
    print(f"{passed} passed, {len(results) - passed} failed")
    return 0 if passed == len(results) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
