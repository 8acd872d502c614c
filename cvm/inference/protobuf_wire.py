"""Reads protobuf bytes strictly: known fields only, each in the one form a serialiser writes.

A message is declared as a frozen dataclass whose fields carry `Annotated[..., Field(...)]`.
Accepted bytes are canonical, which a library's parser does not ensure: field numbers ascend,
a singular field stands once, varints are as short as they can be, text is UTF-8 and nothing is
unknown. So no two files with different bytes mean the same by chance, and the verdict does not
depend on a protobuf version. Encoding: protobuf.dev/programming-guides/encoding.
"""

from dataclasses import dataclass, fields
from enum import Enum
from functools import cache
from typing import Any, TypeVar, get_type_hints

import numpy as np

from cvm.inference.faults import InvalidModel
from cvm.inference.limits import MAX_FIELDS, MAX_RUN_NUMBERS, TEXT_WEIGHT
from cvm.inference.repeated_runs import float_run, integer_run, text_run

M = TypeVar("M")

_VARINT, _LENGTH_DELIMITED, _FIXED32 = 0, 2, 5
_MAX_VARINT_BYTES = 10

RUN_START = 16
"""Elements of a listed field that are read one by one before the rest is read as a run."""


class Kind(Enum):
    """How a field's value is read; the value is the wire type that it must have."""

    INTEGER = ("integer", _VARINT)
    FLOAT = ("float", _FIXED32)
    TEXT = ("text", _LENGTH_DELIMITED)
    OCTETS = ("octets", _LENGTH_DELIMITED)
    PACKED = ("packed", _LENGTH_DELIMITED)
    MESSAGE = ("message", _LENGTH_DELIMITED)
    REFUSED = ("refused", -1)

    @property
    def wire_type(self) -> int:
        """Return the wire type of the field's tag."""
        return self.value[1]


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a message: number, kind, and for messages the class that it holds.

    `PACKED` keeps a repeated number's payload as it is; `REFUSED` names a field that the
    format has and this engine does not take. A repeated field that is `listed` may be long: its
    numbers become an array of one axis, its texts a tuple.
    """

    number: int
    kind: Kind
    repeated: bool = False
    message: type[Any] | None = None
    listed: bool = False


@dataclass(frozen=True, slots=True)
class _Rule:
    name: str
    field: Field


@cache
def _rules_of(message: type[Any]) -> dict[int, _Rule]:
    """Return the declared fields of a message class by number."""
    hints = get_type_hints(message, include_extras=True)
    rules = [_Rule(entry.name, hints[entry.name].__metadata__[0]) for entry in fields(message)]
    return {rule.field.number: rule for rule in rules}


def read_varint(data: memoryview, position: int, end: int) -> tuple[int, int]:
    """Return the unsigned varint at `position` and the position after it.

    Raises `InvalidModel` where it is cut off, over 64 bits, or longer than it need be.
    """
    if position < end and data[position] < 0x80:
        return data[position], position + 1
    value = 0
    for index in range(min(_MAX_VARINT_BYTES, end - position)):
        octet = data[position + index]
        value |= (octet & 0x7F) << (7 * index)
        if octet < 0x80:
            if value >> 64 or (octet == 0 and index > 0):
                raise InvalidModel("canonical bytes", f"varint at byte {position} is not minimal")
            return value, position + index + 1
    raise InvalidModel("whole file", f"varint at byte {position} is cut off or over 10 bytes")


def signed(value: int) -> int:
    """Return a 64-bit varint as the signed integer that it stands for."""
    return value - 2**64 if value >= 2**63 else value


class MessageReader:
    """Reads one file; it counts fields, so that small bytes cannot make large memory.

    The elements of a listed field count as fields up to `RUN_START`; those that follow are read
    as a run, which counts as `RUN_START` fields and by its numbers.
    """

    def __init__(self, data: bytes) -> None:
        self._data = memoryview(data)
        self._fields_left = MAX_FIELDS
        self._run_numbers_left = MAX_RUN_NUMBERS

    def read(self, message: type[M]) -> M:
        """Return the whole file as one message, or raise `InvalidModel`."""
        return self._message(message, 0, len(self._data))

    def _message(self, message: type[M], position: int, end: int) -> M:
        rules = _rules_of(message)  # type: ignore[arg-type]  # mypy: type[M] is not Hashable
        single: dict[str, object] = {}
        repeated: dict[str, list[object]] = {}
        last_number = 0
        while position < end:
            start = position
            tag, position = read_varint(self._data, position, end)
            rule = self._rule(rules, tag, message, start)
            number = rule.field.number
            if number < last_number or (number == last_number and not rule.field.repeated):
                order = f"field {rule.name} at byte {start} is repeated or out of order"
                raise InvalidModel("canonical bytes", order)
            last_number = number
            value, position = self._value(rule, position, end)
            if not rule.field.repeated:
                single[rule.name] = value
                continue
            values = repeated.setdefault(rule.name, [])
            values.append(value)
            if rule.field.listed and len(values) == RUN_START:
                position = self._read_run(rule, tag, values, position, end)
        for rule in rules.values():
            if rule.name in repeated:
                single[rule.name] = _joined(rule, repeated[rule.name])
        return message(**single)

    def _read_run(
        self, rule: _Rule, tag: int, values: list[object], position: int, end: int
    ) -> int:
        """Append what follows of a listed field, and return the position after it."""
        self._count_fields(RUN_START)
        left = self._run_numbers_left
        if rule.field.kind is Kind.TEXT:
            texts, position = text_run(self._data, position, end, tag, left // TEXT_WEIGHT)
            values.extend(texts)
            self._run_numbers_left -= len(texts) * TEXT_WEIGHT
        else:
            if rule.field.kind is Kind.FLOAT:
                run, position = float_run(self._data, position, end, tag)
            else:
                run, position = integer_run(self._data, position, end, tag, left)
            values.append(run)
            self._run_numbers_left -= run.size
        if self._run_numbers_left < 0:
            raise InvalidModel("list length", f"more than {MAX_RUN_NUMBERS} listed numbers")
        return position

    def _count_fields(self, count: int) -> None:
        """Bound the fields of a file."""
        self._fields_left -= count
        if self._fields_left < 0:
            raise InvalidModel("field count", f"more than {MAX_FIELDS} protobuf fields")

    def _rule(self, rules: dict[int, _Rule], tag: int, message: type[Any], start: int) -> _Rule:
        """Return the rule of a tag, after the checks that need no value."""
        self._count_fields(1)
        rule = rules.get(tag >> 3)
        where = f"in {message.__name__} at byte {start}"
        if rule is None:
            raise InvalidModel("unknown field", f"field number {tag >> 3} {where}")
        if rule.field.kind is Kind.REFUSED:
            raise InvalidModel("refused field", f"{rule.name} {where} is not part of engine 1")
        if tag & 7 != rule.field.kind.wire_type:
            raise InvalidModel("canonical bytes", f"{rule.name} {where} has wire type {tag & 7}")
        return rule

    def _value(self, rule: _Rule, position: int, end: int) -> tuple[object, int]:
        """Return a field's value and the position after it."""
        kind = rule.field.kind
        if kind is Kind.INTEGER:
            unsigned, position = read_varint(self._data, position, end)
            return signed(unsigned), position
        if kind is Kind.FLOAT:
            size = 4
        else:
            size, position = read_varint(self._data, position, end)
        after = position + size
        if after > end:
            cut = f"{rule.name} takes {size} bytes at byte {position}, {end - position} are left"
            raise InvalidModel("whole file", cut)
        return self._sized_value(rule, position, after), after

    def _sized_value(self, rule: _Rule, start: int, end: int) -> object:
        """Return a value whose bytes lie between two positions."""
        payload = self._data[start:end]
        match rule.field.kind:
            case Kind.FLOAT:
                return np.frombuffer(payload, dtype="<f4")[0]
            case Kind.TEXT:
                return _text(payload, rule.name, start)
            case Kind.MESSAGE if rule.field.message is not None:
                return self._message(rule.field.message, start, end)
            case Kind.PACKED if start == end:
                raise InvalidModel("canonical bytes", f"{rule.name} at byte {start} is empty")
        return payload


def _joined(rule: _Rule, values: list[object]) -> object:
    """Return the elements of a repeated field: a tuple, or an array for listed numbers."""
    if not rule.field.listed or rule.field.kind is Kind.TEXT:
        return tuple(values)
    dtype = np.float32 if rule.field.kind is Kind.FLOAT else np.int64
    array = np.concatenate([np.atleast_1d(np.array(value, dtype)) for value in values])
    array.flags.writeable = False
    return array


def _text(payload: memoryview, name: str, start: int) -> str:
    """Return UTF-8 text."""
    try:
        return str(payload, "utf-8")
    except UnicodeDecodeError as error:
        raise InvalidModel("canonical bytes", f"{name} at byte {start} is not UTF-8") from error
