"""The TOML file of `cvm node --config`: read with every mistake named, and written."""

import difflib
import json
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TypeGuard

from node.cli.faults import BadArgument
from node.cli.settings import BY_KEY, SETTINGS, Setting, Settings, Value, checked

KINDS = {str: "a text in quotes", int: "a whole number", bool: "true or false"}
LIST_KIND = "a list of texts"


def load_config(path: Path) -> dict[str, Value]:
    """Return what a file sets; raises `BadArgument` with the key that is wrong, or `OSError`."""
    try:
        document = tomllib.loads(path.read_bytes().decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadArgument(f"{path} is not TOML: {error}") from error
    return {key: parse_value(path, key, value) for key, value in flattened(document)}


def flattened(document: Mapping[str, object], prefix: str = "") -> Iterator[tuple[str, object]]:
    """Yield every value with its dotted key."""
    for name, value in document.items():
        if isinstance(value, dict) and value:
            yield from flattened(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def parse_value(path: Path, key: str, value: object) -> Value:
    """Check one value of a file; raises `BadArgument`."""
    setting = BY_KEY.get(key)
    if setting is None:
        switch = [name for name in BY_KEY if name == f"{key}.enabled"]
        close = switch or difflib.get_close_matches(key, BY_KEY, 1)
        hint = f"; did you mean {close[0]}?" if close else ""
        raise BadArgument(f"{path}: unknown key {key}{hint}")
    found = value_of_kind(setting, value)
    if found is None:
        want = KINDS.get(setting.kind, LIST_KIND)
        raise BadArgument(f"{path}: {key} = {json.dumps(value, default=str)}: want {want}")
    return checked(setting, found)


def value_of_kind(setting: Setting, value: object) -> Value:
    """Return a value where it has the setting's type, or None."""
    if setting.kind is tuple:
        return tuple(value) if is_texts(value) else None
    if isinstance(value, bool):
        return value if setting.kind is bool else None
    if isinstance(value, int):
        return value if setting.kind is int else None
    return value if isinstance(value, str) and setting.kind is str else None


def is_texts(value: object) -> TypeGuard[list[str]]:
    """Tell whether a value is a list of texts."""
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def dump_config(settings: Settings) -> str:
    """Return the file that sets what is set: `load_config` reads it back."""
    lines: list[str] = []
    for table in sorted({table_of(setting) for setting in SETTINGS}):
        lines += ["", f"[{table}]"] if table else []
        for setting in SETTINGS:
            if table_of(setting) == table:
                lines.append(line_of(setting, settings.value(setting.key)))
    return "\n".join(lines) + "\n"


def table_of(setting: Setting) -> str:
    """Return the table of the file in which a setting stands; "" is the top."""
    return setting.key.rpartition(".")[0]


def line_of(setting: Setting, value: Value) -> str:
    """Return a setting's line; one without a value is a comment."""
    name = setting.key.rpartition(".")[2]
    if value is None:
        return f"# {name} =   # {setting.help}"
    return f"{name} = {toml_value(value)}"


def toml_value(value: Value) -> str:
    """Return a value as TOML: its basic strings are JSON's, without surrogate pairs."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
