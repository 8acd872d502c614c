"""A block: exact Prague header, transactions, and the codec of geth's RLP form."""

from dataclasses import dataclass
from typing import Any, cast

import rlp
from eth.abc import BlockHeaderAPI, SignedTransactionAPI
from eth.constants import BLANK_ROOT_HASH, EMPTY_SHA256, EMPTY_UNCLE_HASH
from eth.vm.forks.prague.blocks import PragueBlockHeader
from rlp.exceptions import RLPException

from consensus.faults import InvalidTransaction, MalformedBlock
from cvm.evm.strict_rlp import BadRlp, decode_rlp
from cvm.evm.transactions import decode_transaction, encode_for_block, type_of

MAX_BLOCK_BYTES = 8 << 20  # EIP-7934: 10 MiB less a margin of 2 MiB
UINT64_FIELDS = (
    "block_number",
    "gas_limit",
    "gas_used",
    "timestamp",
    "blob_gas_used",
    "excess_blob_gas",
)
UINT256_FIELDS = ("difficulty", "base_fee_per_gas")
EMPTY_WITHDRAWALS_ROOT = bytes(BLANK_ROOT_HASH)
EMPTY_REQUESTS_HASH = bytes(EMPTY_SHA256)
EMPTY_OMMERS_HASH = bytes(EMPTY_UNCLE_HASH)
ZERO_NONCE = bytes(8)


@dataclass(frozen=True, slots=True)
class Block:
    """A header and the transactions that it names; there are no ommers and no withdrawals."""

    header: BlockHeaderAPI
    transactions: tuple[SignedTransactionAPI, ...]

    @property
    def number(self) -> int:
        """Return the height."""
        return int(self.header.block_number)

    @property
    def hash(self) -> bytes:
        """Return keccak256 of the header's RLP."""
        return bytes(self.header.hash)

    def encode(self) -> bytes:
        """Return geth's block RLP: [header, transactions, ommers, withdrawals]."""
        transactions = [encode_for_block(tx) for tx in self.transactions]
        header = PragueBlockHeader.serialize(self.header)
        return bytes(rlp.encode([header, transactions, [], []]))


def decode_block(data: bytes) -> Block:
    """Decode a block that came from outside; raises `MalformedBlock`."""
    if len(data) > MAX_BLOCK_BYTES:
        raise MalformedBlock(f"{len(data)} bytes, at most {MAX_BLOCK_BYTES}")
    try:
        parts = decode_rlp(data)
    except BadRlp as error:
        raise MalformedBlock(str(error)) from error
    return block_from_parts(parts)


def block_from_parts(parts: object) -> Block:
    """Build a block from decoded RLP; raises `MalformedBlock`."""
    if not isinstance(parts, list) or len(parts) != 4:
        raise MalformedBlock("not a list of header, transactions, ommers and withdrawals")
    header, transactions, ommers, withdrawals = parts
    if ommers != [] or withdrawals != []:
        raise MalformedBlock("ommers and withdrawals must be empty lists")
    if not isinstance(transactions, list):
        raise MalformedBlock("the transactions are not a list")
    return Block(decode_header(header), tuple(decode_body_item(item) for item in transactions))


def decode_header(parts: object) -> BlockHeaderAPI:
    """Build a Prague header from decoded RLP; raises `MalformedBlock`."""
    try:
        header = PragueBlockHeader.deserialize(cast(Any, parts))
    except (RLPException, TypeError, ValueError) as error:
        raise MalformedBlock(f"header: {str(error)[:200]}") from error
    if not isinstance(header, PragueBlockHeader):
        raise MalformedBlock("header: not a Prague header")
    validate_widths(header)
    return header


def validate_widths(header: BlockHeaderAPI) -> None:
    """Refuse fields that no header can hold, before a rule computes with them or shows them."""
    widths = [(name, 64) for name in UINT64_FIELDS] + [(name, 256) for name in UINT256_FIELDS]
    for name, bits in widths:
        value = int(getattr(header, name))
        if value.bit_length() > bits:
            raise MalformedBlock(f"header: {name} has {value.bit_length()} bits, at most {bits}")
    if len(header.mix_hash) != 32:
        raise MalformedBlock(f"header: mix_hash has {len(header.mix_hash)} bytes, must have 32")
    if len(header.coinbase) != 20:
        raise MalformedBlock(f"header: coinbase has {len(header.coinbase)} bytes, must have 20")


def decode_body_item(item: object) -> SignedTransactionAPI:
    """Decode one entry of the transaction list; raises `MalformedBlock`.

    A legacy transaction stands there as a list, a typed one as bytes (EIP-2718).
    """
    try:
        tx = decode_transaction(item if isinstance(item, bytes) else bytes(rlp.encode(item)))
    except (InvalidTransaction, RLPException, TypeError) as error:
        raise MalformedBlock(f"transaction: {error}") from error
    if isinstance(item, bytes) != bool(type_of(tx)):
        raise MalformedBlock("transaction: legacy must be a list, a typed one bytes")
    return tx
