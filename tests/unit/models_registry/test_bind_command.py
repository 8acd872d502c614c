"""`cvm model bind` writes source for a file or a registered model, or refuses plainly."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models_registry.chunks import model_id
from models_registry.cli.bind import library_name, parse_library_name
from models_registry.cli.bind.names import MAX_IDENTIFIER, RESERVED, identifiers, shown
from tests.documents import ROOT
from tests.solidity import CONTRACTS
from tests.unit.models_registry.model_cli import MODEL, register, run

DIGITS = ROOT / "models-registry" / "models" / "digits_int8.onnx"


def test_the_source_goes_to_stdout_and_is_named_after_the_file() -> None:
    shown_source = run("bind", DIGITS)
    assert shown_source.exit_code == 0, shown_source.stderr
    lines = shown_source.stdout.splitlines()
    assert "library DigitsInt8 {" in lines
    assert f"    bytes32 internal constant MODEL_ID = 0x{_digits_id()};" in lines
    assert "    uint256 internal constant INPUT_BYTES = 784;" in lines
    assert "    uint256 internal constant OUTPUT_BYTES = 48;" in lines
    assert "    // Input 0, 'image': uint8[1,1,28,28]" in lines
    assert "        int32[10] scores;" in lines


def _digits_id() -> str:
    return model_id(DIGITS.read_bytes()).hex()


def test_a_file_is_written_with_its_libraries(tmp_path: Path) -> None:
    target = tmp_path / "Digits.sol"
    done = run("bind", DIGITS, "-o", target, "--name", "Digits", "--libraries")
    assert (done.exit_code, done.stdout) == (0, "")
    assert "library Digits {" in target.read_text()
    for name in ("CVM.sol", "CVMInput.sol", "Float32.sol"):
        assert (tmp_path / name).read_bytes() == (CONTRACTS / name).read_bytes()


def test_a_library_is_named_after_the_file_to_write(tmp_path: Path) -> None:
    target = tmp_path / "Reader.sol"
    assert run("bind", DIGITS, "-o", target).exit_code == 0
    assert "library Reader {" in target.read_text()


def test_vyper_gets_a_module(tmp_path: Path) -> None:
    target = tmp_path / "digits.vy"
    assert run("bind", DIGITS, "-o", target, "--vyper").exit_code == 0
    lines = target.read_text().splitlines()
    assert lines[0] == "# pragma version ~=0.4.3"
    assert "def run(in_image: Bytes[784]) -> Output:" in lines


def test_a_registered_model_is_bound_by_its_id(
    tmp_path: Path, model_file: Path, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert register(model_file, url).exit_code == 0
    by_id = run("bind", "0x" + MODEL.hex(), "--rpc", url)
    assert by_id.exit_code == 0, by_id.stderr
    by_file = run("bind", model_file, "--name", f"Model{MODEL.hex()[:8].capitalize()}")
    assert by_id.stdout.lower() == by_file.stdout.lower()


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        pytest.param(["bind", "nothing.onnx"], "nor a file", id="no such file"),
        pytest.param(["bind", DIGITS, "--name", "contract"], "--name", id="keyword"),
        pytest.param(["bind", DIGITS, "--name", "Input"], "--name", id="name of the library's own"),
        pytest.param(["bind", DIGITS, "--name", "a-b"], "--name", id="no identifier"),
        pytest.param(["bind", DIGITS, "-o", "no/folder/x.sol"], "no directory", id="no folder"),
        pytest.param(["bind", DIGITS, "--libraries"], "-o", id="libraries to stdout"),
        pytest.param(["bind", Path(__file__)], "not ONNX", id="no model"),
        pytest.param(["bind", "0x" + "00" * 32, "--name", "a"], "--name", id="before any download"),
    ],
)
def test_what_cannot_be_bound_is_refused(arguments: list[object], reason: str) -> None:
    refused = run(*arguments)
    assert refused.exit_code == 2
    assert reason in refused.stderr
    assert refused.stdout == ""


@pytest.mark.parametrize(
    ("names", "camel"),
    [
        pytest.param(["image"], ["image"], id="as it is"),
        pytest.param(
            ["input.1", "input_1", "INPUT1"], ["input1", "input12", "input13"], id="alike"
        ),
        pytest.param(["/model/out:0"], ["modelOut0"], id="path"),
        pytest.param(
            ["function", "uint8", "bytes"],
            ["functionTensor", "uint8Tensor", "bytesTensor"],
            id="reserved",
        ),
        pytest.param(["1st"], ["t1st"], id="digit first"),
        pytest.param(["Zähler", "数"], ["zahler", "tensor"], id="beyond ASCII"),
        pytest.param(["", "\u202e*/"], ["tensor", "tensor2"], id="nothing left"),
        pytest.param(
            ["softmaxOutput", "isActive"], ["softmaxOutput", "isActiveTensor"], id="humps"
        ),
    ],
)
def test_names_become_identifiers(names: list[str], camel: list[str]) -> None:
    assert [identifier.camel for identifier in identifiers(names)] == camel


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.lists(st.text(max_size=60) | st.sampled_from(sorted(RESERVED)), max_size=30))
def test_identifiers_are_different_and_legal(names: list[str]) -> None:
    found = identifiers(names)
    for way in ("camel", "snake", "upper"):
        written = [str(getattr(identifier, way)) for identifier in found]
        assert len({text.lower().replace("_", "") for text in written}) == len(names)
        assert all(text.isascii() and text.isidentifier() for text in written)
        assert not RESERVED & set(written)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.text(max_size=80))
def test_any_file_name_gives_a_library_name(text: str) -> None:
    name = library_name(text)
    assert len(name) <= MAX_IDENTIFIER + len("Model")
    assert parse_library_name(name[:MAX_IDENTIFIER]) == name[:MAX_IDENTIFIER]


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.text(max_size=200))
def test_a_comment_stays_one_line_of_ascii(text: str) -> None:
    assert shown(text).isascii()
    assert shown(text).isprintable()
