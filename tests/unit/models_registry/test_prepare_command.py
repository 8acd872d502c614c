"""`cvm model prepare` and `check`: ordinary ONNX files in, strict files out, or a plain refusal."""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from typer.testing import CliRunner, Result

from cvm.inference.backends.table import backend_named
from cvm.inference.model_file import parse_model
from cvm.inference.tensor_type import Array
from models_registry.chunks import model_id
from models_registry.cli.commands import model_commands
from models_registry.cli.files import CannotRead, save_file
from models_registry.cli.prepare import CannotPrepare, Options, parse_shape, prepare_model
from models_registry.cli.report import GasQuote, inspect_file
from models_registry.cli.rules import ModelRules
from node.cli.model import rerun

WEIGHTS = np.arange(12, dtype=np.float32).reshape(4, 3)


def tensor_input(name: str, dims: list[Any], dtype: int = TensorProto.FLOAT) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, dtype, dims)


def matmul_model(
    *,
    input_dims: list[Any] | None = None,
    output_dims: list[Any] | None = None,
    opset: int = 21,
    nodes: list[onnx.NodeProto] | None = None,
    initializers: list[onnx.TensorProto] | None = None,
    inputs: list[onnx.ValueInfoProto] | None = None,
) -> onnx.ModelProto:
    """Return y = x . w and whatever the test changes in it."""
    graph = helper.make_graph(
        nodes or [helper.make_node("MatMul", ["x", "w"], ["y"], name="product")],
        "a graph",
        inputs or [tensor_input("x", [1, 4] if input_dims is None else input_dims)],
        [tensor_input("y", [1, 3] if output_dims is None else output_dims)],
        [numpy_helper.from_array(WEIGHTS, "w")] if initializers is None else initializers,
    )
    model: onnx.ModelProto = helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8
    )
    return model


def strict_bytes(data: bytes, **shapes: tuple[int, ...]) -> bytes:
    return prepare_model(data, Options(shapes)).data


def prepared(model: onnx.ModelProto, **shapes: tuple[int, ...]) -> onnx.ModelProto:
    data = strict_bytes(model.SerializeToString(), **shapes)
    parse_model(data)
    strict = onnx.ModelProto()
    strict.ParseFromString(data)
    return strict


def dims_of(value: onnx.ValueInfoProto) -> list[int]:
    return [dim.dim_value for dim in value.type.tensor_type.shape.dim]


def test_a_symbolic_batch_becomes_one() -> None:
    strict = prepared(matmul_model(input_dims=["N", 4], output_dims=["N", 3]))
    assert dims_of(strict.graph.input[0]) == [1, 4]
    assert dims_of(strict.graph.output[0]) == [1, 3]


def test_a_shape_option_fixes_the_rest() -> None:
    strict = prepared(matmul_model(input_dims=["N", "K"], output_dims=["N", 3]), x=(1, 4))
    assert dims_of(strict.graph.input[0]) == [1, 4]


def test_weights_that_are_listed_as_inputs_are_weights() -> None:
    model = matmul_model(inputs=[tensor_input("x", [1, 4]), tensor_input("w", [4, 3])])
    assert [value.name for value in prepared(model).graph.input] == ["x"]


def test_an_older_opset_is_converted() -> None:
    nodes = [
        helper.make_node("MatMul", ["x", "w"], ["p"]),
        helper.make_node("Softmax", ["p"], ["y"], axis=1),
    ]
    strict = prepared(matmul_model(opset=12, nodes=nodes))
    assert [(entry.domain, entry.version) for entry in strict.opset_import] == [("", 21)]
    assert strict.ir_version == 10


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        pytest.param({"value": numpy_helper.from_array(WEIGHTS)}, WEIGHTS.tobytes(), id="tensor"),
        pytest.param(
            {"value_floats": [1.0, 2.0, 3.0]}, np.array([1, 2, 3], np.float32).tobytes(), id="list"
        ),
        pytest.param({"value_float": 2.0}, np.float32(2).tobytes(), id="number"),
    ],
)
def test_a_constant_node_becomes_a_weight(attributes: dict[str, Any], expected: bytes) -> None:
    is_matrix = "value" in attributes
    nodes = [
        helper.make_node("Constant", [], ["c"], **attributes),
        helper.make_node("MatMul" if is_matrix else "Mul", ["x", "c"], ["y"]),
    ]
    model = matmul_model(input_dims=[1, 4 if is_matrix else 3], nodes=nodes, initializers=[])
    strict = prepared(model)
    assert [node.op_type for node in strict.graph.node] != ["Constant"]
    ((constant),) = strict.graph.initializer
    assert constant.raw_data == expected


