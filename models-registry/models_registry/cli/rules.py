"""What the node hands to the `cvm model` commands, which know no opcodes and run nothing."""

from collections.abc import Callable
from dataclasses import dataclass

from models_registry.cli.prepare import Runner
from models_registry.cli.report import GasQuote, ModelReport


@dataclass(frozen=True, slots=True)
class ModelRules:
    """What the node knows and this package may not.

    `inspect` raises `InvalidModel` for every file that validators would refuse, and
    `inspect_off_chain` only for one that the engine cannot run at any size; `check_royalty` raises
    it for a royalty that they would refuse; `price` is what one cold call with one item costs;
    `run` runs a file that `inspect` takes, for comparisons;
    `dev_key` is the dev chain's funded key, if there is one.
    """

    inspect: Callable[[bytes], ModelReport]
    inspect_off_chain: Callable[[bytes], ModelReport]
    check_royalty: Callable[[ModelReport, int], None]
    price: Callable[[ModelReport], GasQuote]
    run: Runner
    dev_key: bytes | None = None
