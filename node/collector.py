"""Makes Python's cycle collector fit a process that imports blocks."""

import gc

YOUNG_OBJECTS = 100_000
"""What may be made before the youngest are looked through; Python's default is 700.

Blocks make objects by the thousand and no cycles: a collection inside a block finds nothing. Of the
85 to 90 us that a plain transfer took, collections took about 10.
"""

OLDER_TURNS = 10


def pause_collector() -> None:
    """Look through nothing while modules are imported: what they make, they keep."""
    gc.disable()


def spare_collector() -> None:
    """Never look through what lives now again, and through what comes rarely."""
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS, OLDER_TURNS, OLDER_TURNS)
    gc.enable()
