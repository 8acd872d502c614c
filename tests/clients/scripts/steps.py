"""What every client in Python shares: its settings, and how it tells which steps it has done."""

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CHAIN_ID = 31_337
BYSTANDER = "0x00000000000000000000000000000000000B0b00"


@dataclass(frozen=True, slots=True)
class Settings:
    """The node, the account, and the model with an image and the label that it must give."""

    url: str
    ws_url: str
    key: str
    model: str
    image: str
    label: int
    abi: list[dict[str, Any]]
    bytecode: str


def settings() -> Settings:
    """Return the settings that the matrix hands over in the environment."""
    artifact = json.loads(Path(os.environ["CVM_ARTIFACT"]).read_text())
    return Settings(
        os.environ["CVM_RPC"],
        os.environ["CVM_WS"],
        os.environ["CVM_KEY"],
        os.environ["CVM_MODEL"],
        Path(os.environ["CVM_IMAGE"]).read_text().strip(),
        int(os.environ["CVM_LABEL"]),
        artifact["abi"],
        artifact["bytecode"],
    )


class Unexpected(Exception):
    """A client gave something else than it must."""

    def __init__(self, what: str, found: object, wanted: object) -> None:
        super().__init__(f"{what}: found {found!r}, wanted {wanted!r}")


def expect(what: str, found: object, wanted: object = True) -> None:
    """Compare what a client gave; raises `Unexpected`."""
    if found != wanted:
        raise Unexpected(what, found, wanted)


def take_steps(*steps: Callable[[], None]) -> None:
    """Take each step, and say that it is done; its name is that of the function."""
    for step in steps:
        step()
        print(f"ok {step.__name__}", flush=True)


def label_of(output: str) -> int:
    """Return the model's first output: one int64, big-endian."""
    return int.from_bytes(bytes.fromhex(output[2:18]), "big", signed=True)
