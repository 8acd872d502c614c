"""Bad input to the command line: one line that says what and why, an exit code, no traceback."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from onnx import TensorProto, helper
from typer.testing import CliRunner

from node.cli.app import build_app
from node.sample_models import sample_model_path
from tests.chain_world import genesis_document
from tests.integration.node_process import NodeProcess, cvm, dev_node

pytestmark = pytest.mark.network
UNKNOWN = "0x" + "99" * 32
DIGITS = sample_model_path("digits_int8.onnx")


@dataclass(frozen=True, slots=True)
class Files:
    """A folder with good and bad files, an initialised data directory, and a running node."""

    folder: Path
    node: NodeProcess


def unknown_operator() -> bytes:
    """Return a valid ONNX file with an operator that the chain does not run."""
    node = helper.make_node("Einsum", ["x"], ["y"], equation="ij->ji")
    x, y = (helper.make_tensor_value_info(name, TensorProto.FLOAT, [2, 2]) for name in ("x", "y"))
    graph = helper.make_graph([node], "g", [x], [y])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)
    return bytes(model.SerializeToString())


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Files]:
    folder = tmp_path_factory.mktemp("errors")
    (folder / "operator.onnx").write_bytes(unknown_operator())
    (folder / "truncated.onnx").write_bytes(DIGITS.read_bytes()[:-500])
    (folder / "empty").touch()
    (folder / "password").write_text("secret\n")
    (folder / "garbage").write_bytes(b"garbage" * 100)
    np.save(folder / "floats.npy", np.zeros((1, 1, 28, 28), np.float32))
    np.save(folder / "small.npy", np.zeros((1, 1, 27, 28), np.uint8))
    np.save(folder / "digit.npy", np.zeros((1, 1, 28, 28), np.uint8))
    document = genesis_document()
    (folder / "genesis.json").write_text(json.dumps(document))
    (folder / "bad.json").write_text(json.dumps(document | {"gasLimit": "lots"}))
    (folder / "other.json").write_text(json.dumps(document | {"timestamp": "0x1"}))
    made = CliRunner().invoke(
        APP, ["init", str(folder / "genesis.json"), "--datadir", str(folder / "data")]
    )
    assert made.exit_code == 0, made.stderr
    (folder / "dev").mkdir()
    with dev_node(folder / "dev") as node:
        yield Files(folder, node)


@pytest.fixture(autouse=True)
def _in_the_folder(files: Files, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run commands in the folder, and leave this process's logging alone."""
    monkeypatch.chdir(files.folder)
    for module in ("dev_command", "archive", "node_command"):
        monkeypatch.setattr(f"node.cli.{module}.configure_logs", lambda *_config: None)


APP = build_app(None)


def check_refused(arguments: list[str], code: int, words: str) -> None:
    """Run a command in this process, which spares the imports."""
    done = CliRunner().invoke(APP, arguments)
    assert done.exception is None or isinstance(done.exception, SystemExit)
    check_error(done.stderr, done.exit_code, code, words)


