"""Looks for logs: in one block, and in a range of them with the bounds that a node can bear."""

from collections.abc import Iterator, Sequence
from itertools import islice

from cvm.evm.header import BlockHeader
from cvm.evm.receipt import Receipt
from cvm.evm.transaction import Transaction
from node.rpc.block_lookup import require_header
from node.rpc.chain_view import EthView
from node.rpc.encoding import log_object
from node.rpc.faults import InvalidParams, LimitExceeded, ServerError
from node.rpc.json_value import JsonValue
from node.rpc.log_filter import BlockRange, LogFilter, may_contain
from node.rpc.turns import Slices

MAX_BLOCK_RANGE = 10_000
MAX_LOGS = 10_000


async def find_logs(chain: EthView, wanted: LogFilter) -> list[JsonValue]:
    """Return the logs of a block or of a range that a filter lets through, in chain order."""
    if isinstance(wanted.blocks, BlockRange):
        return await search_range(chain, wanted, *resolve_range(chain, wanted.blocks))
    block = chain.block_by_hash(wanted.blocks.hash)
    if block is None:
        raise ServerError(f"unknown block: 0x{wanted.blocks.hash.hex()}")
    receipts = chain.receipts(block.header.hash)
    return list(logs_in(block.header, block.transactions, receipts, wanted))


async def search_range(chain: EthView, wanted: LogFilter, first: int, last: int) -> list[JsonValue]:
    """Return the wanted logs of the blocks from `first` to `last`; raises `LimitExceeded`."""
    masks = wanted.bloom_masks()
    found: list[JsonValue] = []
    slices = Slices()
    for number in range(first, last + 1):
        await slices.pause()
        header = chain.header_by_number(number)
        if header is None:
            raise ServerError(f"block {number} is not here: this chain starts from a later state")
        if header.bloom == 0 or not may_contain(header.bloom, masks):
            continue
        block = chain.block_by_hash(header.hash)
        if block is None:
            continue
        receipts, most = chain.receipts(header.hash), MAX_LOGS + 1 - len(found)
        found += islice(logs_in(header, block.transactions, receipts, wanted), most)
        if len(found) > MAX_LOGS:
            raise LimitExceeded(
                f"query returned more than {MAX_LOGS} results; "
                f"ask for blocks {first:#x} to {max(first, number - 1):#x}, then for the rest"
            )
    return found


def resolve_range(chain: EthView, blocks: BlockRange) -> tuple[int, int]:
    """Return both ends as numbers; raises `InvalidParams` as execution-apis rules."""
    head = chain.head().block_number
    first, last = (
        end if isinstance(end, int) else require_header(chain, end).block_number
        for end in (blocks.first, blocks.last)
    )
    if last > head:
        raise InvalidParams(
            f"block range extends beyond current head block: requested {last}, head {head}"
        )
    if first > last:
        raise InvalidParams(f"invalid block range params: fromBlock {first} > toBlock {last}")
    if last - first >= MAX_BLOCK_RANGE:
        raise LimitExceeded(
            f"block range {first} to {last} holds {last - first + 1} blocks; "
            f"want at most {MAX_BLOCK_RANGE}"
        )
    return first, last


def logs_in(
    header: BlockHeader,
    transactions: Sequence[Transaction],
    receipts: Sequence[Receipt],
    wanted: LogFilter,
) -> Iterator[JsonValue]:
    """Yield the wanted logs of one block, each made when it is asked for."""
    log_index = 0
    for tx_index, (tx, receipt) in enumerate(zip(transactions, receipts, strict=True)):
        for log in receipt.logs:
            if wanted.matches(log):
                yield log_object(log, header, tx.hash, tx_index, log_index)
            log_index += 1
