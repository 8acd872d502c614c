"""The cases of the calibration: every operator of the engine at every size."""

import numpy as np

from bench.gas_cases.case import SEED, SIZES, CaseMaker, GasCase
from bench.gas_cases.classical import features, forests, lines, machines
from bench.gas_cases.elementwise import binary, quantisation, unary
from bench.gas_cases.movement import choices, copies, fillings
from bench.gas_cases.products import convolutions, matrices, recurrent
from bench.gas_cases.reductions import folds, norms, pools

FAMILIES: dict[str, CaseMaker] = {
    "unary": unary,
    "binary": binary,
    "quantisation": quantisation,
    "folds": folds,
    "norms": norms,
    "pools": pools,
    "copies": copies,
    "choices": choices,
    "fillings": fillings,
    "matrices": matrices,
    "convolutions": convolutions,
    "recurrent": recurrent,
    "forests": forests,
    "machines": machines,
    "lines": lines,
    "features": features,
}


def family_cases(family: str) -> list[GasCase]:
    """Return the cases of a family, small ones first; the data is the same in every run."""
    rng = np.random.default_rng(SEED)
    return [case for size in SIZES for case in FAMILIES[family](rng, size)]
