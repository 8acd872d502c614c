"""Looks for logs: in one block, and in a range of them with the bounds that a node can bear."""

from node.rpc.block_lookup import require_header
from node.rpc.chain_view import EthView
from node.rpc.faults import InvalidParams, LimitExceeded, ServerError
from node.rpc.json_value import JsonText
from node.rpc.log_filter import BlockRange, LogFilter, may_contain
from node.rpc.turns import Slices
from node.rpc.written_logs import list_text, log_texts

MAX_BLOCK_RANGE = 10_000
MAX_LOGS = 10_000


async def find_logs(chain: EthView, wanted: LogFilter) -> JsonText:
    """Return the logs of a block or of a range that a filter lets through, in chain order."""
    if isinstance(wanted.blocks, BlockRange):
        return await search_range(chain, wanted, *resolve_range(chain, wanted.blocks))
    block = chain.block_by_hash(wanted.blocks.hash)
    if block is None:
        raise ServerError(f"unknown block: 0x{wanted.blocks.hash.hex()}")
    receipts = chain.receipts(block.header.hash)
    return list_text(await log_texts(block, receipts, wanted, wanted.bloom_masks(), Slices()))


async def search_range(chain: EthView, wanted: LogFilter, first: int, last: int) -> JsonText:
    """Return the wanted logs of the blocks from `first` to `last`; raises `LimitExceeded`."""
    masks = wanted.bloom_masks()
    found: list[str] = []
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
        found += await log_texts(block, receipts, wanted, masks, slices, most)
        if len(found) > MAX_LOGS:
            raise LimitExceeded(
                f"query returned more than {MAX_LOGS} results; "
                f"ask for blocks {first:#x} to {max(first, number - 1):#x}, then for the rest"
            )
    return list_text(found)


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
