"""Joins headers and bodies of a peer to blocks: only what belongs together becomes one."""

from collections.abc import Sequence
from dataclasses import dataclass

from cvm.evm.header import EMPTY_UNCLES_HASH, BlockHeader
from cvm.evm.keccak import keccak256
from cvm.evm.list_root import list_root
from cvm.evm.rlp_encoding import EMPTY_LIST, encode_list
from cvm.evm.rlp_lists import ADDRESS_BYTES, expect_shape, split_items
from cvm.evm.state_reader import EMPTY_TRIE_ROOT
from cvm.evm.strict_rlp import BadRlp
from node.p2p.eth_limits import SMALLEST_TRANSACTION_BYTES
from node.p2p.faults import BadMessage


@dataclass(frozen=True, slots=True)
class JoinedBlock:
    """A header and the RLP of its whole block, whose transactions nobody has decoded."""

    header: BlockHeader
    raw: bytes


def expect_row(headers: Sequence[BlockHeader], start: int) -> None:
    """Raise `BadMessage` unless headers stand on each other from a height on."""
    for place, header in enumerate(headers):
        if header.block_number != start + place:
            raise BadMessage(f"header {header.block_number} in place of {start + place}")
        if place and header.parent_hash != headers[place - 1].hash:
            raise BadMessage(f"header {header.block_number} does not stand on the one before it")


def empty_body(header: BlockHeader) -> bytes | None:
    """Return the body of a block that has nothing in it, None where there is something."""
    if header.transaction_root != EMPTY_TRIE_ROOT or header.uncles_hash != EMPTY_UNCLES_HASH:
        return None
    if header.withdrawals_root is None:
        return 2 * EMPTY_LIST
    return 3 * EMPTY_LIST if header.withdrawals_root == EMPTY_TRIE_ROOT else None


def join(header: BlockHeader, body: bytes) -> JoinedBlock:
    """Return the block of a header and the payload of its body; raises `BadMessage`."""
    try:
        expect_body(header, body)
    except BadRlp as error:
        raise BadMessage(f"the body of block {header.block_number}: {error}") from error
    return JoinedBlock(header, encode_list(header.encode() + body))


def expect_body(header: BlockHeader, body: bytes) -> None:
    """Compare a body's roots with those of the header; raises `BadRlp` or `BadMessage`."""
    parts, lists = split_items(body, 0, len(body))
    count = 2 if header.withdrawals_root is None else 3
    expect_shape("a body", parts, lists, count, list(range(count)))
    expect_same(header, "transactionsRoot", root_of_transactions(parts[0]), header.transaction_root)
    expect_same(header, "sha3Uncles", keccak256(encode_list(parts[1])), header.uncles_hash)
    if count == 3:
        entries, _lists = split_items(parts[2], 0, len(parts[2]), ADDRESS_BYTES)
        root = list_root([encode_list(entry) for entry in entries])
        expect_same(header, "withdrawalsRoot", root, header.withdrawals_root)


def root_of_transactions(payload: bytes) -> bytes:
    """Return the root of a block's list of transactions; raises `BadRlp`."""
    items, lists = split_items(payload, 0, len(payload), SMALLEST_TRANSACTION_BYTES)
    legacy = frozenset(lists)
    raws = [encode_list(item) if place in legacy else item for place, item in enumerate(items)]
    if not all(raws):
        raise BadRlp("an empty transaction")
    return list_root(raws)


def expect_same(header: BlockHeader, field: str, found: bytes, shown: bytes | None) -> None:
    """Raise `BadMessage` where a body does not have what its header shows."""
    if found != shown:
        shown_hex = "" if shown is None else shown.hex()
        raise BadMessage(
            f"the body of block {header.block_number}: {field} is 0x{found.hex()}, "
            f"its header shows 0x{shown_hex}"
        )
