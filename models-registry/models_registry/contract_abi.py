"""A compiled contract as Python calls it: calldata, results, events and errors by their names."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from eth_abi.abi import decode, encode

from models_registry.artifact import load_artifact
from models_registry.selectors import selector, topic

AbiEntry = dict[str, Any]


class NotInAbi(LookupError):
    """A contract has no function, event or error of that name."""

    def __init__(self, contract: str, kind: str, name: str) -> None:
        super().__init__(f"{contract} has no {kind} {name}")
        self.name = name


@dataclass(frozen=True, slots=True)
class ContractAbi:
    """What the artifact of a contract says of its interface; overloaded names are not for it."""

    name: str

    def creation(self, *arguments: object) -> bytes:
        """Return the code that creates the contract with arguments of its constructor."""
        artifact = load_artifact(self.name)
        entries = [each for each in artifact.abi if each["type"] == "constructor"]
        types = type_names(entries[0]["inputs"]) if entries else []
        return artifact.bytecode + encode(types, arguments)

    def calldata(self, function: str, *arguments: object) -> bytes:
        """Return the calldata of a call."""
        types = type_names(self._entry(function, "function")["inputs"])
        return selector(f"{function}({','.join(types)})") + encode(types, arguments)

    def result(self, function: str, output: bytes) -> Any:
        """Decode what a function returned; a single value stands alone."""
        values = decode(type_names(self._entry(function, "function")["outputs"]), output)
        return values[0] if len(values) == 1 else values

    def event_topic(self, event: str) -> bytes:
        """Return the first topic of an event."""
        return topic(self._signature(event, "event"))

    def event(self, event: str, topics: Sequence[bytes], data: bytes) -> tuple[Any, ...]:
        """Decode an event's arguments, in their order."""
        inputs = self._entry(event, "event")["inputs"]
        indexed = iter(topics[1:])
        plain = iter(decode(type_names(each for each in inputs if not each["indexed"]), data))
        return tuple(
            decode([type_name(each)], next(indexed))[0] if each["indexed"] else next(plain)
            for each in inputs
        )

    def error(self, error: str, *arguments: object) -> bytes:
        """Return the data that an error reverts with."""
        types = type_names(self._entry(error, "error")["inputs"])
        return selector(self._signature(error, "error")) + encode(types, arguments)

    def error_name(self, data: bytes) -> str | None:
        """Return which of the contract's errors a call reverted with, None where it is none."""
        for entry in load_artifact(self.name).abi:
            if entry["type"] == "error":
                name = str(entry["name"])
                if data[:4] == selector(self._signature(name, "error")):
                    return name
        return None

    def _signature(self, name: str, kind: str) -> str:
        return f"{name}({','.join(type_names(self._entry(name, kind)['inputs']))})"

    def _entry(self, name: str, kind: str) -> AbiEntry:
        for entry in load_artifact(self.name).abi:
            if entry["type"] == kind and entry["name"] == name:
                return entry
        raise NotInAbi(self.name, kind, name)


def type_names(entries: Any) -> list[str]:
    """Return the canonical types of the inputs or outputs of an ABI entry."""
    return [type_name(entry) for entry in entries]


def type_name(entry: AbiEntry) -> str:
    """Return the canonical type of one value, a struct as the tuple of its fields."""
    kind = str(entry["type"])
    if not kind.startswith("tuple"):
        return kind
    return f"({','.join(type_names(entry['components']))}){kind.removeprefix('tuple')}"