def test_an_integer_constant_keeps_its_kind() -> None:
    nodes = [
        helper.make_node("Constant", [], ["shape"], value_ints=[3, 1]),
        helper.make_node("MatMul", ["x", "w"], ["p"]),
        helper.make_node("Reshape", ["p", "shape"], ["y"]),
    ]
    strict = prepared(matmul_model(nodes=nodes))
    kinds = {tensor.name: tensor.data_type for tensor in strict.graph.initializer}
    assert kinds == {"w": TensorProto.FLOAT, "shape": TensorProto.INT64}


def test_nodes_are_sorted_and_unused_weights_dropped() -> None:
    nodes = [
        helper.make_node("Relu", ["p"], ["y"]),
        helper.make_node("MatMul", ["x", "w"], ["p"]),
    ]
    weights = [numpy_helper.from_array(WEIGHTS, name) for name in ("w", "unused")]
    strict = prepared(matmul_model(nodes=nodes, initializers=weights))
    assert [node.op_type for node in strict.graph.node] == ["MatMul", "Relu"]
    assert [tensor.name for tensor in strict.graph.initializer] == ["w"]


def test_what_only_informs_does_not_change_the_id() -> None:
    plain = matmul_model()
    told = matmul_model()
    told.doc_string = "a long story"
    told.producer_name = "somebody"
    told.producer_version = "2"
    told.model_version = 7
    told.graph.doc_string = "more of it"
    told.graph.name = "another name"
    told.graph.node[0].doc_string = "a node"
    told.graph.value_info.append(tensor_input("y2", [1, 3]))
    helper.set_model_props(told, {"author": "somebody"})
    told.graph.input[0].type.tensor_type.shape.dim[0].denotation = "DATA_BATCH"
    assert strict_bytes(told.SerializeToString()) == strict_bytes(plain.SerializeToString())


def test_preparing_again_changes_nothing() -> None:
    once = strict_bytes(matmul_model(input_dims=["N", 4], opset=13).SerializeToString())
    assert strict_bytes(once) == once


def test_the_prepared_file_computes_the_same() -> None:
    nodes = [
        helper.make_node("Constant", [], ["b"], value_floats=[0.5, -100.0, 2.0]),
        helper.make_node("MatMul", ["x", "w"], ["p"]),
        helper.make_node("Add", ["p", "b"], ["s"]),
        helper.make_node("Relu", ["s"], ["y"]),
    ]
    data = strict_bytes(
        matmul_model(input_dims=["N", 4], opset=13, nodes=nodes).SerializeToString()
    )
    x = np.array([[1, 2, 3, 4]], np.float32)
    (y,) = backend_named("reference").plan(parse_model(data).graph).run((x,))
    expected = np.array([[60.5, 0, 82]], np.float32)
    assert y.view(np.uint32).tolist() == expected.view(np.uint32).tolist()


def damaged_weight() -> onnx.ModelProto:
    model = matmul_model()
    model.graph.initializer[0].raw_data = b"\x00" * 7
    return model


def external_weight() -> onnx.ModelProto:
    model = matmul_model()
    model.graph.initializer[0].data_location = TensorProto.EXTERNAL
    return model


def without_shape() -> onnx.ModelProto:
    model = matmul_model()
    model.graph.input[0].type.tensor_type.ClearField("shape")
    return model


