"""The ots_ methods that look for the transactions of an address, newest first."""

from collections.abc import Sequence
from itertools import accumulate

from node.rpc.chain_view import EthView
from node.rpc.encoding import quantity, receipt_object, transaction_object
from node.rpc.json_value import JsonValue
from node.rpc.ots_blocks import validate_page_size
from node.rpc.parameters import Address, Count
from node.rpc.registry import rpc_method
from node.tracing.otterscan_search import FoundIn, SearchJob


@rpc_method("ots_searchTransactionsBefore")
async def search_transactions_before(
    chain: EthView, address: Address, block: Count, page_size: Count
) -> JsonValue:
    """Return the last transactions below a block in which an address takes part; 0 is the top.

    That is who sent or called, was called or created, or inherited. A page may hold more than its
    size, because it ends with a block, or less, because 4 s were over (-32005 where nothing was
    found by then).
    """
    validate_page_size(page_size)
    newest = chain.head().block_number
    first = newest if block == 0 else min(block - 1, newest)
    page = await chain.execute(SearchJob(address, first, False, page_size))
    return page_object(chain, page.blocks, first >= newest, page.is_complete)


@rpc_method("ots_searchTransactionsAfter")
async def search_transactions_after(
    chain: EthView, address: Address, block: Count, page_size: Count
) -> JsonValue:
    """Return the first transactions above a block in which an address takes part, newest first.

    See ots_searchTransactionsBefore.
    """
    validate_page_size(page_size)
    page = await chain.execute(SearchJob(address, block + 1, True, page_size))
    return page_object(chain, page.blocks[::-1], page.is_complete, block == 0)


def page_object(
    chain: EthView, blocks: Sequence[FoundIn], is_first: bool, is_last: bool
) -> JsonValue:
    """Return a page from blocks in falling order; the first page is that with the newest."""
    transactions: list[JsonValue] = []
    receipts: list[JsonValue] = []
    for found in blocks:
        block = chain.block_by_hash(found.block_hash)
        if block is None:
            continue
        made = chain.receipts(found.block_hash)
        first_logs = list(accumulate((len(receipt.logs) for receipt in made), initial=0))
        for index in reversed(found.indices):
            transactions.append(transaction_object(block.transactions[index], block.header, index))
            shown = receipt_object(block, made, index, first_logs[index])
            receipts.append(shown | {"timestamp": quantity(block.header.timestamp)})
    return {"txs": transactions, "receipts": receipts, "firstPage": is_first, "lastPage": is_last}
