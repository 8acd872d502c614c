"""`cvm infer` and `cvm selftest`: what they print, and one clear line for each mistake."""

import json
import struct
import zipfile
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import typer
from onnx import TensorProto, helper
from typer.testing import CliRunner

from cvm.faults import BackendDisagrees, DeviceFault
from node.cli import infer as infer_module
from node.cli.infer import add_commands
from tests.unit.inference.onnx_models import encoded, model_of, two_layers, value

APP = typer.Typer()
add_commands(APP)

X = np.array([[1, 2, 3]], np.float32)
Y_BYTES = struct.pack(">2f", 66, 88)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "model.onnx"
    path.write_bytes(encoded(two_layers()))
    return path


def saved(folder: Path, array: np.ndarray[Any, Any], name: str = "x") -> str:
    path = folder / f"{name}.npy"
    np.save(path, array)
    return str(path)


def run_json(model: Path, *arguments: str) -> dict[str, Any]:
    command = ["infer", str(model), "--backend", "reference", "--json", *arguments]
    result = CliRunner().invoke(APP, command)
    assert (result.exit_code, result.stderr) == (0, "")
    report: dict[str, Any] = json.loads(result.stdout)
    return report


def error_of(*arguments: str) -> str:
    """Return the one line of a command that fails with exit code 2 and prints nothing else."""
    result = CliRunner().invoke(APP, ["infer", *arguments, "--backend", "reference"])
    assert (result.exit_code, result.stdout) == (2, "")
    lines = result.stderr.splitlines()
    assert len(lines) == 1
    assert lines[0].startswith("error: ")
    return lines[0].removeprefix("error: ")


def test_json_holds_outputs_hash_macs_gas_and_time(model: Path, tmp_path: Path) -> None:
    report = run_json(model, "--input", saved(tmp_path, X))
    assert report.pop("milliseconds") > 0
    assert report.pop("gas") > 0
    assert report == {
        "backend": "reference",
        "threads": 1,
        "items": 1,
        "outputs": [{"name": "y", "dtype": "float32", "shape": [1, 2], "items": [[66.0, 88.0]]}],
        "output_sha256": sha256(Y_BYTES).hexdigest(),
        "macs": 10,
    }


def test_trace_holds_a_hash_per_node_in_order(model: Path, tmp_path: Path) -> None:
    trace = run_json(model, "--input", saved(tmp_path, X), "--trace")["trace"]
    assert [(node["name"], node["op_type"]) for node in trace] == [
        ("first", "Gemm"),
        ("Relu_1", "Relu"),
        ("last", "MatMul"),
    ]
    assert trace[2]["sha256"] == sha256(Y_BYTES).hexdigest()


def test_text_shows_outputs_hash_and_cost(model: Path, tmp_path: Path) -> None:
    command = ["infer", str(model), "--input", saved(tmp_path, X), "--backend", "reference"]
    lines = CliRunner().invoke(APP, [*command, "--trace"]).stdout.splitlines()
    assert lines[:3] == [
        "y float32[1, 2]",
        "  66.0 88.0",
        f"output_sha256 {sha256(Y_BYTES).hexdigest()}",
    ]
    assert lines[3].startswith("backend reference, threads 1, items 1, MACs 10 and gas ")
    assert lines[6] == f"{sha256(Y_BYTES).hexdigest()} MatMul last"


@pytest.mark.parametrize("backend", ["reference", "cpu"])
@pytest.mark.parametrize(("threads", "used"), [("1", 1), ("2", 2), ("5", 5), ("9", 7)])
def test_threads_share_the_items_and_change_no_byte(
    model: Path, tmp_path: Path, backend: str, threads: str, used: int
) -> None:
    batch = np.arange(21, dtype=np.float32).reshape(7, 3)
    rows = [
        run_json(model, "--input", saved(tmp_path, row))["outputs"][0]["items"][0] for row in batch
    ]
    options = ["--backend", backend, "--threads", threads]
    report = run_json(model, "--input", saved(tmp_path, batch), *options)
    assert (report["threads"], report["items"]) == (used, 7)
    assert report["outputs"][0]["items"] == rows


def test_threads_refuse_a_trace(model: Path, tmp_path: Path) -> None:
    error = error_of(str(model), "--input", saved(tmp_path, X), "--trace", "--threads", "2")
    assert error == "--trace runs one item after the other; leave out --threads 2"


