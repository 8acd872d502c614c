"""What people have as a call's input: pictures, rows, arrays and JSON, byte for byte."""

import struct
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from cvm.inference.graph import Value
from cvm.inference.tensor_type import TensorType
from models_registry.cli.call_input import InputOptions, packed_input
from models_registry.cli.files import CannotRead
from models_registry.cli.image_input import ImageOptions, PictureShape, picture_shape
from models_registry.cli.input_arrays import BadInputFile
from models_registry.interface import ModelInterface


def value(name: str, dtype: str, *shape: int) -> Value:
    return Value(name, TensorType(dtype, shape))


def interface(*inputs: Value, batchable: bool = True) -> ModelInterface:
    return ModelInterface(inputs, (value("y", "float32", 1, 2),), batchable)


FLOATS = interface(value("x", "float32", 1, 3))
BYTES = interface(value("x", "uint8", 1, 2, 2))
TWO = interface(value("a", "int32", 1, 2), value("b", "float32", 1))
TWO_ROWS = struct.pack(">iifiif", 1, -2, 0.5, 3, 4, 0.25)


@pytest.mark.parametrize(
    ("model", "text", "data"),
    [
        pytest.param(FLOATS, "[1, 2.5, -3]", struct.pack(">3f", 1, 2.5, -3), id="flat"),
        pytest.param(FLOATS, "[[1, 2, 3]]", struct.pack(">3f", 1, 2, 3), id="one item"),
        pytest.param(
            FLOATS, "[[1, 2, 3], [4, 5, 6]]", struct.pack(">6f", 1, 2, 3, 4, 5, 6), id="two items"
        ),
        pytest.param(BYTES, "[[0, 255], [7, 8]]", bytes([0, 255, 7, 8]), id="bytes"),
        pytest.param(BYTES, "[0, 255, 7, 8]", bytes([0, 255, 7, 8]), id="flat bytes"),
        pytest.param(
            TWO, '{"b": [0.5], "a": [1, -2]}', struct.pack(">iif", 1, -2, 0.5), id="by name"
        ),
        pytest.param(
            interface(value("x", "bool", 1, 2)), "[1, 0]", bytes([1, 0]), id="bools"
        ),
    ],
)  # fmt: skip
def test_json_is_packed(model: ModelInterface, text: str, data: bytes, tmp_path: Path) -> None:
    assert packed_input([text], model, InputOptions()) == data
    (tmp_path / "in.json").write_text(text)
    assert packed_input([str(tmp_path / "in.json")], model, InputOptions()) == data


@pytest.mark.parametrize(
    ("model", "text", "reason"),
    [
        pytest.param(FLOATS, "[1, 2", "is no JSON", id="not JSON"),
        pytest.param(FLOATS, "[" * 100_000, "is no JSON", id="deep"),
        pytest.param(FLOATS, "[1, 2]", "shape [2], input 'x' takes [1, 3]", id="short"),
        pytest.param(FLOATS, '[1, 2, "3"]', "not a list of numbers", id="text in it"),
        pytest.param(FLOATS, "[[1, 2, 3], [4]]", "or of lists of one length", id="ragged"),
        pytest.param(BYTES, "[0, 256, 7, 8]", "256: input 'x' takes 0 to 255", id="too large"),
        pytest.param(BYTES, "[0, 1.5, 7, 8]", "1.5: input 'x' takes 0 to 255", id="fraction"),
        pytest.param(TWO, "[1]", "want an object with a list for each of a int32", id="no names"),
        pytest.param(TWO, '{"a": [1, 2]}', "want an object with a list for each of", id="one"),
        pytest.param(
            interface(value("x", "float32", 1, 3), batchable=False),
            "[[1, 2, 3], [4, 5, 6]]",
            "shape [2, 3]",
            id="a batch of one that takes none",
        ),
    ],
)
def test_json_that_does_not_fit_is_refused(model: ModelInterface, text: str, reason: str) -> None:
    with pytest.raises(BadInputFile) as refused:
        packed_input([text], model, InputOptions())
    assert reason in str(refused.value)


