"""Documents tell the truth: names and paths exist, numbers are the code's, commands are real."""

import re
import shlex
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import typer

from node.cli.app import build_app
from tests.documents import (
    ROOT,
    code_blocks,
    code_spans,
    markdown_files,
    output_pattern,
    section,
    shown_commands,
    table_rows,
    without_code,
)

PACKAGES = ("cvm", "opcodes", "consensus", "node", "models_registry", "tests")
SUFFIXES = (".py", ".md", ".sol", ".json", ".onnx", ".npy", ".toml")
DOTTED = re.compile(r"[a-z_]\w*(\.\w+)+")
PLACEHOLDER = re.compile(r"[A-Z]+$")


def text_of(path: str) -> str:
    return (ROOT / path).read_text(encoding="utf-8")


def shown(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


# Names and paths


def resolved(name: str) -> bool:
    """Tell whether a dotted name can be imported and reached."""
    parts = name.split(".")
    for length in range(len(parts), 0, -1):
        try:
            found: Any = import_module(".".join(parts[:length]))
        except ModuleNotFoundError:
            continue
        for attribute in parts[length:]:
            if not hasattr(found, attribute):
                return False
            found = getattr(found, attribute)
        return True
    return False


def missing_names(text: str, folder: str = "") -> list[str]:
    """Return the code spans that name a path or a dotted name which does not exist.

    A path is one from `folder` or from the root.
    """
    missing = []
    for span in code_spans(text):
        if " " in span or ":" in span or "<" in span:
            continue
        if "/" in span.strip("/") or span.endswith((*SUFFIXES, "/")):
            if not any((base / span).exists() for base in (ROOT / folder, ROOT)):
                missing.append(span)
        elif DOTTED.fullmatch(span) and span.split(".")[0] in PACKAGES and not resolved(span):
            missing.append(span)
    return missing


def map_sections(text: str) -> Iterator[tuple[str, str]]:
    """Yield folder and text of each section of the map."""
    parts = re.split(r"^### `(.+)/`$", section(text, "Map"), flags=re.MULTILINE)[1:]
    yield from zip(parts[::2], parts[1::2], strict=True)


def test_every_name_in_the_walk_exists() -> None:
    walk = text_of("ARCHITECTURE.md").split("\n## Map\n")[0]
    assert missing_names(walk) == []
    assert len([span for span in code_spans(walk) if DOTTED.fullmatch(span)]) > 60


def test_every_path_in_the_map_exists() -> None:
    for folder, text in map_sections(text_of("ARCHITECTURE.md")):
        assert missing_names(text, folder) == [], folder


def test_no_line_of_the_map_stands_twice() -> None:
    for folder, text in map_sections(text_of("ARCHITECTURE.md")):
        named = [row[0] for row in table_rows(text)]
        assert len(set(named)) == len(named), folder


def test_every_module_has_a_line_in_the_map() -> None:
    folders = dict(map_sections(text_of("ARCHITECTURE.md")))
    named = {
        f"{folder}/{row[0].rstrip('/')}"
        for folder, text in folders.items()
        for row in table_rows(text)
    }
    whole = {path for path in named - folders.keys() if (ROOT / path).is_dir()}
    modules = {
        shown(path)
        for package in ("cvm", "opcodes", "consensus", "node", "models-registry", "bench")
        for path in (ROOT / package).rglob("*.py")
        if path.name != "__init__.py"
    }
    unnamed = [
        path
        for path in sorted(modules - named)
        if whole.isdisjoint(parent.as_posix() for parent in Path(path).parents)
    ]
    assert unnamed == [], "add a line to the map in ARCHITECTURE.md"


README_FOLDERS = ["cvm", "cvm/evm", "opcodes", "consensus", "node", "tests", "bench"]


@pytest.mark.parametrize("folder", README_FOLDERS)
def test_every_path_in_a_readme_exists(folder: str) -> None:
    assert missing_names(text_of(f"{folder}/README.md"), folder) == []


@pytest.mark.parametrize("path", markdown_files(), ids=shown)
def test_every_link_to_a_file_leads_somewhere(path: Path) -> None:
    targets = re.findall(r"\]\(([^)#]+)", without_code(path.read_text(encoding="utf-8")))
    local = [target for target in targets if "://" not in target]
    assert [target for target in local if not (path.parent / target).exists()] == []


@pytest.mark.parametrize("folder", ["cvm/evm", "consensus", "opcodes"])
def test_every_short_name_in_a_readme_exists(folder: str) -> None:
    """`transactions.validate_tip` in a package's README is short for the package's own module."""
    package = folder.replace("/", ".")
    names = [
        span
        for span in code_spans(text_of(f"{folder}/README.md"))
        if DOTTED.fullmatch(span) and not span.endswith(SUFFIXES) and not span.startswith("config.")
    ]
    missing = [name for name in names if not (resolved(f"{package}.{name}") or resolved(name))]
    assert missing == []
    assert names


MISSING = [
    pytest.param("`cvm.evm.execution.BlockExecution.aply`", id="attribute"),
    pytest.param("`cvm.evm.exekution.open_state`", id="module"),
    pytest.param("`opcodes/gaz.py`", id="path"),
    pytest.param("`no_such_folder/`", id="folder"),
]


@pytest.mark.parametrize("text", MISSING)
def test_a_name_that_does_not_exist_is_seen(text: str) -> None:
    assert missing_names(text) == [text.strip("`")]


# Commands


def command_lines(text: str) -> Iterator[str]:
    """Yield every `cvm ...` line of code blocks and every `cvm ...` in code spans."""
    for line in re.sub(r" *\\\n *", " ", text).splitlines():
        if line.startswith(("$ cvm ", "    cvm ")):
            yield line.removeprefix("$").strip().split("  ")[0].split(" # ")[0].split(" > ")[0]
    yield from (span for span in code_spans(text) if span.startswith("cvm "))


def unknown_words(line: str) -> list[str]:
    """Return the commands and options of a line that `cvm` does not have."""
    command: Any = typer.main.get_command(build_app(None))
    unknown = []
    for word in shlex.split(line)[1:]:
        known = getattr(command, "commands", None)
        if known is not None and not word.startswith("-"):
            found = [known.get(name) for name in word.split("|")]
            if None in found and not PLACEHOLDER.match(word):
                unknown.append(word)
            command = found[-1] if found[-1] is not None else command
        elif word.startswith("-") and word != "--help":
            options = {o for p in command.params for o in (*p.opts, *p.secondary_opts)}
            unknown += [] if word.split("=")[0] in options else [word]
    return unknown


@pytest.mark.parametrize("path", markdown_files(), ids=shown)
def test_every_command_and_option_in_a_document_exists(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert {line: unknown_words(line) for line in command_lines(text) if unknown_words(line)} == {}


@pytest.mark.parametrize(
    ("line", "unknown"),
    [
        pytest.param("cvm dance", ["dance"], id="command"),
        pytest.param("cvm model dance", ["dance"], id="command of a group"),
        pytest.param("cvm infer x.onnx --fast", ["--fast"], id="option"),
        pytest.param("cvm model list|dance", ["list|dance"], id="one of two commands"),
        pytest.param("cvm node --http.port 0 --validator k", [], id="known"),
    ],
)
def test_an_unknown_command_or_option_is_seen(line: str, unknown: list[str]) -> None:
    assert unknown_words(line) == unknown


def test_every_command_is_in_the_readme() -> None:
    shown_first = {line.split()[1] for line in command_lines(text_of("README.md"))}
    commands = vars(typer.main.get_command(build_app(None)))["commands"]
    assert set(commands) <= shown_first


def test_every_make_target_in_a_document_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", text_of("Makefile"), re.MULTILINE))
    named = {
        name
        for path in markdown_files()
        for name in re.findall(r"(?:^    |`)make ([a-z-]+)", path.read_text("utf-8"), re.MULTILINE)
    }
    assert {"demo", "test"} <= named <= targets


def test_demo_steps_are_those_of_the_command() -> None:
    (demo,) = code_blocks(section(text_of("README.md"), "Two commands"), "text")
    steps = re.findall(r"^\[(\d)/6\] (.+)$", demo, re.MULTILINE)
    source = text_of("node/cli/demo.py").replace(
        'f"register {MODEL_FILE}', '"register digits_int8.onnx'
    )
    assert [number for number, _text in steps] == list("123456")
    assert [text for _number, text in steps if text not in source] == []


# The reader itself


def test_shown_output_is_compared_line_by_line() -> None:
    (command,) = shown_commands("$ cvm version\ncvm 0.1.0\n…\nport http://127.0.0.1:8545 … ms\n")
    assert command.line == "cvm version"
    pattern = output_pattern(command.output)
    assert pattern.fullmatch("cvm 0.1.0\na\nb\nport http://127.0.0.1:99 7.5 ms\n")
    assert not pattern.fullmatch("cvm 0.1.1\nport http://127.0.0.1:99 7.5 ms\n")
    assert not pattern.fullmatch("cvm 0.1.0\nport http://127.0.0.1:99 7.5 ms\nmore\n")