def check_error(stderr: str, exit_code: int, code: int, words: str) -> None:
    assert "Traceback" not in stderr
    assert exit_code == code, stderr
    lines = stderr.strip().splitlines()
    assert lines[-1].startswith("error: "), stderr
    assert words in lines[-1]
    assert sum(line.startswith("error: ") for line in lines) == 1


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        pytest.param(
            "model check operator.onnx", 2, "Einsum", id="a model with an unknown operator"
        ),
        pytest.param("model check truncated.onnx", 2, "", id="a truncated model"),
        pytest.param("model check garbage", 2, "", id="a file that is no model"),
        pytest.param("model check empty", 2, "", id="an empty model"),
        pytest.param("model check none.onnx", 2, "none.onnx", id="a missing model"),
        pytest.param("infer DIGITS --input floats.npy", 2, "uint8", id="a wrong dtype"),
        pytest.param("infer DIGITS --input small.npy", 2, "27", id="a wrong size"),
        pytest.param("infer DIGITS --input none.npy", 2, "none.npy", id="a missing input"),
        pytest.param("infer DIGITS --input garbage", 2, "garbage", id="a file that is no array"),
        pytest.param(
            "infer DIGITS --input digit.npy --backend tpu", 2, "no backend 'tpu'", id="a backend"
        ),
        pytest.param(
            "init bad.json --datadir new", 2, "gasLimit: 'lots' is not", id="a bad genesis"
        ),
        pytest.param("init garbage --datadir new", 2, "is not JSON", id="a genesis of garbage"),
        pytest.param("init none.json --datadir new", 2, "none.json", id="a missing genesis"),
        pytest.param(
            "init other.json --datadir data", 2, "use another --datadir", id="another genesis"
        ),
        pytest.param(
            "genesis --chain-id 5 --validator 0x12", 2, "has 1 bytes", id="a short address"
        ),
        pytest.param(
            "genesis --chain-id 5 --validator zz", 2, "'zz' is not an address", id="no address"
        ),
        pytest.param(
            "genesis --chain-id 0 --validator ADDRESS", 2, "chain_id must be", id="chain id 0"
        ),
        pytest.param(
            "genesis --chain-id 5 --validator ADDRESS --period 0", 2, "period_s", id="period 0"
        ),
        pytest.param(
            "genesis --chain-id 5 --validator ADDRESS --fund ADDRESS=much",
            2,
            "with a whole number of ether",
            id="funding in words",
        ),
        pytest.param("node --datadir new", 2, "no chain in new: run `cvm init", id="no chain"),
        pytest.param("export x.cvm --datadir new", 2, "no chain in new", id="export of nothing"),
        pytest.param("genesis-of --datadir new", 2, "no chain in new", id="genesis of nothing"),
        pytest.param(
            "import garbage --datadir data --backend reference", 2, "not open an RLP", id="archive"
        ),
        pytest.param(
            "import none.cvm --datadir data --backend reference", 2, "none.cvm", id="no archive"
        ),
        pytest.param(
            "node --datadir data --backend tpu", 3, "no backend 'tpu'", id="an unknown backend"
        ),
        pytest.param(
            "node --datadir data --backend reference --http.port PORT",
            3,
            "cannot listen on 127.0.0.1 port PORT",
            id="a taken port",
        ),
        pytest.param(
            "account new --datadir data --password empty", 2, "is empty", id="an empty password"
        ),
        pytest.param(
            "account import --key-env NO_SUCH_NAME --datadir data --password password",
            2,
            "NO_SUCH_NAME is not set",
            id="a key that is not there",
        ),
        pytest.param(
            "node --datadir data --validator garbage --password password",
            2,
            "cannot read keystore garbage",
            id="a keystore of garbage",
        ),
        pytest.param("model show UNKNOWN --rpc URL", 2, "99", id="a model that is not registered"),
        pytest.param("model show 0x12 --rpc URL", 2, "0x12", id="a short model id"),
        pytest.param("model list --rpc http://127.0.0.1:1", 1, "127.0.0.1:1", id="no node there"),
        pytest.param(
            "model register truncated.onnx --rpc URL --account dev", 2, "", id="register a bad file"
        ),
        pytest.param("demo --digit 100", 2, "0 to 99", id="a digit that does not exist"),
    ],
)
def test_bad_input_is_one_line_and_a_code(
    files: Files, arguments: str, code: int, words: str
) -> None:
    names = {
        "DIGITS": str(DIGITS),
        "ADDRESS": "0x" + "11" * 20,
        "PORT": files.node.port,
        "UNKNOWN": UNKNOWN,
        "URL": files.node.url,
    }
    for name, value in names.items():
        arguments, words = arguments.replace(name, value), words.replace(name, value)
    check_refused(arguments.split(), code, words)


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        pytest.param("model check truncated.onnx", 2, "", id="bad file"),
        pytest.param("node --datadir data --backend tpu", 3, "no backend 'tpu'", id="local fault"),
    ],
)
def test_a_real_process_ends_in_the_same_way(
    files: Files, arguments: str, code: int, words: str
) -> None:
    done = cvm(*arguments.split(), cwd=files.folder)
    assert done.stdout == ""
    check_error(done.stderr, done.returncode, code, words)


def test_a_refused_command_leaves_nothing_behind(files: Files) -> None:
    assert not (files.folder / "new").exists()
    assert not (files.folder / "x.cvm").exists()
    assert not (files.folder / "x.cvm.partial").exists()


def test_a_wrong_password_is_refused(files: Files) -> None:
    made = CliRunner().invoke(APP, ["account", "new", "--datadir", "own", "--password", "password"])
    assert made.exit_code == 0, made.stderr
    _address, path = made.stdout.split()
    (files.folder / "wrong").write_text("battery staple\n")
    command = ["node", "--datadir", "data", "--backend", "reference", "--validator", path]
    check_refused([*command, "--password", "wrong"], 2, "does not open with this password")


def test_an_archive_of_another_chain_is_refused() -> None:
    for arguments in ("export mine.cvm --datadir data", "init other.json --datadir other"):
        done = CliRunner().invoke(APP, arguments.split())
        assert done.exit_code == 0, done.stderr
    arguments = "import mine.cvm --datadir other --backend reference"
    check_refused(arguments.split(), 2, "into its own --datadir")