ACCEPTED = [
    pytest.param(X, 1, id="as declared"),
    pytest.param(X[0], 1, id="without the leading 1"),
    pytest.param(X[None, :, None], 1, id="with more axes of 1"),
    pytest.param(np.concatenate([X, X]), 2, id="batch"),
    pytest.param(np.concatenate([X, X])[:, None], 2, id="batch with an axis of 1"),
    pytest.param(X.astype(">f4"), 1, id="big-endian file"),
    pytest.param(np.asfortranarray(np.concatenate([X] * 3)), 3, id="column-major file"),
]


@pytest.mark.parametrize(("array", "items"), ACCEPTED)
def test_array_holds_one_item_or_a_batch(
    model: Path, tmp_path: Path, array: np.ndarray[Any, Any], items: int
) -> None:
    report = run_json(model, "--input", saved(tmp_path, array))
    assert report["items"] == items
    assert report["output_sha256"] == sha256(Y_BYTES * items).hexdigest()


def test_nan_and_infinity_are_text_in_json(model: Path, tmp_path: Path) -> None:
    report = run_json(model, "--input", saved(tmp_path, np.array([[0, np.inf, 0]], np.float32)))
    assert report["outputs"][0]["items"] == [["inf", "inf"]]


@pytest.fixture
def two_inputs(tmp_path: Path) -> Path:
    node = helper.make_node("MatMulInteger", ["a", "b"], ["y"])
    inputs = [value("a", (1, 2), TensorProto.UINT8), value("b", (2, 1), TensorProto.INT8)]
    model = model_of([node], inputs, [value("y", (1, 1), TensorProto.INT32)])
    path = tmp_path / "two.onnx"
    path.write_bytes(encoded(model))
    return path


A, B = np.array([[3, 4]], np.uint8), np.array([[-1], [2]], np.int8)


def test_several_inputs_are_given_in_graph_order(two_inputs: Path, tmp_path: Path) -> None:
    a, b = saved(tmp_path, A, "a"), saved(tmp_path, B, "b")
    report = run_json(two_inputs, "--input", a, "--input", b)
    assert report["outputs"][0]["items"] == [[5]]


@pytest.mark.parametrize("is_packed", [False, True], ids=["stored", "compressed"])
def test_several_inputs_are_given_by_name_in_an_npz(
    two_inputs: Path, tmp_path: Path, is_packed: bool
) -> None:
    path = tmp_path / "both.npz"
    (np.savez_compressed if is_packed else np.savez)(path, b=B, a=np.asfortranarray(A))
    assert run_json(two_inputs, "--input", str(path))["outputs"][0]["items"] == [[5]]


REFUSED_ARRAYS = [
    pytest.param(
        X.astype(np.float64), "dtype float64, input 'x' takes float32[1,3]", id="dtype"
    ),
    pytest.param(np.zeros((2, 4), np.float32), "shape [2, 4], input 'x' takes [1, 3]", id="shape"),
    pytest.param(np.zeros((4097, 3), np.float32), "1 to 4096 items", id="batch"),
    pytest.param(np.zeros((0, 3), np.float32), "shape [0, 3]", id="no items"),
]  # fmt: skip


@pytest.mark.parametrize(("array", "reason"), REFUSED_ARRAYS)
def test_array_that_does_not_fit_is_one_line(
    model: Path, tmp_path: Path, array: np.ndarray[Any, Any], reason: str
) -> None:
    assert reason in error_of(str(model), "--input", saved(tmp_path, array))


def false_header(tmp_path: Path) -> bytes:
    """Return a .npy file that claims 2**40 elements and holds three."""
    data = Path(saved(tmp_path, X, "true")).read_bytes()
    return data.replace(b"(1, 3), }" + b" " * 12, b"(1099511627776,), }  ")


def pickled(tmp_path: Path) -> bytes:
    path = tmp_path / "pickle.npy"
    np.save(path, np.array([{}], dtype=object), allow_pickle=True)
    return path.read_bytes()


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        pytest.param(lambda _: b"", "not a readable .npy file", id="empty"),
        pytest.param(lambda _: b"\x93NUMPY\x01\x00", "not a readable .npy file", id="cut off"),
        pytest.param(lambda _: b"PK\x03\x04rest", "not a readable .npy file", id="broken archive"),
        pytest.param(pickled, "not a readable .npy file", id="pickle"),
        pytest.param(false_header, "not a readable .npy file", id="false header"),
    ],
)
def test_hostile_npy_is_one_line(model: Path, tmp_path: Path, make: Any, reason: str) -> None:
    path = tmp_path / "x.npy"
    path.write_bytes(make(tmp_path))
    assert reason in error_of(str(model), "--input", str(path))


