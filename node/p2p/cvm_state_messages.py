"""The messages of `cvm/1` about states: snapshot chunks, codes, proofs for light clients."""

from dataclasses import dataclass
from typing import ClassVar

from node.p2p.cvm_messages import HASH, MAX_ANSWER_BYTES, REQUEST_ID
from node.p2p.wire_fields import Bytes, Fixed, Group, Nibbles, Number, Several, WireMessage

MAX_CODES = 256
MAX_CODE_BYTES = 1 << 20
"""Above any code that a chain deploys (EIP-170); genesis may hold larger ones."""
MAX_SLOTS = 256
MAX_PROOF_NODES = 20_000
"""Of all slots of one answer."""
MAX_NODE_BYTES = 1 << 10
"""A branch with 16 hashes has 532 bytes; a leaf with an account has at most 150."""
MAX_LEAVES = 1 << 14
MAX_LEAF_KEY_BYTES = 32
MAX_LEAF_VALUE_BYTES = 150
"""An account has at most 112 bytes of RLP, a slot 33."""
KEY_NIBBLES = 64
NODES = Several(Bytes(MAX_NODE_BYTES), MAX_PROOF_NODES, smallest_bytes=2)


@dataclass(frozen=True, slots=True)
class GetStateChunk(WireMessage):
    """Ask for all leaves below a prefix of a trie of the state with a root.

    `account_hash` names the account whose storage it is, by the hash of its address; no bytes: the
    trie of accounts. Answered by `StateChunk`.
    """

    CODE: ClassVar[int] = 0x0D
    MAX_LENGTH: ClassVar[int] = 192
    FIELDS: ClassVar = (
        REQUEST_ID,
        ("state_root", HASH),
        ("account_hash", Fixed(32, is_optional=True)),
        ("prefix", Nibbles(KEY_NIBBLES)),
    )
    request_id: int
    state_root: bytes
    account_hash: bytes
    prefix: bytes


@dataclass(frozen=True, slots=True)
class StateChunk(WireMessage):
    """Leaves as (address or slot, value as in the trie), and the nodes that lead to them.

    `leaves` is None where there are too many: ask for the 16 longer prefixes. No leaves and no
    nodes: this state is not served here.
    """

    CODE: ClassVar[int] = 0x0E
    MAX_LENGTH: ClassVar[int] = 2 << 20
    FIELDS: ClassVar = (
        REQUEST_ID,
        ("nodes", Several(Bytes(MAX_NODE_BYTES), KEY_NIBBLES + 1, 2)),
        (
            "leaves",
            Several(
                Group(
                    (
                        ("key", Bytes(MAX_LEAF_KEY_BYTES)),
                        ("value", Bytes(MAX_LEAF_VALUE_BYTES)),
                    )
                ),
                MAX_LEAVES,
                smallest_bytes=3,
                is_optional=True,
            ),
        ),
    )
    request_id: int
    nodes: tuple[bytes, ...]
    leaves: tuple[tuple[bytes, bytes], ...] | None


@dataclass(frozen=True, slots=True)
class GetCodes(WireMessage):
    """Ask for codes by their keccak256; answered by `Codes`."""

    CODE: ClassVar[int] = 0x0F
    MAX_LENGTH: ClassVar[int] = 33 * MAX_CODES + 32
    FIELDS: ClassVar = (REQUEST_ID, ("code_hashes", Several(HASH, MAX_CODES, 33)))
    request_id: int
    code_hashes: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Codes(WireMessage):
    """Codes in the order asked for; those that are not here, or too many, are left out."""

    CODE: ClassVar[int] = 0x10
    MAX_LENGTH: ClassVar[int] = MAX_ANSWER_BYTES
    FIELDS: ClassVar = (REQUEST_ID, ("codes", Several(Bytes(MAX_CODE_BYTES), MAX_CODES)))
    request_id: int
    codes: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class GetProof(WireMessage):
    """Ask for a header, and for an account and slots proven to its state root."""

    CODE: ClassVar[int] = 0x11
    MAX_LENGTH: ClassVar[int] = 33 * MAX_SLOTS + 128
    FIELDS: ClassVar = (
        REQUEST_ID,
        ("block_hash", HASH),
        ("address", Fixed(20)),
        ("slots", Several(Number(32), MAX_SLOTS)),
    )
    request_id: int
    block_hash: bytes
    address: bytes
    slots: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Proof(WireMessage):
    """A header and the trie nodes towards the account and its slots, each node once.

    `header` is no bytes where the block or its state is not here.
    """

    CODE: ClassVar[int] = 0x12
    MAX_LENGTH: ClassVar[int] = 4 << 20
    FIELDS: ClassVar = (
        REQUEST_ID,
        ("header", Bytes(1024)),
        ("account_nodes", NODES),
        ("storage_nodes", NODES),
    )
    request_id: int
    header: bytes
    account_nodes: tuple[bytes, ...]
    storage_nodes: tuple[bytes, ...]
