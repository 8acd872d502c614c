"""Compares the hashes of a fixed set over library settings, feature levels, threads and CPUs.

    python -m tests.cross_machine [SECONDS FOR EACH ROW]

Each row is a process of `tests.machine_hash` in another environment; two of them run on emulated
CPUs (`emulated_machines.py`), with a smaller set. Writes the table of `cvm/inference/README.md`,
says what it left out and why, and ends with status 1 where two hashes differ.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic

from cvm.inference.backends.cpu.feature_level import available_levels
from cvm.numba_cache import default_cache_root
from tests.documents import ROOT
from tests.emulated_machines import CannotEmulate, EmulatedMachine, arm64, haswell

README = ROOT / "cvm/inference/README.md"
BEGIN, END = "<!-- machines: begin -->", "<!-- machines: end -->"
SMALL_SET = ("digits", "small-fuzz", "vectors")
LARGE_SET = ("networks", "fuzz")
TIMEOUT_S = 3600
BLAS_KERNELS = ("Haswell", "SkylakeX", "Prescott")
NUMPY_AVX512 = "X86_V4 AVX512_ICL AVX512_SPR"
NUMPY_ALL = f"X86_V3 {NUMPY_AVX512}"
"""NumPy 2.4 groups AVX2 and FMA3 as X86_V3, AVX-512 as X86_V4; its baseline is SSE4.2."""

Parts = dict[str, tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Row:
    """One process: where it runs, on which backend, in which environment."""

    name: str
    backend: str
    level: str = ""
    threads: int = 1
    environment: Mapping[str, str] = field(default_factory=dict)
    machine: Callable[[Path], EmulatedMachine] | None = None

    @property
    def parts(self) -> tuple[str, ...]:
        """Return the parts of the set that it runs; less where every instruction is emulated."""
        return SMALL_SET if self.machine is not None else SMALL_SET + LARGE_SET


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a row gave: hashes of each part, or why there are none."""

    row: Row
    level: str
    parts: Parts
    seconds: float
    failure: str = ""

    def hash_of(self, part: str) -> str:
        """Return the hash of what came out of a part, or a dash where it was left out."""
        return self.parts[part][1][:8] if part in self.parts else "-"


def rows() -> Iterator[Row]:
    """Yield what is compared."""
    settings = {
        "OPENBLAS_CORETYPE": BLAS_KERNELS,
        "NPY_DISABLE_CPU_FEATURES": (NUMPY_AVX512, NUMPY_ALL),
    }
    levels = [level.name for level in available_levels()]
    for backend, level in (("reference", ""), ("cpu", levels[0])):
        yield Row("no setting", backend, level)
        yield Row("2 threads", backend, level, 2)
        for name, values in settings.items():
            for value in values:
                yield Row(f"`{name}={value}`", backend, level, environment={name: value})
    for level in levels[1:]:
        yield Row("no setting", "cpu", level)
    generic = {"NUMBA_CPU_NAME": "generic", "NUMBA_CPU_FEATURES": ""}
    yield Row("numba's generic CPU", "cpu", "generic", environment=generic)
    for name, machine in (("emulated Haswell", haswell), ("emulated arm64", arm64)):
        yield Row(name, "reference", machine=machine)
        yield Row(name, "cpu", machine=machine)


def outcome_of(row: Row, cache: Path, timeout_s: int = TIMEOUT_S) -> Outcome:
    """Run one row; what takes too long keeps the parts that were done in time."""
    started, lines, failure = monotonic(), "", ""
    try:
        machine = row.machine(cache) if row.machine is not None else None
        lines = _hashes(row, machine, timeout_s)
    except CannotEmulate as fault:
        failure = f"left out: {fault}"
    except subprocess.TimeoutExpired as error:
        lines, failure = (error.stdout or b"").decode(), f"stopped after {timeout_s} s"
    except subprocess.CalledProcessError as error:
        failure = f"FAILED with status {error.returncode}"
    found = [json.loads(line) for line in lines.splitlines()]
    parts = {entry["part"]: (entry["given"], entry["made"]) for entry in found}
    level = found[0]["level"] if found else row.level
    return Outcome(row, level, parts, monotonic() - started, failure)


def _hashes(row: Row, machine: EmulatedMachine | None, timeout_s: int) -> str:
    """Return what `tests.machine_hash` prints in a row's environment."""
    command = machine.command if machine is not None else (sys.executable,)
    folders = [ROOT, ROOT / "models-registry", *(machine.site if machine is not None else ())]
    threads = {name: str(row.threads) for name in ("OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS")}
    arguments = ["--backend", row.backend, "--threads", str(row.threads)]
    arguments += ["--level", row.level] if row.level else []
    environment = {"PYTHONPATH": os.pathsep.join(map(str, folders)), **threads, **row.environment}
    child = subprocess.run(
        [*command, "-m", "tests.machine_hash", *arguments, "--parts", ",".join(row.parts)],
        cwd=ROOT,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        check=True,
        timeout=timeout_s,
    )
    return child.stdout.decode()


def disagreements(outcomes: list[Outcome]) -> list[str]:
    """Return a line for each part of each row that differs from the first row."""
    wanted = outcomes[0].parts
    return [
        f"{entry.row.backend} {entry.level}, {entry.row.name}: {part} "
        + ("drew other inputs" if entry.parts[part][0] != wanted[part][0] else "differs")
        for entry in outcomes
        for part in entry.parts
        if entry.parts[part] != wanted[part]
    ]


def table_text(outcomes: list[Outcome]) -> str:
    """Return the table between the marks."""
    parts = SMALL_SET + LARGE_SET
    lines = [
        f"| backend | level | where | {' | '.join(parts)} | s |",
        f"| --- | --- | --- | {'--- | ' * len(parts)}---: |",
    ]
    for entry in outcomes:
        place = entry.row.name + (f" ({entry.failure})" if entry.failure else "")
        hashes = " | ".join(entry.hash_of(part) for part in parts)
        lines.append(
            f"| {entry.row.backend} | {entry.level} | {place} | {hashes} | {entry.seconds:.0f} |"
        )
    return "\n".join(lines)


def main(arguments: list[str]) -> int:
    """Run every row and write the table; return 1 where a hash differs."""
    timeout_s = int(arguments[0]) if arguments else TIMEOUT_S
    cache = default_cache_root().parent / "machines"
    cache.mkdir(parents=True, exist_ok=True)
    outcomes = []
    for row in rows():
        outcomes.append(outcome_of(row, cache, timeout_s))
        sys.stdout.write(table_text(outcomes[-1:]).splitlines()[-1] + "\n")
        sys.stdout.flush()
    differing = disagreements(outcomes)
    before, _begin, rest = README.read_text(encoding="utf-8").partition(BEGIN + "\n")
    after = rest.partition("\n" + END)[2]
    text = f"{before}{BEGIN}\n{table_text(outcomes)}\n{END}{after}"
    README.write_text(text, encoding="utf-8")
    differing += [
        f"{entry.row}: {entry.failure}" for entry in outcomes if "FAILED" in entry.failure
    ]
    ran = sum(bool(entry.parts) for entry in outcomes)
    sys.stdout.write(f"{ran} of {len(outcomes)} ran, {len(differing)} differ\n")
    sys.stdout.writelines(line + "\n" for line in differing)
    return 1 if differing else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
