"""Measures the hunted cases and prints those that are charged least for their time."""

from bench.gas_cases.case import GasCase
from bench.gas_hunt import hunted_cases
from bench.gas_measure import Times, measured_cases
from bench.gas_table import BOUND, NS_PER_GAS
from opcodes.gas import INFER_BASE, compute_gas

COLD = "cold"
COLD_START_US = INFER_BASE // 3 * NS_PER_GAS / 1e3
"""What the base price of a call pays for fetching its data into the caches, which is done once."""

ROUNDS = 3
AGAIN = 15
"""Rounds of a case at first, and again where it looks too cheap: other work can only add time."""

SHOWN = 30

Found = tuple[float, str]
"""Charged / measured, and the line that shows it."""


def judged(case: GasCase, times: Times) -> Found:
    """Return the least charged / measured of a case over all kinds of data."""
    charged_us = compute_gas(case.graph().cost) * NS_PER_GAS / 1e3
    ratios = {
        kind: (charged_us + (COLD_START_US if kind == COLD else 0)) / (seconds * 1e6)
        for kind, seconds in times.items()
    }
    kind = min(ratios, key=lambda entry: ratios[entry])
    line = f"{ratios[kind]:5.2f} {kind:9} charged {charged_us:9.1f} us  {case.name}"
    return ratios[kind], line


def hunt(names: list[str]) -> list[Found]:
    """Measure some hunts, print the worst, and return what is charged less than the bound."""
    found: list[Found] = []
    for name in names:
        cases = hunted_cases(name)
        cheap = []
        for case, times in measured_cases(cases, ROUNDS):
            entry = judged(case, times)
            if entry[0] < 1 / BOUND:
                cheap.append(case)
            else:
                found.append(entry)
        found += [judged(case, times) for case, times in measured_cases(cheap, AGAIN)]
        print(name, len(cases), flush=True)
    found.sort()
    for _, line in found[:SHOWN]:
        print(line)
    return [entry for entry in found if entry[0] < 1 / BOUND]
