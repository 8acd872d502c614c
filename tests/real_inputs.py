"""Real input for the real models: bytes of a file, handwritten digits as lines, pages, pictures."""

from functools import cache
from pathlib import Path

import numpy as np

from cvm.inference.tensor_type import Array

ROOT = Path(__file__).parents[1]
MODELS = ROOT / "models-registry" / "models"


def magika_item(content: bytes | None = None) -> Array:
    """Return the first and the last 1,024 bytes of a file without outer blanks, 256 for none."""
    text = ((ROOT / "LICENSE").read_bytes() if content is None else content).strip()
    item = np.full((1, 2_048), 256, np.int32)
    first, last = text[:1_024], text[-1_024:]
    item[0, : len(first)] = np.frombuffer(first, np.uint8)
    item[0, 2_048 - len(last) :] = np.frombuffer(last, np.uint8)
    return item


def digits() -> Array:
    """Return 100 handwritten digits, white on black, as uint8 of 28 x 28."""
    images: Array = np.load(MODELS / "digits_100_images.npy")
    return images.reshape(100, 28, 28)


def line(width: int) -> Array:
    """Return a line of handwritten digits, black on white, 48 high, as PP-OCR takes it."""
    image = np.full((48, width), 255, np.uint8)
    for index, digit in enumerate(digits()[: width // 28]):
        image[10:38, index * 28 : index * 28 + 28] = 255 - digit
    return _normalised(image)


def page() -> Array:
    """Return a page of 96 x 320 with two lines of digits."""
    image = np.full((96, 320), 255, np.uint8)
    for index, digit in enumerate(digits()[:18]):
        row, column = divmod(index, 9)
        image[12 + row * 44 : 40 + row * 44, 20 + column * 30 : 48 + column * 30] = 255 - digit
    return _normalised(image)


def _normalised(image: Array) -> Array:
    """Return grey values as three planes from -1 to 1."""
    plane = (image.astype(np.float32) / np.float32(255) - np.float32(0.5)) / np.float32(0.5)
    return np.ascontiguousarray(np.broadcast_to(plane, (1, 3, *image.shape)))


def photograph() -> Array:
    """Return 64 digits as one picture of 224 x 224."""
    rows = digits()[:64].reshape(8, 8, 28, 28).transpose(0, 2, 1, 3).reshape(224, 224)
    return _normalised(rows)


def two_photographs() -> Array:
    """Return the picture and its negative, to calibrate with."""
    return np.concatenate([photograph(), -photograph()])


def one_digit() -> Array:
    """Return the first digit."""
    return digits()[:1].reshape(1, 1, 28, 28)


def flat_digits() -> Array:
    """Return the first of scikit-learn's digits of 8 x 8."""
    return np.asarray(digit_data()[0][:1])


@cache
def digit_data() -> tuple[Array, Array]:
    from sklearn.datasets import load_digits

    images, labels = load_digits(return_X_y=True)
    return images.astype(np.float32), labels
