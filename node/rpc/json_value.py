"""What a method answers with: anything that JSON can hold, and how it is written down."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

JsonValue: TypeAlias = (
    "bool | int | float | str | Sequence[JsonValue] | Mapping[str, JsonValue] | None"
)


@dataclass(frozen=True, slots=True)
class JsonText:
    """A result that is JSON already: written down where it was made, and sent as it is."""

    text: str


JsonResult: TypeAlias = "JsonValue | JsonText"
"""What a method returns."""

to_text: Callable[[JsonValue], str] = json.JSONEncoder(
    separators=(",", ":"), allow_nan=False
).encode
"""Return the JSON of a value, in its shortest form."""
