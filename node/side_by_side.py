"""Runs the items of one input on several plans of one model at once, a thread for each."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

from cvm.inference.backends.backend import Plan
from cvm.inference.engine import batch_size, run_items
from cvm.inference.model_file import Model


def run_side_by_side(plans: Sequence[Plan], model: Model, data: bytes) -> bytes:
    """Return what `run_items` returns; each plan runs a stretch of the items.

    Raises what `run_items` raises. Without more items than plans, some plans do nothing.
    """
    parts = stretches(batch_size(model, len(data)), len(plans))
    view = memoryview(data)
    size = model.input_bytes
    inputs = [bytes(view[first * size : last * size]) for first, last in parts]
    with ThreadPoolExecutor(len(parts)) as pool:
        outputs = list(pool.map(run_items, plans[: len(parts)], [model] * len(parts), inputs))
    return b"".join(outputs)


def stretches(items: int, parts: int) -> list[tuple[int, int]]:
    """Return the first item of each part, and the one after its last; no part is empty."""
    count = min(items, parts)
    edges = [items * index // count for index in range(count + 1)]
    return list(pairwise(edges))
