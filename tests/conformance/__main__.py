"""Runs the public suites on our own code: every case of them, on a few processes.

    python -m tests.conformance                        # all of them
    python -m tests.conformance --suite state-prague --match eip7702 --interpreter plain

Suites lie where `archives` finds them; an absent one counts as one skipped case. Failures are
printed as they come. The last line is `N passed, N failed, N skipped`; the status is 1 where a
case failed.
"""

import argparse
import json
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait

from cvm.numba_cache import configure_numba_cache

configure_numba_cache()

from cvm.evm.native_interpreter import NativeInterpreter  # noqa: E402
from cvm.evm.plain_interpreter import PlainInterpreter  # noqa: E402
from tests.conformance.archives import absence, files_of, find_suite  # noqa: E402
from tests.conformance.outcomes import FAILED, PASSED, SKIPPED, Outcome  # noqa: E402
from tests.conformance.suites import SUITES  # noqa: E402

INTERPRETERS = {"native": NativeInterpreter, "plain": PlainInterpreter}
WAITING_FILES_PER_PROCESS = 4
SLOWEST = 5
PROGRESS_EVERY_S = 2.0

Work = tuple[str, str, bytes]
"""A suite, the path of a file in it, and its bytes."""


def judge_file(suite: str, path: str, data: bytes, interpreter: str) -> list[Outcome]:
    """Judge one file; what is no `InvalidBlock` or `InvalidTransaction` ends the run."""
    return SUITES[suite](path, json.loads(data), INTERPRETERS[interpreter])


def files_to_judge(suites: Sequence[str], match: str, every: int) -> Iterator[Work]:
    """Yield the files of the suites that are here."""
    for suite in suites:
        path = find_suite(suite)
        if path is None:
            continue
        chosen = (file for file in files_of(path) if file[0].endswith(".json") and match in file[0])
        for place, (name, data) in enumerate(chosen):
            if place % every == 0:
                yield suite, name, data


class Tally:
    """What came of the cases so far."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.skips: Counter[str] = Counter()
        self.times: list[tuple[float, str]] = []
        self._started = self._shown = time.monotonic()

    def add(self, outcomes: Sequence[Outcome], path: str = "", seconds: float = 0.0) -> None:
        """Count outcomes, and show the failures among them."""
        self.times.append((seconds, path))
        for outcome in outcomes:
            self.counts[outcome.verdict] += 1
            if outcome.verdict == FAILED:
                print(f"FAILED {outcome.case}: {outcome.reason}", flush=True)
            elif outcome.verdict == SKIPPED:
                self.skips[outcome.reason] += 1

    def show_progress(self, suite: str) -> None:
        """Write over the line of progress now and then."""
        now = time.monotonic()
        if now - self._shown > PROGRESS_EVERY_S:
            self._shown = now
            text = f"{suite}: {self.line()}, {now - self._started:.0f} s"
            print(f"\r{text:<100}", end="", file=sys.stderr, flush=True)

    def line(self) -> str:
        """Return the last line of the run."""
        return ", ".join(f"{self.counts[kind]} {kind}" for kind in (PASSED, FAILED, SKIPPED))

    def report(self) -> None:
        """Print why cases were skipped, what was slow, and the counts."""
        print("", file=sys.stderr)
        for reason, count in sorted(self.skips.items()):
            print(f"skipped {count}: {reason}")
        for seconds, path in sorted(self.times, reverse=True)[:SLOWEST]:
            print(f"{seconds:.1f} s: {path}")
        print(f"{time.monotonic() - self._started:.0f} s in all")
        print(self.line())


def run(arguments: argparse.Namespace) -> int:
    """Judge what was asked for; return the status of the command."""
    suites = arguments.suite or list(SUITES)
    tally = Tally()
    for suite in suites:
        if find_suite(suite) is None:
            tally.add([Outcome(suite, SKIPPED, absence(suite))])
    room = arguments.processes * WAITING_FILES_PER_PROCESS
    with ProcessPoolExecutor(arguments.processes) as pool:
        waiting: dict[Future[tuple[list[Outcome], float]], Work] = {}
        for work in files_to_judge(suites, arguments.match, arguments.every):
            waiting[pool.submit(timed, *work, arguments.interpreter)] = work
            if len(waiting) >= room:
                collect(waiting, tally)
        while waiting:
            collect(waiting, tally)
    tally.report()
    return 1 if tally.counts[FAILED] or not tally.counts[PASSED] else 0


def timed(suite: str, path: str, data: bytes, interpreter: str) -> tuple[list[Outcome], float]:
    """Judge one file, and measure its processor time in seconds."""
    before = time.process_time()
    outcomes = judge_file(suite, path, data, interpreter)
    return outcomes, time.process_time() - before


def collect(waiting: dict[Future[tuple[list[Outcome], float]], Work], tally: Tally) -> None:
    """Wait for a file and count its outcomes."""
    done, _rest = wait(waiting, return_when=FIRST_COMPLETED)
    for future in done:
        suite, path, _data = waiting.pop(future)
        outcomes, seconds = future.result()
        tally.add(outcomes, path, seconds)
        tally.show_progress(suite)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return its status."""
    parser = argparse.ArgumentParser(prog="python -m tests.conformance")
    parser.add_argument("--suite", action="append", choices=list(SUITES), help="only this one")
    parser.add_argument("--match", default="", help="only files whose path holds this")
    parser.add_argument("--every", type=int, default=1, help="only every k-th file")
    parser.add_argument("--interpreter", choices=list(INTERPRETERS), default="native")
    parser.add_argument("--processes", type=int, default=2)
    return run(parser.parse_args(arguments))


if __name__ == "__main__":
    sys.exit(main())