@pytest.mark.parametrize(
    ("members", "reason"),
    [
        pytest.param({}, "holds no array 'a'", id="missing"),
        pytest.param({"a.npy": b"junk"}, "array 'a' is unreadable", id="junk"),
        pytest.param({"a.npy": bytes(10**6)}, "takes 1000000 bytes, at most 73728", id="bomb"),
    ],
)
def test_hostile_npz_is_one_line(
    two_inputs: Path, tmp_path: Path, members: dict[str, bytes], reason: str
) -> None:
    path = tmp_path / "both.npz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    assert reason in error_of(str(two_inputs), "--input", str(path))


def test_file_that_is_no_archive_is_one_line(two_inputs: Path, tmp_path: Path) -> None:
    path = tmp_path / "both.npz"
    path.write_bytes(b"junk")
    assert "not a readable .npz archive" in error_of(str(two_inputs), "--input", str(path))


def test_wrong_number_of_files_is_one_line(two_inputs: Path, tmp_path: Path) -> None:
    message = error_of(str(two_inputs), "--input", saved(tmp_path, A, "a"))
    assert "1 files for 2 inputs (a uint8[1,2], b int8[2,1])" in message


def test_missing_file_is_one_line(model: Path, tmp_path: Path) -> None:
    missing = tmp_path / "nothing.onnx"
    assert error_of(str(missing), "--input", "x.npy") == f"{missing}: No such file or directory"


def test_broken_model_is_one_line_with_the_rule(tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(b"\xff" * 20)
    shown = error_of(str(path), "--input", "x.npy")
    assert shown.startswith("whole file: varint at byte 0")
    assert shown.endswith(
        "; `cvm model prepare FILE -o NEW` turns an ordinary ONNX file into the strict form"
    )


def test_unknown_backend_is_one_line(model: Path, tmp_path: Path) -> None:
    command = ["infer", str(model), "--input", saved(tmp_path, X), "--backend", "tpu"]
    result = CliRunner().invoke(APP, command)
    assert result.exit_code == 2
    assert result.stderr == "error: no backend 'tpu'; there are reference, cpu, cuda\n"


def test_backend_that_this_machine_lacks_is_a_fault_of_the_machine(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unavailable(name: str) -> object:
        raise DeviceFault(name, "no device")

    monkeypatch.setattr(infer_module, "backend_named", unavailable)
    command = ["infer", str(model), "--input", saved(tmp_path, X), "--backend", "cuda"]
    result = CliRunner().invoke(APP, command)
    assert result.exit_code == 3
    assert result.stderr == "error: backend 'cuda' failed: no device\n"


def test_selftest_prints_a_line_per_backend_and_fails_where_one_disagrees(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def run_self_test(backend: str, vectors: object) -> int:
        if backend == "cpu":
            raise BackendDisagrees("cpu", "Conv: ties", "0x01", "0x02")
        if backend == "cuda":
            raise DeviceFault("cuda", "no device")
        return 214

    monkeypatch.setattr(infer_module, "backend_named", lambda name: name)
    monkeypatch.setattr(infer_module, "run_self_test", run_self_test)
    result = CliRunner().invoke(APP, ["selftest"])
    reference, cpu, cuda = result.stdout.splitlines()
    assert reference.startswith("reference ok 214 vectors ")
    assert cpu.startswith("cpu WRONG: backend 'cpu' fails the self-test at vector 'Conv: ties'")
    assert cuda == "cuda unavailable: backend 'cuda' failed: no device"
    assert result.exit_code == 1


def test_selftest_passes_where_a_backend_is_merely_missing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def unavailable(name: str) -> object:
        raise DeviceFault(name, "no device")

    monkeypatch.setattr(infer_module, "backend_named", unavailable)
    result = CliRunner().invoke(APP, ["selftest"])
    assert (result.exit_code, len(result.stdout.splitlines())) == (0, 3)
