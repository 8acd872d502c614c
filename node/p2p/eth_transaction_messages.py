"""Messages that carry transactions which wait for a block, whole or by their hashes (eth/68)."""

from dataclasses import dataclass
from typing import ClassVar, Self

from cvm.evm.rlp_lists import list_start
from cvm.evm.strict_rlp import BadRlp
from cvm.evm.transaction import Transaction
from node.p2p.eth_limits import MAX_HASHES, MAX_MESSAGE_BYTES, MAX_REQUEST_BYTES
from node.p2p.eth_wire import HASHES, REQUEST_ID, Transactions
from node.p2p.faults import BadMessage
from node.p2p.wire_fields import Bytes, Number, Several, WireMessage

UINT32_BYTES = 4
TRANSACTIONS = Transactions()


@dataclass(frozen=True, slots=True)
class NewTransactions:
    """Whole transactions that the receiver may not know (`Transactions` in the specification)."""

    CODE: ClassVar[int] = 0x02
    MAX_LENGTH: ClassVar[int] = MAX_MESSAGE_BYTES
    transactions: tuple[Transaction, ...]

    def encode(self) -> bytes:
        """Return the RLP of the message."""
        return TRANSACTIONS.encode(self.transactions)

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Read a stranger's bytes; raises `BadMessage`."""
        try:
            payload = data[list_start(data, 0, cls.__name__) :]
            return cls(TRANSACTIONS.decode(cls.__name__, payload, is_list=True))
        except BadRlp as error:
            raise BadMessage(f"{cls.__name__}: {error}") from error


@dataclass(frozen=True, slots=True)
class NewPooledTransactionHashes(WireMessage):
    """Type (one byte each), size in bytes and hash of transactions that wait at the sender.

    The size is that of the EIP-2718 bytes.
    """

    CODE: ClassVar[int] = 0x08
    MAX_LENGTH: ClassVar[int] = MAX_REQUEST_BYTES
    FIELDS: ClassVar = (
        ("types", Bytes(MAX_HASHES)),
        ("sizes", Several(Number(UINT32_BYTES), MAX_HASHES)),
        ("hashes", HASHES),
    )
    types: bytes
    sizes: tuple[int, ...]
    hashes: tuple[bytes, ...]

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Read a stranger's bytes; raises `BadMessage`."""
        message = super(NewPooledTransactionHashes, cls).decode(data)
        counts = len(message.types), len(message.sizes), len(message.hashes)
        if len(set(counts)) > 1:
            raise BadMessage(f"{cls.__name__} has {counts} types, sizes and hashes")
        return message


@dataclass(frozen=True, slots=True)
class GetPooledTransactions(WireMessage):
    """Ask for transactions that were announced; answered by `PooledTransactions`."""

    CODE: ClassVar[int] = 0x09
    MAX_LENGTH: ClassVar[int] = MAX_REQUEST_BYTES
    FIELDS: ClassVar = (REQUEST_ID, ("hashes", HASHES))
    request_id: int
    hashes: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class PooledTransactions(WireMessage):
    """The transactions asked for, in that order, without those that are no longer there."""

    CODE: ClassVar[int] = 0x0A
    MAX_LENGTH: ClassVar[int] = MAX_MESSAGE_BYTES
    FIELDS: ClassVar = (REQUEST_ID, ("transactions", TRANSACTIONS))
    request_id: int
    transactions: tuple[Transaction, ...]
