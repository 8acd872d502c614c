"""What two nodes tell each other first: which chain they follow, and how far (Status).

eth/68 gives a head with the total difficulty up to it, eth/69 the range of blocks (EIP-7642).
"""

from dataclasses import dataclass
from typing import ClassVar

from node.p2p.eth_fork_id import ForkId
from node.p2p.eth_limits import MAX_SMALL_MESSAGE_BYTES
from node.p2p.eth_wire import HASH, ForkIdField
from node.p2p.wire_fields import Number, WireMessage

TOTAL_DIFFICULTY_BYTES = 32
RANGE = (("earliest", Number()), ("latest", Number()), ("latest_hash", HASH))


@dataclass(frozen=True, slots=True)
class Status68(WireMessage):
    """The head and its total difficulty, and which chain it belongs to."""

    CODE: ClassVar[int] = 0x00
    MAX_LENGTH: ClassVar[int] = MAX_SMALL_MESSAGE_BYTES
    FIELDS: ClassVar = (
        ("version", Number(1)),
        ("network_id", Number()),
        ("total_difficulty", Number(TOTAL_DIFFICULTY_BYTES)),
        ("head_hash", HASH),
        ("genesis_hash", HASH),
        ("fork_id", ForkIdField()),
    )
    version: int
    network_id: int
    total_difficulty: int
    head_hash: bytes
    genesis_hash: bytes
    fork_id: ForkId


@dataclass(frozen=True, slots=True)
class Status69(WireMessage):
    """The blocks that a node can give, and which chain they belong to (EIP-7642)."""

    CODE: ClassVar[int] = 0x00
    MAX_LENGTH: ClassVar[int] = MAX_SMALL_MESSAGE_BYTES
    FIELDS: ClassVar = (
        ("version", Number(1)),
        ("network_id", Number()),
        ("genesis_hash", HASH),
        ("fork_id", ForkIdField()),
        *RANGE,
    )
    version: int
    network_id: int
    genesis_hash: bytes
    fork_id: ForkId
    earliest: int
    latest: int
    latest_hash: bytes


@dataclass(frozen=True, slots=True)
class BlockRangeUpdate(WireMessage):
    """The blocks that a node can give, as they are by now (EIP-7642)."""

    CODE: ClassVar[int] = 0x11
    MAX_LENGTH: ClassVar[int] = MAX_SMALL_MESSAGE_BYTES
    FIELDS: ClassVar = RANGE
    earliest: int
    latest: int
    latest_hash: bytes
