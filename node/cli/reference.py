"""The reference of the commands: `python -m node.cli.reference` writes `docs/CLI.md` anew."""

import types
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, cast, get_args, get_origin

import typer
from typer.core import TyperArgument, TyperOption

from node.cli.app import build_app

FILE = Path(__file__).parents[2] / "docs" / "CLI.md"
HEAD = """# Command reference

Made from the code by `make reference`; do not edit. `cvm COMMAND --help` says the same. Settings of
`cvm node` may also stand in a TOML file, under the same names ([node](../node/README.md)).
"""


KINDS = {str: "TEXT", int: "INTEGER", float: "NUMBER", Path: "PATH"}

Command = Any
"""A command or a group of typer's, whose own classes are not public."""


def text() -> str:
    """Return the file's text."""
    root = typer.main.get_command(build_app(None))
    return "\n".join([HEAD, *_commands("cvm", root)]).rstrip() + "\n"


def _commands(path: str, group: Command) -> Iterator[str]:
    for name, command in sorted(_members(group).items()):
        whole = f"{path} {name}"
        if _members(command):
            yield f"## {whole}\n"
            yield f"{_prose(command)}\n"
            yield from _commands(whole, command)
        else:
            yield from _command(whole, command)


def _members(command: Command) -> Mapping[str, Command]:
    return cast(Mapping[str, Command], getattr(command, "commands", {}))


def _command(path: str, command: Command) -> Iterator[str]:
    parameters: list[TyperArgument | TyperOption] = command.params
    options = [each for each in parameters if isinstance(each, TyperOption)]
    arguments = [_argument(each) for each in parameters if isinstance(each, TyperArgument)]
    yield f"{'##' if path.count(' ') == 1 else '###'} {path}\n"
    yield "    " + " ".join([path, *arguments, *(["[OPTIONS]"] if options else [])]) + "\n"
    yield f"{_prose(command)}\n"
    if parameters:
        yield "| argument or option | what it is | if not given |"
        yield "| --- | --- | --- |"
        yield from map(_row, parameters)
        yield ""


def _prose(command: Command) -> str:
    parts = (command.help or "").split("\n\n")
    return "\n\n".join(" ".join(part.split()) for part in parts)


def _argument(argument: TyperArgument) -> str:
    name = (argument.name or "").upper().replace("_", "-")
    return name if argument.required else f"[{name}]"


def _row(parameter: TyperArgument | TyperOption) -> str:
    if isinstance(parameter, TyperArgument):
        shown = _argument(parameter)
    else:
        shown = ", ".join((*parameter.opts, *parameter.secondary_opts))
        if not parameter.is_flag:
            shown += f" {_kind(parameter.type_descriptor.annotation)}"
    words = (parameter.help or "").replace("|", "\\|")
    return f"| `{shown}` | {_anywhere(words)} | {_default(parameter)} |"


def _kind(annotation: object) -> str:
    """Return what a value is: `list[int]` and `int | None` are both `INTEGER`."""
    if get_origin(annotation) in (list, tuple, types.UnionType):
        annotation = get_args(annotation)[0]
    return KINDS[cast(type, annotation)]


def _default(parameter: TyperArgument | TyperOption) -> str:
    if parameter.required:
        return "*needed*"
    value: object = parameter.default
    if value is None or value is False:
        return ""
    if value is True:
        return "yes"
    many = isinstance(value, list | tuple)
    found = ",".join(map(str, cast(list[object], value))) if many else str(value)
    return f"`{_anywhere(found)}`" if found else ""


def _anywhere(words: str) -> str:
    return words.replace(str(Path.home()), "~")


if __name__ == "__main__":
    FILE.write_text(text(), encoding="utf-8")
