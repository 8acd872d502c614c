"""What a node can tell of itself and of its network: narrow protocols beside `ChainView`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from node.rpc.chain_view import BlockView
from node.rpc.dev_view import DevView
from node.rpc.wallet import Wallet


@dataclass(frozen=True, slots=True)
class ForkSettings:
    """One configuration of a chain's rules (EIP-7910); `activation_time` 0 is genesis."""

    activation_time: int
    chain_id: int
    fork_id: bytes
    blob_base_fee_fraction: int
    max_blobs: int
    target_blobs: int
    precompiles: Mapping[str, bytes]
    system_contracts: Mapping[str, bytes]


@dataclass(frozen=True, slots=True)
class ForkPlan:
    """The configuration that holds, the next one and the last one that are planned."""

    current: ForkSettings
    next: ForkSettings | None = None
    last: ForkSettings | None = None


@dataclass(frozen=True, slots=True)
class Retention:
    """From which block on a node has blocks, and states; `state_window` blocks keep theirs."""

    oldest_block: int = 0
    oldest_state: int = 0
    state_window: int | None = None


@dataclass(frozen=True, slots=True)
class BadBlock:
    """A block that came from the network and broke a rule."""

    block: BlockView
    rlp: bytes


@dataclass(frozen=True, slots=True)
class BackendFact:
    """A way to run inferences, and what it is to this node."""

    name: str
    is_active: bool
    is_quarantined: bool


class NodeFacts(Protocol):
    """What a node knows of its own set-up."""

    def fork_plan(self) -> ForkPlan | None:
        """Return the chain's configurations, None where they cannot be told."""

    def retention(self) -> Retention:
        """Return how far back this node answers."""

    def coinbase(self) -> bytes | None:
        """Return the address that this node proposes blocks with, None where it does not."""

    def bad_blocks(self) -> Sequence[BadBlock]:
        """Return the last blocks that were refused, oldest first."""

    def backends(self) -> Sequence[BackendFact]:
        """Return the backends that this program has."""


@dataclass(frozen=True, slots=True)
class PeerFact:
    """A node that this one has a session with; `client` is what it calls itself."""

    node_id: bytes
    client: str
    capabilities: tuple[tuple[str, int], ...]
    host: str
    port: int
    is_inbound: bool
    is_static: bool


@dataclass(frozen=True, slots=True)
class SelfFact:
    """What this node is to others; None of `enode` where it talks to nobody."""

    client: str
    network_id: int
    genesis_hash: bytes
    head_hash: bytes
    node_id: bytes = b""
    enode: str | None = None
    host: str = ""
    port: int = 0


class AdminView(Protocol):
    """What the admin_ methods read and change: sessions with other nodes, and where files lie."""

    def self_fact(self) -> SelfFact:
        """Return what this node is to others."""

    def peers(self) -> Sequence[PeerFact]:
        """Return the nodes with which a session is open."""

    def add_peer(self, enode: str) -> None:
        """Keep a session with a node from now on; raises `BadEnode`, `NoNetwork`."""

    def remove_peer(self, enode: str) -> None:
        """End a session and keep none any more; raises `BadEnode`, `NoNetwork`."""

    def datadir(self) -> Path:
        """Return the data directory."""


class NoNetwork(Exception):
    """This node talks to no others."""

    def __init__(self) -> None:
        super().__init__("this node runs without peers")


@dataclass(frozen=True, slots=True)
class NodeSelf:
    """Everything beside the chain that methods may ask; what is None is not available here."""

    facts: NodeFacts | None = None
    admin: AdminView | None = None
    wallet: Wallet = field(default_factory=Wallet)
    dev: DevView | None = None
