"""What the eth protocol asks of a chain: who it is, how far it goes, and its blocks."""

from dataclasses import dataclass
from typing import Protocol

from cvm.evm.header import BlockHeader
from cvm.evm.receipt import Receipt
from node.p2p.eth_fork_id import ForkId, ForkSchedule


class EthChainView(Protocol):
    """One chain of final blocks; reading it may take long and is done on other threads."""

    @property
    def identity(self) -> "EthIdentity":
        """Return what two nodes must share to talk."""

    @property
    def head(self) -> BlockHeader:
        """Return the newest header."""

    @property
    def earliest(self) -> int:
        """Return the lowest height whose block is here."""

    def total_difficulty(self) -> int:
        """Return the sum of the difficulties up to the head (eth/68 still wants it)."""

    def hash_at(self, number: int) -> bytes | None:
        """Return the hash of the block at a height, None where there is none."""

    def header(self, block_hash: bytes) -> BlockHeader | None:
        """Return a header by its hash, None where it is not here."""

    def block_bytes(self, block_hash: bytes) -> bytes | None:
        """Return a block's RLP by its hash, None where it is not here."""

    def receipts(self, block_hash: bytes) -> tuple[Receipt, ...]:
        """Return the receipts of a block that is here."""


@dataclass(frozen=True, slots=True)
class EthIdentity:
    """The network id, which is the chain id here, and genesis with the forks after it."""

    network_id: int
    forks: ForkSchedule

    @property
    def genesis_hash(self) -> bytes:
        """Return the hash of block 0."""
        return self.forks.genesis_hash

    def fork_id(self, head: BlockHeader) -> ForkId:
        """Return the fork identifier at a head."""
        return self.forks.at(head.block_number, head.timestamp)

    def fits(self, fork_id: ForkId, head: BlockHeader) -> bool:
        """Tell whether a peer with this identifier may be on our chain."""
        return self.forks.fits(fork_id, head.block_number, head.timestamp)
