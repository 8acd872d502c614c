"""The manifest of the digit models: what each file is, and how well it reads digits."""

import hashlib
import json
from pathlib import Path
from typing import TypedDict

import onnx

from cvm.inference.model_file import parse_model
from models_registry.chunks import model_id

FOLDER = Path(__file__).resolve().parent
MANIFEST = FOLDER / "manifest.json"
MODEL_FILES = ("digits_float32.onnx", "digits_int8.onnx")


class TensorEntry(TypedDict):
    """A graph input or output."""

    name: str
    dtype: str
    shape: list[int]


class Accuracy(TypedDict):
    """Right answers on the 10,000 test images, counted with one backend."""

    correct: int
    images: int
    backend: str


class ModelEntry(TypedDict):
    """One model file."""

    file: str
    model_id: str
    sha256: str
    size_bytes: int
    opset: int
    macs: int
    inputs: list[TensorEntry]
    outputs: list[TensorEntry]
    accuracy: Accuracy


class Dataset(TypedDict):
    """Where the images come from and on what terms."""

    name: str
    authors: str
    licence: str
    source: str
    package: str
    package_file_sha256: str


class Manifest(TypedDict):
    """The whole of manifest.json."""

    made_by: str
    dataset: Dataset
    models: list[ModelEntry]


def describe(file: str, accuracy: Accuracy) -> ModelEntry:
    """Return the entry of a model file in this folder."""
    content = (FOLDER / file).read_bytes()
    graph = parse_model(content).graph
    proto = onnx.load_from_string(content)
    return {
        "file": file,
        "model_id": "0x" + model_id(content).hex(),
        "sha256": hashlib.sha256(content).hexdigest(),
        "size_bytes": len(content),
        "opset": proto.opset_import[0].version,
        "macs": graph.cost.macs,
        "inputs": [tensor_entry(v.name, v.type.dtype, v.type.shape) for v in graph.inputs],
        "outputs": [tensor_entry(v.name, v.type.dtype, v.type.shape) for v in graph.outputs],
        "accuracy": accuracy,
    }


def tensor_entry(name: str, dtype: str, shape: tuple[int, ...]) -> TensorEntry:
    """Return the entry of one tensor."""
    return {"name": name, "dtype": dtype, "shape": list(shape)}


def load_manifest() -> Manifest:
    """Read manifest.json."""
    manifest: Manifest = json.loads(MANIFEST.read_text(encoding="utf-8"))
    return manifest


def save_models(entries: list[ModelEntry]) -> None:
    """Replace the entries of the same files in manifest.json; the rest of it stays."""
    manifest = load_manifest()
    by_file = {entry["file"]: entry for entry in [*manifest["models"], *entries]}
    manifest["models"] = [by_file[file] for file in MODEL_FILES if file in by_file]
    MANIFEST.write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")