@pytest.mark.parametrize(
    ("text", "row", "data"),
    [
        pytest.param("1,-2,0.5\n3,4,0.25\n", None, TWO_ROWS, id="rows are items"),
        pytest.param("a0,a1,b\n1,-2,0.5\n3,4,0.25\n", None, TWO_ROWS, id="a header"),
        pytest.param("\ufeff1,-2,0.5\r\n", None, TWO_ROWS[:12], id="as spreadsheets save it"),
        pytest.param("1,-2,0.5\n\n3,4,0.25\n", 1, TWO_ROWS[12:], id="one row"),
    ],
)
def test_a_csv_row_holds_all_inputs_of_an_item(
    text: str, row: int | None, data: bytes, tmp_path: Path
) -> None:
    (tmp_path / "in.csv").write_text(text, encoding="utf-8")
    assert packed_input([str(tmp_path / "in.csv")], TWO, InputOptions(row=row)) == data


@pytest.mark.parametrize(
    ("text", "row", "reason"),
    [
        pytest.param("1,2\n", None, "row 0 has 2 cells, an item takes 3", id="short"),
        pytest.param("1,2,x\n", None, "cells are numbers", id="text"),
        pytest.param("1,2,3\n", 1, "has 1 rows of numbers, counted from 0: no 1", id="no row"),
        pytest.param("a,b,c\n", None, "0 rows of numbers; a call takes 1 to 4096", id="none"),
        pytest.param("1.5,2,3\n", None, "1.5: input 'a' takes -2147483648", id="fraction"),
    ],
)
def test_a_csv_that_does_not_fit_is_refused(
    text: str, row: int | None, reason: str, tmp_path: Path
) -> None:
    (tmp_path / "in.csv").write_text(text)
    with pytest.raises(BadInputFile) as refused:
        packed_input([str(tmp_path / "in.csv")], TWO, InputOptions(row=row))
    assert reason in str(refused.value)


def test_arrays_are_packed_as_for_a_file(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.array([[1, 2, 3]], np.float32))
    np.savez(tmp_path / "two.npz", a=np.array([1, -2], np.int32), b=np.array([0.5], np.float32))
    assert packed_input([str(tmp_path / "x.npy")], FLOATS, InputOptions()) == struct.pack(
        ">3f", 1, 2, 3
    )
    assert packed_input([str(tmp_path / "two.npz")], TWO, InputOptions()) == TWO_ROWS[:12]


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        pytest.param("none.npy", "No such file", id="no npy"),
        pytest.param("none.csv", "No such file", id="no csv"),
        pytest.param("none.json", "No such file", id="no json"),
        pytest.param("model.onnx", "is neither a picture, .csv, .json, .npy", id="another kind"),
    ],
)
def test_a_file_that_cannot_be_read_is_named(name: str, reason: str, tmp_path: Path) -> None:
    with pytest.raises(BadInputFile, match=f"{name}: {reason}"):
        packed_input([str(tmp_path / name)], FLOATS, InputOptions())


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        pytest.param((1, 3, 5, 7), PictureShape(5, 7, 3, channels_first=True), id="NCHW"),
        pytest.param((1, 5, 7, 3), PictureShape(5, 7, 3, channels_first=False), id="NHWC"),
        pytest.param((1, 28, 28), PictureShape(28, 28, 1, channels_first=True), id="CHW"),
        pytest.param((28, 28), PictureShape(28, 28, 1, channels_first=True), id="HW"),
        pytest.param((1, 784), PictureShape(28, 28, 1, channels_first=True), id="flat square"),
        pytest.param((1, 785), None, id="no square"),
        pytest.param((1, 2, 5, 7), None, id="two channels"),
        pytest.param((1,), None, id="one number"),
    ],
)
def test_the_shape_says_whether_an_input_is_a_picture(
    shape: tuple[int, ...], expected: PictureShape | None
) -> None:
    assert picture_shape(value("x", "uint8", *shape)) == expected


