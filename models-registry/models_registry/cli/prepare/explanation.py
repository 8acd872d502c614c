"""What `--explain` asks for, and what it says of the outputs that it adds."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from fractions import Fraction
from math import frexp, isfinite
from typing import Any

from models_registry.cli.prepare.faults import CannotPrepare

EXPLAIN_FORM = "leaves, path or contributions[:UNIT]"

LEAVES, PATH, CONTRIBUTIONS = "leaves", "path", "contributions"

MOST_LISTED = 12
"""How many features or units a report lists; of more, the first and the last."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """One `--explain`: its kind, and for contributions what 1 stands for (None: it is chosen)."""

    kind: str
    unit: float | None = None


@dataclass(frozen=True, slots=True)
class Explanation:
    """An output that was added: its name and type, and what its integers mean.

    `units` says what 1 stands for, of all scores or of each one (nothing for ids), `rounding` how
    far the integers lie from the exact values, `features` what the columns are called.
    """

    kind: str
    name: str
    dtype: str
    shape: tuple[int, ...]
    meaning: str
    units: tuple[float, ...] = ()
    rounding: str = ""
    features: tuple[str, ...] = ()


def parse_explain(text: str) -> Wanted:
    """Return what an `--explain` option asks for; raises `CannotPrepare`."""
    kind, separator, number = text.partition(":")
    if kind not in (LEAVES, PATH, CONTRIBUTIONS) or (separator and kind != CONTRIBUTIONS):
        raise CannotPrepare(f"--explain {text!r} is not of the form {EXPLAIN_FORM}")
    if not separator:
        return Wanted(kind)
    above, _, below = number.partition("/")
    try:
        unit = float(Fraction(above) / Fraction(below or "1"))
    except (ValueError, ZeroDivisionError, OverflowError) as error:
        raise CannotPrepare(
            f"--explain {text!r}: {number!r} is no number (1e-6, 1/1000)"
        ) from error
    if not (unit > 0 and isfinite(unit)):
        raise CannotPrepare(f"--explain {text!r}: UNIT must be above 0")
    return Wanted(kind, unit)


def explanations_json(explanations: Sequence[Explanation]) -> dict[str, Any]:
    """Return what `prepare --json` prints of the outputs that were added."""
    return {"explanations": [asdict(found) for found in explanations]} if explanations else {}


def explanation_lines(explanations: Sequence[Explanation]) -> list[str]:
    """Return what `prepare` prints of the outputs that were added."""
    lines = []
    for found in explanations:
        shape = ",".join(map(str, found.shape))
        parts = [f"{found.name} {found.dtype}[{shape}]: {found.meaning}"]
        if found.units:
            units = _listed(tuple(map(unit_text, found.units)))
            parts.append(f"1 stands for {units}" + (" by score" if len(found.units) > 1 else ""))
        parts += [found.rounding] if found.rounding else []
        parts += [f"features: {_listed(found.features)}"] if found.features else []
        lines.append("explains    " + "; ".join(parts))
    return lines


def unit_text(unit: float) -> str:
    """Return a power of two as one, another number in decimals."""
    fraction, exponent = frexp(unit)
    return f"2^{exponent - 1}" if fraction == 0.5 else f"{unit:.9g}"


def _listed(names: tuple[str, ...]) -> str:
    if len(names) <= MOST_LISTED:
        return ", ".join(names)
    return f"{names[0]}, {names[1]} ... {names[-1]}"
