"""What a node tells of itself, as a test sets it: facts, peers and test keys."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from node.p2p.faults import BadEnode
from node.rpc.node_facts import (
    BackendFact,
    BadBlock,
    ForkPlan,
    ForkSettings,
    NodeSelf,
    PeerFact,
    Retention,
    SelfFact,
)
from node.rpc.wallet import Wallet
from tests.unit.node.rpc.fake_chain import ALICE_KEY, CHAIN_ID, COINBASE, make_block

FORK = ForkSettings(
    activation_time=0,
    chain_id=CHAIN_ID,
    fork_id=bytes.fromhex("0badf00d"),
    blob_base_fee_fraction=5_007_716,
    max_blobs=9,
    target_blobs=6,
    precompiles={"SHA256": b"\x02".rjust(20, b"\0"), "ECREC": b"\x01".rjust(20, b"\0")},
    system_contracts={"HISTORY_STORAGE_ADDRESS": b"\x35" * 20},
)
PEER = PeerFact(b"\x44" * 64, "cvm/v9", (("cvm", 1), ("eth", 69)), "10.1.2.3", 30303, True, False)


@dataclass
class FakeFacts:
    """A validator that keeps the states of 128 blocks."""

    address: bytes | None = COINBASE
    held: Retention = field(default_factory=lambda: Retention(1, 3, 128))

    def fork_plan(self) -> ForkPlan | None:
        return ForkPlan(FORK)

    def retention(self) -> Retention:
        return self.held

    def coinbase(self) -> bytes | None:
        return self.address

    def bad_blocks(self) -> Sequence[BadBlock]:
        return [BadBlock(make_block(None), b"\xc0")]

    def backends(self) -> Sequence[BackendFact]:
        return [BackendFact("reference", True, False), BackendFact("cpu", False, True)]


@dataclass
class FakeAdmin:
    """A node with one peer; what it is told to add and remove is kept."""

    added: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)

    def self_fact(self) -> SelfFact:
        host, port = "10.0.0.9", 30303
        enode = f"enode://{'55' * 64}@{host}:{port}"
        ours, genesis, head = b"\x55" * 64, b"\x01" * 32, b"\x02" * 32
        return SelfFact("cvm/v1", CHAIN_ID, genesis, head, ours, enode, host, port)

    def peers(self) -> Sequence[PeerFact]:
        return [PEER]

    def add_peer(self, enode: str) -> None:
        if not enode.startswith("enode://"):
            raise BadEnode(f"{enode!r} does not start with enode://")
        self.added.append(enode)

    def remove_peer(self, enode: str) -> None:
        self.removed.append(enode)

    def datadir(self) -> Path:
        return Path("/var/lib/cvm")


def fake_self() -> NodeSelf:
    """Return a node that tells everything and signs for Alice."""
    return NodeSelf(FakeFacts(), FakeAdmin(), Wallet([ALICE_KEY]))
