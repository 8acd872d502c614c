"""The `.io` files of execution-apis: requests, and the answers that they must get."""

import json
from dataclasses import dataclass
from typing import Any

REQUEST, RESPONSE = ">> ", "<< "
SPECONLY = "speconly"

Exchange = tuple[Any, Any]
"""A request and its expected answer, as JSON values."""


@dataclass(frozen=True, slots=True)
class IoFile:
    """One file; with `is_speconly` an answer need only keep the schema of its method."""

    name: str
    exchanges: tuple[Exchange, ...]
    is_speconly: bool


def parse_io(name: str, text: str) -> IoFile:
    """Parse a file; raises `ValueError` where requests and answers do not alternate."""
    comments: list[str] = []
    requests: list[Any] = []
    answers: list[Any] = []
    for line in text.splitlines():
        if line.startswith(REQUEST):
            requests.append(json.loads(line.removeprefix(REQUEST)))
        elif line.startswith(RESPONSE):
            answers.append(json.loads(line.removeprefix(RESPONSE)))
        else:
            comments.append(line)
        if len(requests) - len(answers) not in (0, 1):
            raise ValueError(f"{name}: requests and answers do not alternate")
    is_speconly = any(SPECONLY in comment for comment in comments)
    return IoFile(name, tuple(zip(requests, answers, strict=True)), is_speconly)
