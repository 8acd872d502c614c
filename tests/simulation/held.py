"""Counts what a state holds, so that a run shows that nobody can make it grow."""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass


def held_bytes(value: object) -> int:
    """Return the bytes of all byte strings in a state, and 8 for every other leaf."""
    if isinstance(value, bytes):
        return len(value)
    if isinstance(value, Mapping):
        return sum(held_bytes(key) + held_bytes(item) for key, item in value.items())
    if isinstance(value, tuple | list | frozenset | set):
        return sum(held_bytes(item) for item in value)
    if is_dataclass(value):
        return sum(held_bytes(getattr(value, field.name)) for field in fields(value))
    return 8
