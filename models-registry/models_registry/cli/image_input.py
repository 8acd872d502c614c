"""Turns a picture into what a model takes; Pillow reads it, where it is installed."""

from dataclasses import dataclass
from fractions import Fraction
from math import isqrt
from pathlib import Path
from typing import Any

import numpy as np

from cvm.inference.graph import Value
from cvm.inference.tensor_type import Array
from models_registry.cli.files import CannotRead
from models_registry.cli.input_arrays import BadInputFile

SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff"})
MODES = {1: "L", 3: "RGB", 4: "RGBA"}
MAX_PIXELS = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class ImageOptions:
    """What may be done to a picture: nothing that was not asked for changes what is in it.

    A model of floats gets (pixel - mean) * scale, pixels being 0 to 255.
    """

    resize: bool = False
    grey: bool = False
    invert: bool = False
    scale: Fraction = Fraction(1)
    mean: Fraction = Fraction(0)


@dataclass(frozen=True, slots=True)
class PictureShape:
    """How a model's input lays a picture out."""

    height: int
    width: int
    channels: int
    channels_first: bool


def load_image(path: Path, value: Value, options: ImageOptions) -> Array:
    """Return a picture as an input's array; raises `BadInputFile` or `CannotRead`."""
    shape = picture_shape(value)
    if shape is None:
        raise BadInputFile(path, f"input {value.name!r} takes {value.type}, which is no picture")
    if value.type.dtype not in ("uint8", "int32", "int64", "float32"):
        raise BadInputFile(path, f"input {value.name!r} takes {value.type.dtype}; give an .npy")
    pixels = _pixels(path, shape, options).reshape(shape.height, shape.width, shape.channels)
    if options.invert:
        pixels = 255 - pixels
    if shape.channels_first:
        pixels = pixels.transpose(2, 0, 1)
    return _converted(pixels, value.type.dtype, options).reshape(value.type.shape)


def picture_shape(value: Value) -> PictureShape | None:
    """Return how an input holds one picture, or None where its shape is not that of one."""
    dims = value.type.shape
    if len(dims) == 4 and dims[0] == 1:
        dims = dims[1:]
    if len(dims) == 3 and dims[0] in MODES:
        return PictureShape(dims[1], dims[2], dims[0], channels_first=True)
    if len(dims) == 3 and dims[2] in MODES:
        return PictureShape(dims[0], dims[1], dims[2], channels_first=False)
    if len(dims) == 2 and dims[0] > 1:
        return PictureShape(dims[0], dims[1], 1, channels_first=True)
    side = isqrt(dims[-1]) if dims and value.type.size == dims[-1] else 0
    if side > 1 and side * side == dims[-1]:
        return PictureShape(side, side, 1, channels_first=True)
    return None


def _pixels(path: Path, shape: PictureShape, options: ImageOptions) -> Array:
    """Return the bytes of a picture in the size and the colours that a model takes."""
    try:
        from PIL import Image, ImageOps, UnidentifiedImageError
    except ImportError as error:
        raise CannotRead(
            f"{path}: pictures are read by Pillow: pip install 'cvm-chain[images]'; "
            "or give the pixels as an .npy"
        ) from error
    try:
        with Image.open(path) as picture:
            if picture.width * picture.height > MAX_PIXELS:
                raise BadInputFile(path, f"more than {MAX_PIXELS:,} pixels")
            upright = ImageOps.exif_transpose(picture)
            fitting = _fitting(path, upright, shape, options)
            return np.asarray(fitting, dtype=np.uint8)
    except UnidentifiedImageError as error:
        raise BadInputFile(path, "is no picture that Pillow knows") from error
    except (Image.DecompressionBombError, SyntaxError, ValueError) as error:
        raise BadInputFile(path, f"is no readable picture ({error})") from error
    except OSError as error:
        raise BadInputFile(path, error.strerror or f"is no readable picture ({error})") from error


def _fitting(path: Path, picture: Any, shape: PictureShape, options: ImageOptions) -> Any:
    """Return a picture (Pillow's) in the wanted mode and size; raises `BadInputFile`."""
    is_grey = picture.mode in ("1", "L", "LA", "I", "I;16", "F")
    if shape.channels == 1 and not is_grey and not options.grey:
        raise BadInputFile(path, "has colours, the model takes grey: --grey turns it")
    if (picture.width, picture.height) != (shape.width, shape.height):
        if not options.resize:
            raise BadInputFile(
                path,
                f"is {picture.width} x {picture.height}, the model takes "
                f"{shape.width} x {shape.height}: --resize scales it",
            )
        picture = picture.convert(MODES[shape.channels])
        picture = picture.resize((shape.width, shape.height))
    return picture.convert(MODES[shape.channels])


def _converted(pixels: Array, dtype: str, options: ImageOptions) -> Array:
    if dtype != "float32":
        return pixels.astype(dtype)
    scale, mean = np.float64(options.scale), np.float64(options.mean)
    return ((pixels.astype(np.float64) - mean) * scale).astype(np.float32)
