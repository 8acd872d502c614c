"""Judges every node test of the installed onnx package and writes the table of results.

    python -m tests.conformance.onnx_node_tests           # prints the counts, writes the table
    python -m tests.conformance.onnx_node_tests --check   # only compares with the table

The table stands in `cvm/inference/README.md` between two marks. The command ends with status 1 if
a result is wrong, or, with `--check`, if the table is not what it would write.
"""

import argparse
import re
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import onnx

from cvm.inference.backends.table import backend_named
from cvm.inference.operators.table import OPERATORS
from cvm.numba_cache import configure_numba_cache
from tests.conformance.onnx_node_cases import Outcome, judge, load_cases

README = Path(__file__).parents[2] / "cvm" / "inference" / "README.md"
BEGIN, END = "<!-- node tests: begin -->", "<!-- node tests: end -->"
BACKENDS = ("reference", "cpu")
MAX_REASON = 100
MOST_REASONS = 3


def judge_all() -> list[Outcome]:
    """Return the outcome of every case, in the order of their names."""
    backends = [backend_named(name) for name in BACKENDS]
    outcomes = [judge(case, backends) for case in load_cases()]
    return sorted(outcomes, key=lambda outcome: outcome.case)


def section_text(outcomes: Sequence[Outcome]) -> str:
    """Return what stands between the marks."""
    counts = Counter(outcome.verdict for outcome in outcomes)
    supported = [o for o in outcomes if tuple(_key(o.op_type)) in OPERATORS]
    other = sum(o.as_float32 for o in outcomes if o.verdict == "passed")
    lines = [
        f"onnx {onnx.__version__} holds {len(outcomes):,} node tests: {counts['passed']:,} pass, "
        f"{counts['refused']:,} are refused, {counts['wrong']:,} are wrong. {len(supported):,} are "
        "of operators of the",
        f"engine. {other:,} of those that pass hold another float, which `prepare` makes float32.",
        "",
        "| operator | passed | refused | why |",
        "| --- | ---: | ---: | --- |",
    ]
    return "\n".join([*lines, *table_lines(outcomes)])


def _key(op_type: str) -> list[str]:
    """Return domain and name."""
    domain, _dot, name = op_type.rpartition(".")
    return [domain, name]


def table_lines(outcomes: Sequence[Outcome]) -> list[str]:
    """Return a row per operator; rows of one operator depend on its own cases alone."""
    lines = []
    for op_type in sorted({outcome.op_type for outcome in outcomes}):
        own = [outcome for outcome in outcomes if outcome.op_type == op_type]
        verdicts = Counter(outcome.verdict for outcome in own)
        reasons = Counter(short_reason(o) for o in own if o.verdict != "passed")
        ranked = sorted(reasons.items(), key=lambda entry: (-entry[1], entry[0]))
        shown = [f"{reason} ({count})" for reason, count in ranked[:MOST_REASONS]]
        if len(ranked) > MOST_REASONS:
            shown.append(f"others ({sum(count for _, count in ranked[MOST_REASONS:])})")
        refused = verdicts["refused"] + verdicts["wrong"]
        lines.append(f"| {op_type} | {verdicts['passed']} | {refused} | {'; '.join(shown)} |")
    return lines


def short_reason(outcome: Outcome) -> str:
    """Return a reason without names of nodes and values, in one cell of a table."""
    text = outcome.reason
    text = re.sub(r"engine 1 does not have the operators (\S+) \(\d+\)", r"no \1 in engine 1", text)
    text = re.sub(r"^[a-z ]+: (?=[A-Z])", "", text)
    text = re.sub(r" node '[^']*'", "", text)
    text = re.sub(r"(initializer|input|of) '[^']*'", r"\1", text)
    text = re.sub(r"found (\w+)\[[\d,]*\]", r"found \1", text)
    text = re.sub(r"cannot be inlined: .*", "cannot be inlined", text)
    text = re.sub(r" must be (one of )?[^:;]*[,;] found ", " may not be ", text)
    text = text.replace("|", "/").strip()
    if outcome.verdict == "wrong":
        text = f"WRONG: {text}"
    return text if len(text) <= MAX_REASON else text[: MAX_REASON - 2].rstrip() + " …"


def written_section() -> str:
    """Return what the document holds between the marks."""
    text = README.read_text(encoding="utf-8")
    return text.partition(BEGIN + "\n")[2].partition("\n" + END)[0]


def write_section(section: str) -> None:
    """Put a new table between the marks."""
    text = README.read_text(encoding="utf-8")
    before, _begin, rest = text.partition(BEGIN + "\n")
    _old, _end, after = rest.partition("\n" + END)
    README.write_text(f"{before}{BEGIN}\n{section}\n{END}{after}", encoding="utf-8")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return its status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--check", action="store_true")
    check = parser.parse_args(arguments).check
    configure_numba_cache()
    outcomes = judge_all()
    section = section_text(outcomes)
    sys.stdout.write(section.partition("\n\n")[0] + "\n")
    wrong = [outcome for outcome in outcomes if outcome.verdict == "wrong"]
    for outcome in wrong:
        sys.stdout.write(f"wrong: {outcome.case}: {outcome.reason}\n")
    is_stale = check and section != written_section()
    if not check:
        write_section(section)
    elif is_stale:
        sys.stdout.write(
            "the table is not fresh: run python -m tests.conformance.onnx_node_tests\n"
        )
    return 1 if wrong or is_stale else 0


if __name__ == "__main__":
    raise SystemExit(main())
