"""Says in what an answer differs from the one that was expected."""

from typing import Any

from tests.json_schema import mismatch

SHOWN = 160
"""Characters of a value in a failure's line."""


class Judge:
    """Compares answers, with the schemas of an openrpc.json at hand."""

    def __init__(self, openrpc: Any) -> None:
        self._components = openrpc["components"]["schemas"]
        self._results = {
            method["name"]: method["result"]["schema"] for method in openrpc["methods"]
        }

    def reason(
        self, sent: Any, expected: Any, answer: Any, *, is_schema_enough: bool
    ) -> str | None:
        """Return how an answer falls short, or None."""
        if not is_schema_enough or "error" in expected:
            return difference(expected, answer, "")
        if "error" in answer:
            return f"error {answer['error']}"
        schema = self._results[sent["method"]]
        found = mismatch(answer["result"], schema, self._components)
        return None if found is None else found[: 3 * SHOWN]


def difference(expected: Any, answer: Any, place: str) -> str | None:
    """Return the first place where two JSON values differ, or None."""
    if isinstance(expected, dict) and isinstance(answer, dict):
        for key in sorted(expected.keys() | answer.keys()):
            if key not in answer:
                return f"{place}.{key} is missing, expected {shown(expected[key])}"
            if key not in expected:
                return f"{place}.{key} is {shown(answer[key])}, expected none"
            found = difference(expected[key], answer[key], f"{place}.{key}")
            if found is not None:
                return found
        return None
    if isinstance(expected, list) and isinstance(answer, list):
        if len(expected) != len(answer):
            return f"{place} has {len(answer)} items, expected {len(expected)}"
        for index, (one, other) in enumerate(zip(expected, answer, strict=True)):
            found = difference(one, other, f"{place}[{index}]")
            if found is not None:
                return found
        return None
    same = type(expected) is type(answer) and expected == answer
    return None if same else f"{place} is {shown(answer)}, expected {shown(expected)}"


def shown(value: Any) -> str:
    """Return a value, cut where it is long."""
    text = repr(value)
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}..."
