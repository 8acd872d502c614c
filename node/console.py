"""What a console shows of a node: its methods by namespace, as Python objects."""

import json
from collections.abc import Callable
from typing import TypeAlias

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"
Call: TypeAlias = Callable[..., Json]
"""Calls a method by its name with parameters, and returns its result."""


class Method:
    """One method: called as a function, or shown with its result as geth's properties are."""

    def __init__(self, call: Call, name: str) -> None:
        self._call = call
        self._name = name

    def __call__(self, *params: Json) -> Json:
        """Return the result."""
        return self._call(self._name, *params)

    def __repr__(self) -> str:
        return shown(self._call(self._name))


class Namespace:
    """The methods that begin with one word: `eth.blockNumber` is eth_blockNumber."""

    def __init__(self, call: Call, name: str, methods: tuple[str, ...] = ()) -> None:
        self._call = call
        self._name = name
        self._methods = methods

    def __getattr__(self, name: str) -> Method:
        if name.startswith("_"):
            raise AttributeError(name)
        return Method(self._call, f"{self._name}_{name}")

    def __dir__(self) -> list[str]:
        return sorted(self._methods)

    def __repr__(self) -> str:
        return f"{self._name}: {' '.join(self._methods) or 'any method by its name'}"


def shown(value: object) -> str:
    """Return a value as the console prints it: texts as they are, the rest as JSON."""
    if isinstance(value, Method | Namespace):
        return repr(value)
    if isinstance(value, str):
        return value
    try:
        return json.dumps(value, indent=2)
    except (TypeError, ValueError):
        return repr(value)


def names_of(call: Call, modules: dict[str, tuple[str, ...]]) -> dict[str, object]:
    """Return what a console's user finds there: a name for each namespace, and `rpc`."""
    found: dict[str, object] = {
        name: Namespace(call, name, methods) for name, methods in modules.items()
    }
    return found | {"rpc": call}
