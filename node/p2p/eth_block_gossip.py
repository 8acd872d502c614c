"""The messages that proof of stake took out of eth: gossip of blocks, which is not read.

EIP-3675 ("Network", devp2p): a node MUST discard them and remove what handles them, and peers that
keep sending them SHOULD be disconnected. go-ethereum ends the session at the first one, with no ban
(eth/protocols/eth/handlers.go while it spoke eth/68: "block announcements disallowed", "block
broadcasts disallowed"). This node does the same: a client that is behind EIP-3675 is no attacker.
"""

from dataclasses import dataclass
from typing import ClassVar, Self

from cvm.evm.rlp_encoding import encode_list
from node.p2p.eth_limits import MAX_MESSAGE_BYTES


@dataclass(frozen=True, slots=True)
class BlockGossip:
    """A message whose content does not matter."""

    MAX_LENGTH: ClassVar[int] = MAX_MESSAGE_BYTES

    def encode(self) -> bytes:
        """Return the RLP of one without content."""
        return encode_list(b"")

    @classmethod
    def decode(cls, _data: bytes) -> Self:
        """Pass over a stranger's bytes."""
        return cls()


@dataclass(frozen=True, slots=True)
class NewBlockHashes(BlockGossip):
    """Hashes and heights of new blocks."""

    CODE: ClassVar[int] = 0x01


@dataclass(frozen=True, slots=True)
class NewBlock(BlockGossip):
    """A new block and its total difficulty."""

    CODE: ClassVar[int] = 0x07
