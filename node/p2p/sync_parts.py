"""What a download of blocks works with: narrow views of peers, chain and writer."""

from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Protocol

from consensus.block import Block
from consensus.certificate import CommitCertificate
from node.p2p.cvm_messages import Blocks
from node.quorum_disagrees import SealedChain
from node.sender_recovery import SenderRecovery


class SyncPeer(Protocol):
    """A peer as a download sees it."""

    @property
    def node_id(self) -> bytes:
        """Return its public key."""

    @property
    def height(self) -> int:
        """Return the highest block that it claims to have."""

    @property
    def earliest_height(self) -> int:
        """Return the lowest one."""

    async def blocks(self, start: int, count: int) -> Blocks:
        """Ask for blocks; raises `RequestTimedOut` or `PeerGone`."""

    def lacks_block(self, height: int) -> None:
        """Note that it could not give a block."""

    def penalise(self, points: int, reason: str) -> None:
        """Score it down."""


class Importer(Protocol):
    """Writes blocks on a thread of its own, one at a time."""

    async def import_block(
        self,
        block: Block,
        certificate: CommitCertificate,
        parent_certificate: CommitCertificate | None = None,
    ) -> object:
        """Check a block, execute it and append it; raises `InvalidBlock` or `LocalFault`."""


@dataclass(frozen=True, slots=True)
class SyncParts:
    """What a sync works with.

    `peers` tells who is there; `preparing` is a thread that decodes blocks; `obtain_model` waits
    until the bytes of a model that a block needs are here.
    """

    chain: SealedChain
    importer: Importer
    peers: Callable[[], Sequence[SyncPeer]]
    preparing: Executor
    recovery: SenderRecovery
    obtain_model: Callable[[bytes], Awaitable[None]]
