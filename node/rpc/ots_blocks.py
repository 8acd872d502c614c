"""The ots_ methods that show blocks: details without transactions, and transactions by pages."""

from typing import Annotated, TypeAlias

from node.rpc.block_lookup import find_block
from node.rpc.chain_view import BlockView, EthView
from node.rpc.encoding import block_object, data, quantity, receipt_fields, transaction_object
from node.rpc.faults import InvalidParams
from node.rpc.fees import effective_gas_price
from node.rpc.json_value import JsonValue
from node.rpc.parameters import BlockHash, BlockReference, Count, Hash, parse_block_reference
from node.rpc.registry import rpc_method

MAX_PAGE = 25
"""Transactions of one page, as Erigon's --ots.search.max.pagesize."""
SELECTOR_BYTES = 4
NO_ISSUANCE: dict[str, JsonValue] = dict.fromkeys(
    ("blockReward", "uncleReward", "issuance"), quantity(0)
)
"""Nothing is paid for a block but its fees."""


def parse_any_block(value: object) -> BlockReference:
    """Return a block as others name it, or as Otterscan does: a JSON integer."""
    if isinstance(value, int) and not isinstance(value, bool):
        return parse_block_reference(hex(value))
    return parse_block_reference(value)


AnyBlock: TypeAlias = Annotated[BlockReference, parse_any_block]


@rpc_method("ots_getBlockDetails")
async def get_block_details(chain: EthView, block: AnyBlock) -> JsonValue:
    """Return a block without its transactions, and the fees of all of them; null if not known."""
    return details_object(chain, find_block(chain, block))


@rpc_method("ots_getBlockDetailsByHash")
async def get_block_details_by_hash(chain: EthView, block_hash: Hash) -> JsonValue:
    """Return a block without its transactions, and the fees of all of them; null if not known."""
    return details_object(chain, find_block(chain, BlockHash(block_hash)))


@rpc_method("ots_getBlockTransactions")
async def get_block_transactions(
    chain: EthView, block: AnyBlock, page_number: Count, page_size: Count
) -> JsonValue:
    """Return a page of a block's transactions and receipts; page 0 has the last of them.

    Inputs are cut to four bytes, and receipts have no logs.
    """
    validate_page_size(page_size)
    found = find_block(chain, block)
    if found is None:
        return None
    end = max(len(found.transactions) - page_size * page_number, 0)
    page = range(max(end - page_size, 0), end)
    receipts = chain.receipts(found.header.hash)
    return {
        "fullblock": slim_block(found) | {"transactions": [short(found, i) for i in page]},
        "receipts": [
            receipt_fields(found, receipts, i) | {"logs": None, "logsBloom": None} for i in page
        ],
    }


def details_object(chain: EthView, block: BlockView | None) -> JsonValue:
    """Return the details of a block, null where there is none."""
    if block is None:
        return None
    shown = slim_block(block)
    del shown["transactions"]
    fees, gas_before = 0, 0
    for tx, receipt in zip(block.transactions, chain.receipts(block.header.hash), strict=True):
        gas_used = receipt.cumulative_gas_used - gas_before
        fees += gas_used * effective_gas_price(tx, block.header)
        gas_before = receipt.cumulative_gas_used
    return {"block": shown, "issuance": NO_ISSUANCE, "totalFees": quantity(fees)}


def slim_block(block: BlockView) -> dict[str, JsonValue]:
    """Return a block without its bloom filter, which nobody there reads."""
    slim: dict[str, JsonValue] = {"logsBloom": None, "transactionCount": len(block.transactions)}
    return block_object(block, is_full=False) | slim


def short(block: BlockView, index: int) -> JsonValue:
    """Return a transaction of a block with no more of its input than a selector."""
    tx = block.transactions[index]
    return transaction_object(tx, block.header, index) | {"input": data(tx.data[:SELECTOR_BYTES])}


def validate_page_size(page_size: int) -> None:
    """Check the size of a page; raises `InvalidParams`."""
    if not 1 <= page_size <= MAX_PAGE:
        raise InvalidParams(f"page size {page_size}; want 1 to {MAX_PAGE}")