GREY = np.array([[0, 10, 20], [30, 40, 255]], np.uint8)
COLOURS = np.stack([GREY, GREY // 2, 255 - GREY], axis=2)


def picture(folder: Path, pixels: np.ndarray, name: str = "in.png") -> str:
    image = pytest.importorskip("PIL.Image", reason="pictures need Pillow")
    image.fromarray(pixels).save(folder / name)
    return str(folder / name)


@pytest.mark.parametrize(
    ("shape", "pixels", "options", "data"),
    [
        pytest.param((1, 1, 2, 3), GREY, ImageOptions(), GREY.tobytes(), id="grey"),
        pytest.param((1, 2, 3, 3), COLOURS, ImageOptions(), COLOURS.tobytes(), id="NHWC"),
        pytest.param(
            (1, 3, 2, 3), COLOURS, ImageOptions(), COLOURS.transpose(2, 0, 1).tobytes(), id="NCHW"
        ),
        pytest.param(
            (1, 3, 2, 3), GREY, ImageOptions(), GREY.tobytes() * 3, id="grey as colours"
        ),
        pytest.param(
            (1, 2, 3), GREY, ImageOptions(invert=True), (255 - GREY).tobytes(), id="inverted"
        ),
        pytest.param(
            (1, 2, 3), np.stack([GREY] * 3, axis=2), ImageOptions(grey=True), GREY.tobytes(),
            id="turned grey",
        ),
        pytest.param(
            (1, 1, 1, 1), np.full((4, 4), 9, np.uint8), ImageOptions(resize=True), b"\x09",
            id="resized",
        ),
    ],
)  # fmt: skip
def test_a_picture_is_packed(
    shape: tuple[int, ...],
    pixels: np.ndarray,
    options: ImageOptions,
    data: bytes,
    tmp_path: Path,
) -> None:
    model = interface(value("x", "uint8", *shape))
    given = picture(tmp_path, pixels)
    assert packed_input([given], model, InputOptions(options)) == data


def test_a_model_of_floats_gets_pixels_as_they_are_scaled(tmp_path: Path) -> None:
    model = interface(value("x", "float32", 1, 1, 2, 3))
    options = ImageOptions(scale=Fraction(1, 255), mean=Fraction(10))
    expected = [np.float32((int(pixel) - 10) / 255) for pixel in GREY.ravel()]
    given = picture(tmp_path, GREY)
    assert packed_input([given], model, InputOptions(options)) == struct.pack(">6f", *expected)


def test_pictures_make_a_batch(tmp_path: Path) -> None:
    model = interface(value("x", "uint8", 1, 1, 2, 3))
    given = [picture(tmp_path, GREY, "a.png"), picture(tmp_path, 255 - GREY, "b.png")]
    assert packed_input(given, model, InputOptions()) == GREY.tobytes() + (255 - GREY).tobytes()


@pytest.mark.parametrize(
    ("shape", "dtype", "pixels", "reason"),
    [
        pytest.param(
            (1, 1, 28, 28), "uint8", GREY,
            "is 3 x 2, the model takes 28 x 28: --resize scales it", id="size",
        ),
        pytest.param(
            (1, 1, 2, 3), "uint8", COLOURS, "has colours, the model takes grey", id="colours"
        ),
        pytest.param((1, 7), "uint8", GREY, "takes uint8[1,7], which is no picture", id="shape"),
        pytest.param((1, 1, 2, 3), "int8", GREY, "takes int8; give an .npy", id="dtype"),
    ],
)  # fmt: skip
def test_a_picture_that_does_not_fit_is_refused_with_what_to_do(
    shape: tuple[int, ...],
    dtype: str,
    pixels: np.ndarray,
    reason: str,
    tmp_path: Path,
) -> None:
    given = picture(tmp_path, pixels)
    with pytest.raises(BadInputFile) as refused:
        packed_input([given], interface(value("x", dtype, *shape)), InputOptions())
    assert reason in str(refused.value)


@pytest.mark.parametrize(
    "data", [pytest.param(b"no picture", id="text"), pytest.param(b"", id="empty")]
)
def test_a_file_that_is_no_picture_is_refused(data: bytes, tmp_path: Path) -> None:
    pytest.importorskip("PIL.Image", reason="pictures need Pillow")
    (tmp_path / "in.png").write_bytes(data)
    with pytest.raises(BadInputFile, match=r"in\.png: is no picture that Pillow knows"):
        packed_input([str(tmp_path / "in.png")], BYTES, InputOptions())


def test_without_pillow_the_way_to_get_it_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "PIL", None)
    (tmp_path / "in.png").write_bytes(b"")
    with pytest.raises(CannotRead, match="pip install 'cvm-chain"):
        packed_input([str(tmp_path / "in.png")], BYTES, InputOptions())
