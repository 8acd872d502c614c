"""What the node hands to the `cvm model` commands, which know no opcodes and run nothing."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from models_registry.cli.prepare import Runner
from models_registry.cli.report import GasQuote, ModelReport


@dataclass(frozen=True, slots=True)
class NodeHash:
    """The SHA-256 of what one node of a graph made, over all items in order."""

    name: str
    op_type: str
    output_hash: bytes


@dataclass(frozen=True, slots=True)
class Rerun:
    """What one call gives on this machine, and what it is charged without royalty.

    `output` is the selector of the error where `ok` is False; `gas.load` is what a first touch
    costs. `nodes` are empty where nobody asked for them or the model did not run to its end.
    """

    ok: bool
    output: bytes
    gas: GasQuote
    nodes: tuple[NodeHash, ...]


class Rerunner(Protocol):
    """Runs a model file on a call's input, as a node does."""

    def __call__(self, data: bytes, call_input: bytes, backend: str, *, nodes: bool) -> Rerun:
        """Return what the call gives; raises `InvalidModel` or a `LocalFault`."""


@dataclass(frozen=True, slots=True)
class ModelRules:
    """What the node knows and this package may not.

    `inspect` raises `InvalidModel` for every file that validators would refuse, and
    `inspect_off_chain` only for one that the engine cannot run at any size; `check_royalty` raises
    it for a royalty that they would refuse; `price` is what one cold call with one item costs;
    `run` runs a file that `inspect` takes, for comparisons; `rerun` does what a node did in a call;
    `dev_key` is the dev chain's funded key, if there is one.
    """

    inspect: Callable[[bytes], ModelReport]
    inspect_off_chain: Callable[[bytes], ModelReport]
    check_royalty: Callable[[ModelReport, int], None]
    price: Callable[[ModelReport], GasQuote]
    run: Runner
    rerun: Rerunner
    dev_key: bytes | None = None
