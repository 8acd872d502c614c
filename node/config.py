"""What a node is told to do: one frozen value, made by the command line."""

from dataclasses import dataclass, field
from pathlib import Path

from cvm.evm.private_key import PrivateKey
from node.checkpoint import Checkpoint
from node.dev_keys import DEV_ACCOUNT_COUNT
from node.p2p.p2p_config import P2pConfig
from node.pool.limits import DEFAULT_LIMITS, PoolLimits
from node.rpc.rpc_config import DEFAULT_RATE_LIMIT, HttpConfig, MetricsConfig, WebSocketConfig

DEFAULT_DATADIR = Path.home() / ".cvm"
DEFAULT_CACHE_BYTES = 1 << 30
DEFAULT_RPC_WORKERS = 1
NODE_KEY_FILE = "nodekey"
JOURNAL_FILE = "transactions.journal"


class NotTheOnlyValidator(Exception):
    """A development chain makes blocks alone, and this one has other validators."""

    def __init__(self, address: bytes, validators: tuple[bytes, ...]) -> None:
        listed = ", ".join(f"0x{validator.hex()}" for validator in validators)
        super().__init__(
            f"0x{address.hex()} cannot make instant blocks: the validators are {listed}; "
            "use `cvm node`"
        )


@dataclass(frozen=True, slots=True)
class NodeConfig:
    """Folders, addresses and duties of one node process.

    Without a `validator_key`, or a `signer_path` where a signer listens that has it, the node
    follows and does not vote; an `instant` chain has one validator and makes a block as soon as a
    transaction waits, and with `idle_blocks` one every second without; with `block_time_s` it makes
    one every so many seconds, and none in between; its node signs for so many `dev_accounts`. With
    `prune_blocks` the tries keep the state of so many last blocks only. Without `p2p` it talks to
    no other node; where it `discovers` them, `bootnodes` (enode URLs or ENRs) are asked first.
    Where it `fetches_state`, an empty chain starts from a recent block of its peers, proven from
    the trusted `checkpoint` (or genesis), and not from genesis. `http`, `websocket`, `ipc_path` and
    `metrics` are what it listens on for users; None leaves one out. `cache_bytes` bounds the models
    that are kept ready to run, in the node and in each of the `rpc_workers` processes that execute
    for JSON-RPC. An address other than this machine's may ask `rpc_rate_limit` times a second, or
    as often as it likes where that is 0.
    """

    datadir: Path
    http: HttpConfig | None
    backend: str
    validator_key: PrivateKey | None = field(repr=False)
    instant: bool
    idle_blocks: bool
    block_time_s: int | None = None
    dev_accounts: int = DEV_ACCOUNT_COUNT
    prune_blocks: int | None = None
    p2p: P2pConfig | None = None
    bootnodes: tuple[str, ...] = ()
    discovers: bool = False
    fetches_state: bool = False
    checkpoint: Checkpoint | None = None
    websocket: WebSocketConfig | None = None
    ipc_path: Path | None = None
    metrics: MetricsConfig | None = None
    cache_bytes: int = DEFAULT_CACHE_BYTES
    rpc_workers: int = DEFAULT_RPC_WORKERS
    rpc_rate_limit: int = DEFAULT_RATE_LIMIT
    signer_path: Path | None = None
    pool_limits: PoolLimits = DEFAULT_LIMITS

    @property
    def is_dev(self) -> bool:
        """Tell whether this node runs a development chain, which it makes all blocks of."""
        return self.instant and self.validator_key is not None and self.p2p is None

    @property
    def chain_folder(self) -> Path:
        """Return where the database lies."""
        return self.datadir / "chain"

    @property
    def votes_folder(self) -> Path:
        """Return where the votes that were signed lie."""
        return self.datadir / "votes"

    @property
    def journal_file(self) -> Path:
        """Return where transactions that callers of this node sent lie for a restart."""
        return self.datadir / JOURNAL_FILE

    @property
    def evidence_folder(self) -> Path:
        """Return where proofs of double votes lie."""
        return self.datadir / "evidence"

    @property
    def node_key_file(self) -> Path:
        """Return the key by which other nodes know this one."""
        return self.datadir / NODE_KEY_FILE

    @property
    def models_folder(self) -> Path:
        """Return where model chunks lie."""
        return self.datadir / "models"

    @property
    def keystore_folder(self) -> Path:
        """Return where keystore files lie."""
        return self.datadir / "keystore"
