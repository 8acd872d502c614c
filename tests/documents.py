"""Reads the repository's Markdown: code blocks, code spans, and the commands that they show."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SPAN = re.compile(r"`([^`\n]+)`")


@dataclass(frozen=True, slots=True)
class ShownCommand:
    """A command line of a console block, and the output that the document shows for it."""

    line: str
    output: str


def markdown_files() -> list[Path]:
    """Return every Markdown file of the repository."""
    folders = ("cvm", "opcodes", "consensus", "node", "models-registry", "tests", "bench", "docs")
    nested = (path for folder in folders for path in (ROOT / folder).rglob("*.md"))
    return sorted(
        [*ROOT.glob("*.md"), *(path for path in nested if "node_modules" not in str(path))]
    )


def section(text: str, heading: str) -> str:
    """Return what stands under a heading of level two, up to the next one."""
    _before, found, rest = text.partition(f"\n## {heading}\n")
    if not found:
        raise ValueError(f"no heading {heading!r}")
    return rest.split("\n## ", 1)[0]


def code_blocks(text: str, language: str) -> list[str]:
    """Return the fenced blocks of one language."""
    return [body for name, body in FENCE.findall(text) if name == language]


def indented_commands(text: str) -> list[str]:
    """Return the commands of `cvm` in indented blocks, those over several lines as one."""
    joined = re.sub(r" *\\\n +", " ", text)
    return re.findall(r"^    (cvm .+)$", joined, re.MULTILINE)


def code_spans(text: str) -> Iterator[str]:
    """Yield what stands between single backticks, outside fenced blocks."""
    yield from SPAN.findall(FENCE.sub("", text))


def without_code(text: str) -> str:
    """Return the text without its fenced blocks and code spans."""
    return SPAN.sub("", FENCE.sub("", text))


def table_rows(text: str) -> list[list[str]]:
    """Return the cells of every table row below a header, with a lone code mark removed."""
    rows: list[list[str]] = []
    for line in text.splitlines():
        if line.startswith("| ---"):
            rows.pop()
        elif line.startswith("| "):
            cells = re.split(r"(?<!\\)\|", line)[1:-1]
            rows.append([re.sub(r"^`([^`]+)`$", r"\1", cell.strip()) for cell in cells])
    return rows


def shown_commands(block: str) -> list[ShownCommand]:
    """Return the commands of a console block, each line after `$ ` with what follows it."""
    parts = re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]
    pairs = (part.partition("\n") for part in parts)
    return [ShownCommand(line, output) for line, _newline, output in pairs]


def output_pattern(shown: str) -> re.Pattern[str]:
    """Return the pattern of a shown output.

    A line that is only `…` stands for any lines, `…` within a line for any text; a local port may
    be another one.
    """
    pattern = ""
    for line in shown.splitlines():
        if line == "…":
            pattern += r"(?:[^\n]*\n)*?"
            continue
        text = re.escape(line).replace("…", "[^\n]*")
        pattern += re.sub(r"(127\\\.0\\\.0\\\.1:)\d+", r"\1\\d+", text) + "\n"
    return re.compile(pattern)
