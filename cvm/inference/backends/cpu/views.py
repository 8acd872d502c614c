"""Reshape and its like: the output is the input's memory, so there is nothing to run."""

import numpy as np

from cvm.inference.backends.cpu.step_builder import StepBuilder


def build(builder: StepBuilder) -> None:
    """Plan nothing where the arena made the output a view; copy a constant."""
    source, result = builder.operand(0), builder.results[0]
    if not np.shares_memory(source, result):
        builder.add(np.copyto, result, source.reshape(result.shape))


def build_dropout(builder: StepBuilder) -> None:
    """Plan a Dropout: the data as it is and, where it is wanted, a mask of true."""
    build(builder)
    if len(builder.results) > 1:
        builder.add(np.copyto, builder.results[1], True)
