"""A block: exact Prague header, transactions, and the codec of geth's RLP form."""

from dataclasses import dataclass, field

from consensus.faults import InvalidTransaction, MalformedBlock
from consensus.withdrawal import Withdrawal, decode_withdrawals
from cvm.evm.block_requests import requests_hash
from cvm.evm.header import EMPTY_UNCLES_HASH, BlockHeader, decode_header
from cvm.evm.rlp_encoding import EMPTY_LIST, encode_bytes, encode_list
from cvm.evm.rlp_lists import expect_shape, list_start, split_items
from cvm.evm.state_reader import EMPTY_TRIE_ROOT
from cvm.evm.strict_rlp import BadRlp
from cvm.evm.transaction import Transaction
from cvm.evm.transaction_list import decode_transaction_list

MAX_BLOCK_BYTES = 8 << 20  # EIP-7934: 10 MiB less a margin of 2 MiB
EMPTY_WITHDRAWALS_ROOT = EMPTY_TRIE_ROOT
EMPTY_REQUESTS_HASH = requests_hash(())
EMPTY_OMMERS_HASH = EMPTY_UNCLES_HASH
ZERO_NONCE = bytes(8)
PARTS = "a block"


@dataclass(frozen=True, slots=True)
class Block:
    """A header, the transactions and the withdrawals that it names; there are no ommers."""

    header: BlockHeader
    transactions: tuple[Transaction, ...]
    withdrawals: tuple[Withdrawal, ...] = ()
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
        """Return geth's block RLP: [header, transactions, ommers, withdrawals]; worked out once."""
        raw = self._raw
        if raw is None:
            body = encode_list(b"".join(map(encode_for_block, self.transactions)))
            withdrawals = encode_list(b"".join([paid.encode() for paid in self.withdrawals]))
            raw = encode_list(self.header.encode() + body + EMPTY_LIST + withdrawals)
            object.__setattr__(self, "_raw", raw)
        return raw


def encode_for_block(tx: Transaction) -> bytes:
    """Return a transaction as it stands in a block's list: typed ones as byte strings."""
    return encode_bytes(tx.raw) if tx.type_id else tx.raw


def decode_block(data: bytes) -> Block:
    """Decode a block that came from outside; raises `MalformedBlock`."""
    if len(data) > MAX_BLOCK_BYTES:
        raise MalformedBlock(f"{len(data)} bytes, at most {MAX_BLOCK_BYTES}")
    try:
        return block_of(data)
    except BadRlp as error:
        raise MalformedBlock(str(error)) from error


def block_of(data: bytes) -> Block:
    """Build a block from one RLP list; raises `BadRlp` or `MalformedBlock`."""
    items, lists = split_items(data, list_start(data, 0, PARTS), len(data))
    expect_shape(PARTS, items, lists, 4, [0, 1, 2, 3])
    header, transactions, ommers, withdrawals = items
    if ommers:
        raise MalformedBlock("ommers must be an empty list")
    block = Block(
        prague_header(encode_list(header)),
        decode_body(transactions),
        decode_withdrawals(withdrawals),
    )
    object.__setattr__(block, "_raw", data)  # every part was read in its one form
    return block


def prague_header(raw: bytes) -> BlockHeader:
    """Decode a header of Prague's fields; raises `BadRlp` or `MalformedBlock`."""
    try:
        header = decode_header(raw)
    except BadRlp as error:
        raise MalformedBlock(f"header: {error}") from error
    if header.requests_hash is None:
        raise MalformedBlock("header: not a Prague header")
    return header


def decode_body(payload: bytes) -> tuple[Transaction, ...]:
    """Decode the payload of the list of transactions; raises `MalformedBlock`."""
    try:
        return decode_transaction_list(payload)
    except (InvalidTransaction, BadRlp) as error:
        raise MalformedBlock(f"transaction: {error}") from error
