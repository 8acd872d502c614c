"""A plain Ethereum block with ommers and withdrawals, and its one RLP form."""

from dataclasses import dataclass, field

from consensus.block import encode_for_block
from consensus.faults import MalformedBlock
from consensus.withdrawal import Withdrawal, decode_withdrawals
from cvm.evm.faults import InvalidTransaction
from cvm.evm.header import BlockHeader, decode_header
from cvm.evm.log_bloom import BLOOM_BYTES
from cvm.evm.rlp_encoding import encode_list
from cvm.evm.rlp_lists import (
    expect_shape,
    list_start,
    split_items,
)
from cvm.evm.strict_rlp import BadRlp, read_header
from cvm.evm.transaction import Transaction
from cvm.evm.transaction_list import decode_transaction_list

NAME = "a block"
PARTS_BEFORE_SHANGHAI, PARTS = 3, 4


@dataclass(frozen=True, slots=True)
class EthereumBlock:
    """A block of any fork; `withdrawals` is None in the form before Shanghai."""

    header: BlockHeader
    transactions: tuple[Transaction, ...]
    ommers: tuple[BlockHeader, ...] = ()
    withdrawals: tuple[Withdrawal, ...] | None = None
    _raw: bytes | None = field(default=None, init=False, repr=False, compare=False)

    @property
    def number(self) -> int:
        """Return the height."""
        return self.header.block_number

    @property
    def hash(self) -> bytes:
        """Return keccak256 of the header's RLP."""
        return self.header.hash

    def encode(self) -> bytes:
        """Return the RLP, worked out once."""
        raw = self._raw
        if raw is None:
            parts = [
                self.header.encode(),
                encode_list(b"".join(map(encode_for_block, self.transactions))),
                encode_list(b"".join([ommer.encode() for ommer in self.ommers])),
            ]
            if self.withdrawals is not None:
                parts.append(encode_list(b"".join([w.encode() for w in self.withdrawals])))
            raw = encode_list(b"".join(parts))
            keep_encoding(self, raw)
        return raw


def keep_encoding(block: EthereumBlock, raw: bytes) -> None:
    """Keep the bytes that a block was decoded from, which are its only encoding."""
    object.__setattr__(block, "_raw", raw)


def decode_ethereum_block(raw: bytes) -> EthereumBlock:
    """Decode one block; raises `MalformedBlock`, from the fault of a transaction if that is why.

    Which parts a fork has, and how large a block may be, are rules of forks.
    """
    try:
        block = block_of(raw)
    except (BadRlp, InvalidTransaction) as error:
        raise MalformedBlock(str(error)) from error
    keep_encoding(block, raw)
    return block


def block_of(raw: bytes) -> EthereumBlock:
    """Build a block from one RLP list; raises `BadRlp` or `InvalidTransaction`."""
    items, lists = split_items(raw, list_start(raw, 0, NAME), len(raw))
    count = PARTS if len(items) >= PARTS else PARTS_BEFORE_SHANGHAI
    expect_shape(NAME, items, lists, count, list(range(count)))
    return EthereumBlock(
        decode_header(encode_list(items[0])),
        decode_transaction_list(items[1]),
        decode_ommers(items[2]),
        decode_withdrawals(items[3]) if count == PARTS else None,
    )


def decode_ommers(payload: bytes) -> tuple[BlockHeader, ...]:
    """Decode the payload of the list of ommers; raises `BadRlp`."""
    if not payload:
        return ()
    entries, lists = split_items(payload, 0, len(payload), BLOOM_BYTES)
    expect_shape("the ommers", entries, lists, len(entries), list(range(len(entries))))
    return tuple(decode_header(encode_list(entry)) for entry in entries)


def split_blocks(data: bytes) -> list[bytes]:
    """Split a file of blocks that follow each other, as geth exports them.

    Raises `MalformedBlock`.
    """
    blocks: list[bytes] = []
    position = 0
    while position < len(data):
        try:
            is_list, _start, end = read_header(data, position, len(data))
        except BadRlp as error:
            raise MalformedBlock(f"block {len(blocks)} of the file: {error}") from error
        if not is_list:
            raise MalformedBlock(f"block {len(blocks)} of the file: byte {position} opens no list")
        blocks.append(data[position:end])
        position = end
    return blocks