@pytest.mark.parametrize(
    ("make", "shapes", "reason"),
    [
        pytest.param(
            lambda: matmul_model(input_dims=["N", "K"]),
            {},
            "dimension 1 of input 'x' is open (K): give --shape x=1,? with a number for each ?",
            id="open dimension",
        ),
        pytest.param(
            lambda: matmul_model(input_dims=["N", 3, None, "W"]),
            {},
            "dimensions 2, 3 of input 'x' are open (unnamed, W): give --shape x=1,3,?,? with",
            id="open dimensions",
        ),
        pytest.param(
            without_shape, {}, "input 'x' has no shape: give --shape x=...", id="no shape"
        ),
        pytest.param(matmul_model, {"z": (1,)}, "--shape names 'z'; the inputs are x", id="name"),
        pytest.param(
            matmul_model, {"x": (4,)}, "gives input 'x' 1 dimensions; it has 2", id="rank"
        ),
        pytest.param(
            matmul_model,
            {"x": (1, 5)},
            "makes dimension 1 of input 'x' 5; the file says 4",
            id="fixed dimension",
        ),
        pytest.param(
            lambda: matmul_model(input_dims=[1, 5]), {}, "MatMul node 'product': ", id="shapes"
        ),
        pytest.param(
            lambda: matmul_model(nodes=[helper.make_node("MatMul", ["x", "v"], ["y"])]),
            {},
            "value 'v' is made by no node",
            id="dangling name",
        ),
        pytest.param(damaged_weight, {}, "'w'", id="damaged weight"),
        pytest.param(external_weight, {}, "initializer 'w' lies in another file", id="external"),
        pytest.param(
            lambda: matmul_model(nodes=[helper.make_node("Nothing", ["x", "w"], ["y"])]),
            {},
            "engine 1 does not have the operators Nothing (1)",
            id="unknown operator",
        ),
    ],
)
def test_what_cannot_be_prepared_is_told(
    make: Callable[[], onnx.ModelProto], shapes: dict[str, tuple[int, ...]], reason: str
) -> None:
    with pytest.raises(CannotPrepare) as caught:
        strict_bytes(make().SerializeToString(), **shapes)
    assert reason in str(caught.value)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"\xff" * 100, id="no protobuf"),
        pytest.param(b"a text file, not a model\n", id="text"),
        pytest.param(matmul_model().SerializeToString()[:-20], id="truncated"),
    ],
)
def test_what_is_no_onnx_file_is_refused(data: bytes) -> None:
    with pytest.raises(CannotPrepare):
        strict_bytes(data)


def test_a_shape_option_has_a_name_and_numbers() -> None:
    assert parse_shape("a=b=1,3") == ("a=b", (1, 3))


@pytest.mark.parametrize("text", ["x", "=1", "x=", "x=1,", "x=-1", "x=1.5", "x=²"])
def test_another_shape_option_is_refused(text: str) -> None:
    with pytest.raises(CannotPrepare, match="is not of the form NAME=1,3,224,224"):
        parse_shape(text)


def run_on_reference(data: bytes, items: Sequence[Mapping[str, Array]]) -> list[dict[str, Array]]:
    graph = parse_model(data).graph
    plan = backend_named("reference").plan(graph)
    names = [value.name for value in graph.outputs]
    found = [plan.run([item[value.name] for value in graph.inputs]) for item in items]
    return [dict(zip(names, outputs, strict=True)) for outputs in found]


def run(*arguments: object) -> Result:
    rules = ModelRules(
        inspect_file,
        inspect_file,
        lambda _report, _royalty: None,
        lambda _report: GasQuote(1000, 200, 30, 4),
        run_on_reference,
        rerun,
    )
    return CliRunner().invoke(model_commands(rules), [str(argument) for argument in arguments])


@pytest.fixture
def ordinary_file(tmp_path: Path) -> Path:
    path = tmp_path / "ordinary.onnx"
    path.write_bytes(matmul_model(input_dims=["N", 4], opset=13).SerializeToString())
    return path


def test_prepare_writes_a_file_that_passes_the_check(ordinary_file: Path, tmp_path: Path) -> None:
    output = tmp_path / "strict.onnx"
    prepare = run("prepare", ordinary_file, "-o", output)
    assert prepare.exit_code == 0, prepare.stderr
    check = run("check", output)
    assert check.exit_code == 0, check.stderr
    assert prepare.stdout == (
        f"{check.stdout}step        input x has shape [1, 4]\n"
        "step        converted opset 13 to 21\n"
    )
    assert f"model id    0x{model_id(output.read_bytes()).hex()}" in check.stdout
    assert "input       x float32[1,4]" in check.stdout
    assert "output      y float32[1,3]" in check.stdout
    assert "gas         1,234 for one cold call with one item" in check.stdout


def test_check_prints_json(ordinary_file: Path, tmp_path: Path) -> None:
    output = tmp_path / "strict.onnx"
    run("prepare", ordinary_file, "-o", output)
    report = json.loads(run("check", output, "--json").stdout)
    assert report["inputs"] == [{"name": "x", "dtype": "float32", "shape": [1, 4]}]
    assert report["macs"] == 12
    assert report["batchable"] is True
    assert report["gas"]["total"] == 1234


