"""Reads, plans and runs damaged model files, each within 2 s and 512 MiB, opening no file.

    python -m tests.hostile_run --files 10000 --seed 0

Everything follows from the seed. A child process takes the files; one that it does not survive is
a finding, and another child goes on behind it. Ends with status 1 where a file did anything but be
refused by a rule or give a result.
"""

import argparse
import json
import random
import resource
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from faulthandler import dump_traceback_later
from functools import cache
from time import process_time

import onnx
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]

from cvm.faults import LocalFault
from cvm.inference.backends.backend import Backend, Plan
from cvm.inference.backends.table import backend_named
from cvm.inference.engine import run_items
from cvm.inference.faults import InferenceFault, InvalidModel
from cvm.inference.model_file import Model, parse_model
from cvm.numba_cache import configure_numba_cache
from tests.hostile_models import encoded, real_files, sources
from tests.model_mutations import with_harm
from tests.wire_mutations import damaged

MAX_SECONDS = 2.0
MAX_BYTES = 512 * 2**20
HANG_S = 120
MAX_WORK = 2**27
"""Cost up to which an accepted file is also run: what more it takes, a caller has paid for."""
MAX_RUN_BYTES = 2**26
"""Static memory bound up to which it is run: a call holds its input and output a few times more."""
REAL_SHARE = 0.02
HARM_SHARE = 0.6
REWRITTEN_SHARE = 0.5
"""Of the files with damaged bytes, those that protobuf writes once more if it can read them."""
COUNTED_EVENTS = {
    "open", "os.listdir", "os.remove", "os.rename", "os.mkdir", "os.system", "os.exec", "os.fork",
    "subprocess.Popen", "socket.connect", "socket.bind", "ctypes.dlopen", "import", "exec",
}  # fmt: skip
"""What no file may cause while it is read."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one file: `refused` with the rule, `accepted` unrun, or `ran`."""

    index: int
    kind: str
    rule: str
    seconds: float
    problem: str = ""


class Watch:
    """Records what the process does outside itself, while it is on; a hook cannot be removed."""

    def __init__(self) -> None:
        self.is_on = False
        self.seen: list[str] = []
        sys.addaudithook(self._note)

    def _note(self, event: str, arguments: tuple[object, ...]) -> None:
        if self.is_on and event in COUNTED_EVENTS:
            self.seen.append(f"{event} {arguments[:1]!s:.80}")


@cache
def watch() -> Watch:
    """Return the one of this process."""
    return Watch()


def drawn_file(files: Sequence[bytes], large: Sequence[bytes], source: random.Random) -> bytes:
    """Return a damaged file: in its bytes, or in what they mean."""
    data = source.choice(large if large and source.random() < REAL_SHARE else files)
    if source.random() < HARM_SHARE:
        return with_harm(data, source)
    data = damaged(data, source.choice(files), source)
    if source.random() < REWRITTEN_SHARE:
        try:
            return encoded(onnx.ModelProto.FromString(data))
        except DecodeError:
            return data
    return data


def outcome_of(index: int, data: bytes, backend: Backend) -> Outcome:
    """Read a file under the limits; if it is taken, plan it and run it on ones."""
    watch().seen.clear()
    started = process_time()
    try:
        with_limit(MAX_BYTES)
        watch().is_on = True
        model = parse_model(data)
    except InvalidModel as fault:
        watch().is_on = False
        return _judged(index, "refused", fault.rule, process_time() - started)
    finally:
        watch().is_on = False
        with_limit(resource.RLIM_INFINITY)
    seconds = process_time() - started
    cost = model.cost
    work = cost.macs + cost.elementwise + cost.transcendental + cost.bytes_moved
    if work > MAX_WORK or cost.peak_bytes > MAX_RUN_BYTES:
        return _judged(index, "accepted", "", seconds)
    try:
        backend.plan(model.graph)  # compiles kernels: what that takes is no file's doing
        started = process_time()
        rule = _run(model, backend)
        return _judged(index, "ran", rule, seconds + process_time() - started)
    except LocalFault as fault:
        return Outcome(index, "accepted", "", seconds, f"local fault: {fault}")


