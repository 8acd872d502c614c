"""What node and worker processes send each other: pickles behind their length.

Both ends are this program on this machine. A fault crosses as its class, arguments and fields,
because most of ours take other arguments than those that they print.
"""

import pickle
from dataclasses import dataclass
from typing import Any

LENGTH_BYTES = 4
READY = b"\x00\x00\x00\x00"
"""Sent by a worker that can execute: the length of nothing."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a job gave, and how many seconds it cost."""

    value: object
    seconds: float


@dataclass(frozen=True, slots=True)
class Raised:
    """What a job raised, and how many seconds it cost."""

    kind: type[BaseException]
    arguments: tuple[object, ...]
    fields: dict[str, Any]  # whatever the fault's class keeps
    seconds: float

    def fault(self) -> BaseException:
        """Return the fault as it was, without its traceback."""
        fault = self.kind.__new__(self.kind)
        fault.args = self.arguments
        fault.__dict__.update(self.fields)
        return fault


def raised(fault: BaseException, seconds: float) -> Raised:
    """Return what crosses of a fault."""
    return Raised(type(fault), fault.args, dict(fault.__dict__), seconds)


def framed(message: object) -> bytes:
    """Return a message behind its length."""
    data = pickle.dumps(message, protocol=pickle.HIGHEST_PROTOCOL)
    return len(data).to_bytes(LENGTH_BYTES, "big") + data


def unframed(data: bytes) -> Any:  # a job, an `Answer` or a `Raised`
    """Return the message that follows a length."""
    return pickle.loads(data)