def test_check_names_the_broken_rule(ordinary_file: Path) -> None:
    check = run("check", ordinary_file)
    assert check.exit_code == 2
    assert check.stderr.startswith("error: ")
    assert check.stdout == ""


def test_check_says_how_an_ordinary_file_becomes_strict(ordinary_file: Path) -> None:
    assert run("check", ordinary_file).stderr.endswith(
        "; `cvm model prepare FILE -o NEW` turns an ordinary ONNX file into the strict form\n"
    )


@pytest.mark.parametrize(
    ("target", "reason"),
    [
        pytest.param("ordinary.onnx", "is the model itself, which stays", id="the model"),
        pytest.param(".", "Is a directory; name the file to write", id="directory"),
        pytest.param("absent/strict.onnx", "there is no directory", id="no directory"),
    ],
)
def test_a_target_that_cannot_be_written_is_refused_before_the_work(
    ordinary_file: Path, target: str, reason: str
) -> None:
    before = ordinary_file.read_bytes()
    refused = run("prepare", ordinary_file, "-o", ordinary_file.parent / target)
    assert refused.exit_code == 2
    assert reason in refused.stderr
    assert sorted(ordinary_file.parent.iterdir()) == [ordinary_file]
    assert ordinary_file.read_bytes() == before


def test_a_file_that_cannot_be_replaced_leaves_nothing_behind(tmp_path: Path) -> None:
    target = tmp_path / "strict.onnx"
    target.mkdir()
    with pytest.raises(CannotRead, match="directory"):
        save_file(target, b"model")
    assert sorted(tmp_path.iterdir()) == [target]


def test_nothing_is_written_of_a_file_that_breaks_a_rule(tmp_path: Path) -> None:
    path, output = tmp_path / "in.onnx", tmp_path / "out.onnx"
    model = matmul_model(nodes=[helper.make_node("Gemm", ["x", "w"], ["y"], alpha=float("nan"))])
    path.write_bytes(model.SerializeToString())
    assert run("prepare", path, "-o", output).exit_code == 2
    assert sorted(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        pytest.param("absent.onnx", "No such file or directory", id="absent"),
        pytest.param("", "Is a directory", id="folder"),
    ],
)
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, name: str, reason: str) -> None:
    check = run("check", tmp_path / name)
    assert check.exit_code == 2
    assert f"error: {tmp_path / name}: {reason}" in check.stderr


def test_an_empty_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "empty.onnx"
    path.write_bytes(b"")
    assert run("check", path).exit_code == 2


def test_prepare_says_what_an_explanation_means(tmp_path: Path) -> None:
    path, output = tmp_path / "linear.onnx", tmp_path / "strict.onnx"
    path.write_bytes(matmul_model().SerializeToString())
    shown = run("prepare", path, "-o", output, "--explain", "contributions:1/8")
    assert shown.exit_code == 0, shown.stderr
    assert shown.stdout.endswith(
        "explains    contributions int64[1,3,5]: of 4 features to 3 scores of MatMul node "
        "'product'; place 4 holds the intercept, and the sum of all places is the score; "
        "1 stands for 2^-3; each lies within half a unit and 2^-22 of itself of the exact "
        "product; "
        "features: x[0], x[1], x[2], x[3]\n"
    )
    assert "output      contributions int64[1,3,5]" in shown.stdout


def test_prepare_prints_explanations_as_json(tmp_path: Path) -> None:
    path, output = tmp_path / "linear.onnx", tmp_path / "strict.onnx"
    path.write_bytes(matmul_model().SerializeToString())
    shown = run("prepare", path, "-o", output, "--explain", "contributions", "--json")
    (found,) = json.loads(shown.stdout)["explanations"]
    assert found["name"] == found["kind"] == "contributions"
    assert found["dtype"] == "int64"
    assert found["shape"] == [1, 3, 5]
    assert found["units"] == [2.0**-19]
    assert found["features"] == ["x[0]", "x[1]", "x[2]", "x[3]"]


def test_prepare_refuses_to_explain_another_model(tmp_path: Path) -> None:
    path, output = tmp_path / "linear.onnx", tmp_path / "strict.onnx"
    path.write_bytes(matmul_model().SerializeToString())
    refused = run("prepare", path, "-o", output, "--explain", "leaves")
    assert refused.exit_code == 2
    assert "MatMul node 'product' is a linear model, which has no trees" in refused.stderr
    assert not output.exists()