def _run(model: Model, backend: Backend) -> str:
    """Plan and run one item under the limits; return the fault of a call that cannot be."""
    item = bytes(model.input_bytes - 1) + b"\1"
    try:
        with_limit(MAX_BYTES)
        plan: Plan = backend.plan(model.graph)
        run_items(plan, model, item)
    except InferenceFault as fault:
        return type(fault).__name__
    finally:
        with_limit(resource.RLIM_INFINITY)
    return ""


def _judged(index: int, kind: str, rule: str, seconds: float) -> Outcome:
    """Return an outcome with what is wrong about it."""
    problems = list(watch().seen)
    if seconds > MAX_SECONDS:
        problems.append(f"took {seconds:.1f} s")
    if kind == "refused" and not rule:
        problems.append("no rule")
    return Outcome(index, kind, rule, seconds, "; ".join(problems))


def with_limit(size_bytes: int) -> None:
    """Let the process take so much more memory than it has now."""
    most = size_bytes
    if size_bytes != resource.RLIM_INFINITY:
        with open("/proc/self/statm", encoding="ascii") as stream:
            most += int(stream.read().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (most, resource.RLIM_INFINITY))


def child(seed: int, first: int, last: int, with_real: bool, backend_name: str) -> None:
    """Take the files of some indices, and write a line for each."""
    configure_numba_cache()
    backend = backend_named(backend_name)
    files, large = sources(), list(real_files()) if with_real else []
    watch()
    for index in range(first, last):
        source = random.Random(f"{seed}/{index}")
        data = drawn_file(files, large, source)
        sys.stdout.write(json.dumps({"begins": index}) + "\n")
        sys.stdout.flush()
        dump_traceback_later(HANG_S, exit=True)
        outcome = outcome_of(index, data, backend)
        sys.stdout.write(json.dumps(asdict(outcome)) + "\n")
        sys.stdout.flush()


def outcomes(
    files: int, seed: int, first: int = 0, with_real: bool = False, backend: str = "cpu"
) -> Iterator[Outcome]:
    """Yield what came of so many files from index `first` on, in order."""
    last = first + files
    while first < last:
        arguments = [str(seed), str(first), str(last), str(int(with_real)), backend]
        command = [sys.executable, "-m", "tests.hostile_run", "--child", *arguments]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            begun = None
            for line in process.stdout or ():
                entry = json.loads(line)
                if "begins" in entry:
                    begun = entry["begins"]
                    continue
                yield Outcome(**entry)
                first, begun = entry["index"] + 1, None
        if begun is not None:
            yield Outcome(begun, "lost", "", 0.0, f"the child ended with {process.returncode}")
            first = begun + 1
        elif first < last:
            raise ChildProcessError(f"the child ended with {process.returncode} between files")


def main(arguments: Sequence[str]) -> int:
    """Run files and say what came of them; return 1 where something did what it may not."""
    if arguments[:1] == ["--child"]:
        seed, first, last, with_real = map(int, arguments[1:5])
        child(seed, first, last, bool(with_real), arguments[5])
        return 0
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--files", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--first", type=int, default=0, help="index of the first file")
    given = parser.parse_args(arguments)
    kinds: Counter[str] = Counter()
    rules: Counter[str] = Counter()
    slowest, problems = 0.0, 0
    for outcome in outcomes(given.files, given.seed, given.first, with_real=True):
        kinds[outcome.kind] += 1
        rules[outcome.rule] += outcome.kind == "refused"
        slowest = max(slowest, outcome.seconds)
        if outcome.problem:
            problems += 1
            sys.stdout.write(f"file {given.seed}/{outcome.index}: {outcome.problem}\n")
            sys.stdout.flush()
        if outcome.index % 500 == 499:
            sys.stderr.write(f"file {outcome.index + 1 - given.first} of {given.files}\n")
    counts = ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items()))
    sys.stdout.write(
        f"{given.files} files: {counts}; {len(+rules)} rules, slowest {slowest:.2f} s of CPU, "
        f"{problems} problems\n"
    )
    return 1 if problems else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
