"""The feature levels that a test runs at: all that this machine has."""

from cvm.inference.backends.cpu.feature_level import available_levels

LEVELS = [level.name for level in available_levels()]
