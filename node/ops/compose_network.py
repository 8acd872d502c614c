"""Draws keys, genesis and settings of the network in compose.yaml.

`python -m node.ops.compose_network FOLDER`, once: a folder that has a network keeps it.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

from node.cli.config_file import dump_config
from node.cli.settings import Settings, Value
from node.local_network import (
    KEYSTORE,
    PASSWORD_FILE,
    NetworkPlan,
    load_places,
    make_network,
)
from node.network_process import NodePlace
from node.p2p.p2p_config import DEFAULT_PORT

VALIDATORS = 4
EVERYWHERE = "0.0.0.0"  # inside a container; compose.yaml says what the outside reaches
CONFIG_FILE = "cvm.toml"


def write_network(folder: Path) -> tuple[NodePlace, ...]:
    """Make the network in a folder, once, and write the settings of each of its nodes."""
    places = load_places(folder) or make_network(folder, NetworkPlan(VALIDATORS))
    for place in places:
        settings = Settings(settings_of(place, places))
        (place.datadir / CONFIG_FILE).write_text(dump_config(settings), encoding="utf-8")
    return places


def settings_of(place: NodePlace, places: Sequence[NodePlace]) -> dict[str, Value]:
    """Return what one validator is told; its name is that of its container."""
    peers = [
        f"enode://{other.node_id.hex()}@{other.name}:{DEFAULT_PORT}"
        for other in places
        if other is not place
    ]
    return {
        "datadir": str(place.datadir),
        "validator": str(place.datadir / KEYSTORE),
        "password": str(place.datadir / PASSWORD_FILE),
        "http.addr": EVERYWHERE,
        "http.vhosts": ("localhost", *(other.name for other in places)),
        "metrics.enabled": True,
        "metrics.addr": EVERYWHERE,
        "nodiscover": True,
        "peer": tuple(peers),
        "log.json": True,
    }


def main(arguments: Sequence[str]) -> int:
    """Write the network of a folder; return the exit status."""
    if len(arguments) != 1:
        sys.stderr.write("error: name one folder\n")
        return 2
    for place in write_network(Path(arguments[0])):
        sys.stdout.write(f"{place.datadir / CONFIG_FILE}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
