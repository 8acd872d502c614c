"""The type of what a method answers with: anything that JSON can hold."""

from collections.abc import Mapping, Sequence
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
