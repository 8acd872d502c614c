"""Reads a manifest: what a testnet consists of, what it carries, and what is done to it."""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum, unique
from pathlib import Path
from typing import Any

from tests.testnets.behaviours import BEHAVIOURS, FLIPPED_BIT


class BadManifest(Exception):
    """A manifest says something that is not understood."""


@unique
class Kind(StrEnum):
    """What is done to nodes: killed or stopped and started again, halted, or cut off."""

    KILL = "kill"
    RESTART = "restart"
    PAUSE = "pause"
    DISCONNECT = "disconnect"


@dataclass(frozen=True, slots=True)
class Perturbation:
    """What happens to some nodes, `after_s` the one before is over, for `for_s` seconds.

    `disconnect` cuts the nodes off together from the rest: two of four make a 2/2 partition.
    """

    kind: Kind
    nodes: tuple[str, ...]
    after_s: float
    for_s: float

    def __str__(self) -> str:
        """Return it in a few words."""
        return f"{self.kind} {', '.join(self.nodes)} for {self.for_s:g} s"


@dataclass(frozen=True, slots=True)
class LateJoiner:
    """A node that starts with no block when the network is at a height."""

    node: str
    at_height: int


@dataclass(frozen=True, slots=True)
class Load:
    """Transactions per second that go to one node that is well."""

    transfers_per_s: float = 0.0
    inferences_per_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Byzantine:
    """The node that breaks the rules, and how."""

    node: str
    behaviour: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """A testnet: it runs until all is done and the chain has `blocks` blocks."""

    name: str
    about: str
    validators: int
    full_nodes: int
    period_s: int
    blocks: int
    models: tuple[str, ...]
    load: Load
    late: tuple[LateJoiner, ...]
    byzantine: Byzantine | None
    perturbations: tuple[Perturbation, ...]

    @property
    def nodes(self) -> tuple[str, ...]:
        """Return the names of the nodes, as `make_network` gives them."""
        validators = [f"validator-{index}" for index in range(self.validators)]
        return (*validators, *(f"node-{index}" for index in range(self.full_nodes)))

    @property
    def liar(self) -> str | None:
        """Return the node whose word does not count; one with a wrong backend is honest."""
        if self.byzantine is None or self.byzantine.behaviour == FLIPPED_BIT:
            return None
        return self.byzantine.node


def load_manifest(path: Path) -> Manifest:
    """Read a TOML file; raises `BadManifest`, also for a key that has no meaning."""
    try:
        table = tomllib.loads(path.read_text())
        manifest = Manifest(
            name=path.stem,
            about=table.pop("about"),
            validators=table.pop("validators"),
            full_nodes=table.pop("full_nodes", 0),
            period_s=table.pop("period_s", 1),
            blocks=table.pop("blocks"),
            models=tuple(table.pop("models", ())),
            load=Load(**table.pop("load", {})),
            late=tuple(LateJoiner(**entry) for entry in table.pop("late", ())),
            byzantine=byzantine_of(table.pop("byzantine", None)),
            perturbations=tuple(map(perturbation_of, table.pop("perturbations", ()))),
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BadManifest(f"{path}: {error!r}") from error
    if table:
        raise BadManifest(f"{path}: nobody reads {', '.join(table)}")
    validate_nodes(manifest)
    return manifest


def byzantine_of(entry: Mapping[str, str] | None) -> Byzantine | None:
    """Read which node breaks the rules."""
    if entry is None:
        return None
    found = Byzantine(**entry)
    if found.behaviour not in BEHAVIOURS:
        raise BadManifest(f"behaviour {found.behaviour!r}: one of {', '.join(BEHAVIOURS)}")
    return found


def perturbation_of(entry: Mapping[str, Any]) -> Perturbation:
    """Read what is done to some nodes."""
    return Perturbation(
        kind=Kind(entry["kind"]),
        nodes=tuple(entry["nodes"]),
        after_s=float(entry.get("after_s", 2)),
        for_s=float(entry["for_s"]),
    )


def validate_nodes(manifest: Manifest) -> None:
    """Demand that every node that is named exists; raises `BadManifest`."""
    named: list[str] = [entry.node for entry in manifest.late]
    for perturbation in manifest.perturbations:
        named += perturbation.nodes
    if manifest.byzantine is not None:
        named.append(manifest.byzantine.node)
    unknown = sorted(set(named) - set(manifest.nodes))
    if unknown:
        raise BadManifest(f"{manifest.name}: there is no {', '.join(unknown)}")
    if manifest.load.inferences_per_s and not manifest.models:
        raise BadManifest(f"{manifest.name}: inference transactions need a model")


def manifests_in(folder: Path) -> Sequence[Path]:
    """Return the manifests of a folder by name."""
    return sorted(folder.glob("*.toml"))
