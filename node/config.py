"""What a node is told to do: one frozen value, made by the command line."""

from dataclasses import dataclass, field
from pathlib import Path

from eth_keys.datatypes import PrivateKey

DEFAULT_DATADIR = Path.home() / ".cvm"
DEFAULT_HTTP_PORT = 8545


@dataclass(frozen=True, slots=True)
class NodeConfig:
    """Folders, addresses and duties of one node process.

    Without a `validator_key` the node only answers; `instant` and `idle_blocks` are explained
    in `block_producer`. With `prune_blocks` the tries keep the state of so many last blocks only.
    """

    datadir: Path
    http_host: str
    http_port: int
    backend: str
    validator_key: PrivateKey | None = field(repr=False)
    instant: bool
    idle_blocks: bool
    prune_blocks: int | None = None

    @property
    def chain_folder(self) -> Path:
        """Return where the database lies."""
        return self.datadir / "chain"

    @property
    def models_folder(self) -> Path:
        """Return where model chunks lie."""
        return self.datadir / "models"

    @property
    def keystore_folder(self) -> Path:
        """Return where keystore files lie."""
        return self.datadir / "keystore"
