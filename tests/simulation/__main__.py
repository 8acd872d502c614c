"""Runs scenarios of consensus on virtual time, a process for each seed at work.

    python -m tests.simulation                              # every scenario, in full
    python -m tests.simulation --behaviour equivocate --heights 500 --seeds 4

Prints one line a seed. The last line is `N passed, N failed`; the status is 1 where one failed.
Results go to `bench/results/simulation-<date>.json`, beside those of other scenarios and seeds.
"""

import argparse
import hashlib
import json
import sys
import time
from collections.abc import Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.simulation.outcome import Outcome
from tests.simulation.scenarios import SCENARIOS, Scenario
from tests.simulation.world import World

ROOT = Path(__file__).parents[2]
RESULTS = ROOT / "bench" / "results"
Entry = dict[str, Any]


def run_seed(name: str, heights: int, seed: int) -> tuple[Outcome, float]:
    """Run one seed; return what came of it and the processor time in seconds."""
    before = time.process_time()
    outcome = World(SCENARIOS[name].settings(heights, seed), seed).run()
    return outcome, time.process_time() - before


def line_of(name: str, outcome: Outcome, faults: Sequence[str], cpu_s: float) -> str:
    """Return what is printed of a seed."""
    rounds = " ".join(f"{number}:{count}" for number, count in outcome.rounds.items())
    healed = f", healed in <= {max(outcome.healing_ms) / 1000:.1f} s" if outcome.healing_ms else ""
    verdict = f"FAILED ({'; '.join(faults[:3])})" if faults else "passed"
    return (
        f"{name} seed {outcome.seed}: {outcome.decided} of {outcome.heights} heights, "
        f"{outcome.in_time} in time, longest {outcome.longest_ms / 1000:.1f} s, "
        f"rounds {rounds}{healed}, {outcome.packets} packets, {cpu_s:.0f} s: {verdict}"
    )


def entry_of(outcome: Outcome, faults: Sequence[str], cpu_s: float) -> Entry:
    """Return what is written of a seed."""
    return {
        "seed": outcome.seed,
        "passed": not faults,
        "faults": list(faults[:10]),
        "heights": outcome.heights,
        "decided": outcome.decided,
        "in_time": outcome.in_time,
        "rounds": {str(number): count for number, count in outcome.rounds.items()},
        "longest_ms": outcome.longest_ms,
        "partitions": len(outcome.healing_ms) + outcome.never_healed,
        "slowest_healing_ms": max(outcome.healing_ms, default=0),
        "violations": [
            {"rule": each.rule, "height": each.height} for each in outcome.violations[:10]
        ],
        "virtual_s": outcome.virtual_ms // 1000,
        "packets": outcome.packets,
        "refused": outcome.refused,
        "accusations": outcome.accusations,
        "crashes": outcome.crashes,
        "most_held_bytes": outcome.most_held_bytes,
        "processor_s": round(cpu_s, 1),
    }


def summary_of(scenario: Scenario, entries: Sequence[Entry]) -> Entry:
    """Return the sums over the seeds of a scenario."""
    forks = sum(each["rule"].startswith("two blocks") for e in entries for each in e["violations"])
    return {
        "must_fork": scenario.must_fork,
        "seeds": len(entries),
        "passed": sum(entry["passed"] for entry in entries),
        "heights": sum(entry["heights"] for entry in entries),
        "decided": sum(entry["decided"] for entry in entries),
        "in_time": sum(entry["in_time"] for entry in entries),
        "longest_ms": max(entry["longest_ms"] for entry in entries),
        "partitions": sum(entry["partitions"] for entry in entries),
        "slowest_healing_ms": max(entry["slowest_healing_ms"] for entry in entries),
        "forks_found": forks,
        "accusations": sum(entry["accusations"] for entry in entries),
        "crashes": sum(entry["crashes"] for entry in entries),
        "runs": sorted(entries, key=lambda entry: int(entry["seed"])),
    }


def run_scenarios(arguments: argparse.Namespace) -> dict[str, list[Entry]]:
    """Run what was asked for; print a line a seed."""
    entries: dict[str, list[Entry]] = {}
    with ProcessPoolExecutor(arguments.processes) as pool:
        running: dict[Future[tuple[Outcome, float]], str] = {}
        for name in arguments.behaviour or SCENARIOS:
            scenario = SCENARIOS[name]
            heights = arguments.heights or scenario.heights
            seeds = arguments.seeds or scenario.seeds
            for seed in range(arguments.first_seed, arguments.first_seed + seeds):
                running[pool.submit(run_seed, name, heights, seed)] = name
        for future in as_completed(running):
            name = running[future]
            outcome, cpu_s = future.result()
            faults = SCENARIOS[name].faults(outcome)
            print(line_of(name, outcome, faults, cpu_s), flush=True)
            entries.setdefault(name, []).append(entry_of(outcome, faults, cpu_s))
    return entries


def source_hash() -> str:
    """Return which code the results are of: consensus, and the simulation without its tests."""
    folders = (ROOT / "consensus" / "qbft", Path(__file__).parent)
    files = sorted(path for folder in folders for path in folder.glob("*.py"))
    texts = [path.read_bytes() for path in files if not path.name.startswith("test_")]
    return hashlib.sha256(b"".join(texts)).hexdigest()[:16]


def write_results(folder: Path, entries: dict[str, list[Entry]], source: str) -> Path:
    """Write the results beside those of the same day, code and heights that are there already."""
    path = folder / f"simulation-{datetime.now(UTC):%Y-%m-%d}.json"
    report: Entry = json.loads(path.read_text("utf-8")) if path.exists() else {}
    for name, found in entries.items():
        runs = {entry["seed"]: entry for entry in found}
        earlier = report.get(name, {})
        if earlier.get("source") == source:
            alike = [run for run in earlier["runs"] if run["heights"] == found[0]["heights"]]
            runs = {run["seed"]: run for run in alike} | runs
        report[name] = {"source": source} | summary_of(SCENARIOS[name], list(runs.values()))
    path.write_text(json.dumps(report, indent=1, sort_keys=True) + "\n", "utf-8")
    return path


def main(words: Sequence[str]) -> int:
    """Run the command; return its status."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation")
    parser.add_argument("--behaviour", action="append", choices=list(SCENARIOS))
    parser.add_argument("--heights", type=int)
    parser.add_argument("--seeds", type=int)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--results", type=Path, default=RESULTS)
    arguments = parser.parse_args(words)
    source = source_hash()
    entries = run_scenarios(arguments)
    print(write_results(arguments.results, entries, source))
    passed = [entry["passed"] for found in entries.values() for entry in found]
    print(f"{sum(passed)} passed, {len(passed) - sum(passed)} failed")
    return 0 if all(passed) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
