"""The eth_ methods about fees, by the rules of geth's gas price oracle."""

from collections.abc import Sequence
from itertools import islice, pairwise
from typing import Annotated, TypeAlias

from consensus.header_rules import next_base_fee
from cvm.evm.header import BlockHeader
from cvm.evm.receipt import Receipt
from node.rpc.block_lookup import require_header
from node.rpc.chain_view import BlockView, EthView
from node.rpc.encoding import quantity
from node.rpc.faults import BadArgument, ServerError
from node.rpc.fees import base_fee, blob_base_fees, blob_gas_ratio, effective_tip
from node.rpc.parameters import BlockNumber, Count, parse_list, shown
from node.rpc.registry import JsonValue, rpc_method
from node.rpc.turns import Slices

DEFAULT_TIP = 1_000_000
"""Suggested wei for each gas while blocks say nothing: geth's default miner price."""

MAX_TIP = 500 * 10**9
IGNORED_TIP = 2
"""Tips below this say nothing (geth's IgnorePrice)."""

SAMPLED_BLOCKS = 20
SAMPLES_PER_BLOCK = 3
SAMPLE_PERCENTILE = 60

MAX_FEE_HISTORY_BLOCKS = 1_024
MAX_PERCENTILES = 100


def parse_percentiles(value: object) -> tuple[float, ...]:
    """Return rising percentiles between 0 and 100, a hundred of them at most."""
    items = parse_list(value)
    if len(items) > MAX_PERCENTILES:
        raise BadArgument(f"{len(items)} percentiles are over the query limit {MAX_PERCENTILES}")
    percentiles = tuple(_parse_percentile(item) for item in items)
    for place, (lower, upper) in enumerate(pairwise(percentiles), start=1):
        if lower >= upper:
            raise BadArgument(
                f"invalid reward percentile: #{place - 1}:{lower:g} >= #{place}:{upper:g}"
            )
    return percentiles


def _parse_percentile(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 100:
        raise BadArgument(f"invalid reward percentile: {shown(value)}; want a number of 0 to 100")
    return float(value)


Percentiles: TypeAlias = Annotated[tuple[float, ...], parse_percentiles]


@rpc_method("eth_gasPrice")
async def gas_price(chain: EthView) -> str:
    """Return a price for a legacy transaction: the head's base fee and the suggested tip."""
    return quantity(base_fee(chain.head()) + await suggested_tip(chain))


@rpc_method("eth_maxPriorityFeePerGas")
async def max_priority_fee_per_gas(chain: EthView) -> str:
    """Return a tip that recent blocks took."""
    return quantity(await suggested_tip(chain))


@rpc_method("eth_baseFee")
async def next_block_base_fee(chain: EthView) -> str:
    """Return the base fee of the next block in wei."""
    return quantity(next_base_fee(chain.head()))


@rpc_method("eth_blobBaseFee")
async def head_blob_base_fee(chain: EthView) -> str:
    """Return the price of blob gas in the head in wei."""
    return quantity(blob_base_fees(chain.head())[0])


@rpc_method("eth_feeHistory", is_long=True)
async def fee_history(
    chain: EthView, count: Count, newest: BlockNumber, percentiles: Percentiles = ()
) -> JsonValue:
    """Return fees and fullness of a range of blocks, and the tips at the percentiles asked for."""
    slices = Slices()
    headers = await _history_headers(chain, count, newest, slices)
    if not headers:
        return {"oldestBlock": "0x0", "baseFeePerGas": [], "gasUsedRatio": []}
    blob_fees = [blob_base_fees(header) for header in headers]
    result: dict[str, JsonValue] = {
        "oldestBlock": quantity(headers[0].block_number),
        "baseFeePerGas": [
            *(quantity(base_fee(header)) for header in headers),
            quantity(next_base_fee(headers[-1])),
        ],
        "gasUsedRatio": [header.gas_used / header.gas_limit for header in headers],
        "baseFeePerBlobGas": [
            *(quantity(fee) for fee, _ in blob_fees),
            quantity(blob_fees[-1][1]),
        ],
        "blobGasUsedRatio": [blob_gas_ratio(header) for header in headers],
    }
    if percentiles:
        rewards: list[JsonValue] = []
        for header in headers:
            await slices.pause()
            rewards.append(_rewards(chain, header, percentiles))
        result["reward"] = rewards
    return result


async def suggested_tip(chain: EthView) -> int:
    """Return the 60th percentile of the lowest tips of the last blocks.

    A block without a tip that counts stands for the default.
    """
    head = chain.head()
    tips: list[int] = []
    slices = Slices()
    for number in range(head.block_number, max(0, head.block_number - SAMPLED_BLOCKS), -1):
        await slices.pause()
        header = chain.header_by_number(number)
        block = None if header is None else chain.block_by_hash(header.hash)
        tips.extend((_lowest_tips(block) if block else ()) or (DEFAULT_TIP,))
    if not tips:
        return DEFAULT_TIP
    tips.sort()
    return min(tips[(len(tips) - 1) * SAMPLE_PERCENTILE // 100], MAX_TIP)


def _lowest_tips(block: BlockView) -> tuple[int, ...]:
    """Return the lowest tips that count, leaving out what the block's producer sent itself."""
    header = block.header
    ranked = sorted((effective_tip(tx, header), i) for i, tx in enumerate(block.transactions))
    counted = (
        tip
        for tip, index in ranked
        if tip >= IGNORED_TIP and block.transactions[index].sender != header.coinbase
    )
    return tuple(islice(counted, SAMPLES_PER_BLOCK))


async def _history_headers(
    chain: EthView, count: int, newest: BlockNumber, slices: Slices
) -> list[BlockHeader]:
    """Return up to 1,024 headers that end with the newest, oldest first."""
    head_number = chain.head().block_number
    if isinstance(newest, int) and newest > head_number:
        raise ServerError(f"request beyond head block: requested {newest}, head {head_number}")
    last = require_header(chain, newest).block_number
    first = max(0, last + 1 - min(count, MAX_FEE_HISTORY_BLOCKS))
    found: list[BlockHeader] = []
    for number in range(first, last + 1):
        await slices.pause()
        header = chain.header_by_number(number)
        found += () if header is None else (header,)
    return found


def _rewards(chain: EthView, header: BlockHeader, percentiles: Sequence[float]) -> list[JsonValue]:
    """Return the tip at each percentile of the block's gas, zeros for an empty block."""
    block = chain.block_by_hash(header.hash)
    if block is None or not block.transactions:
        return ["0x0"] * len(percentiles)
    ranked = _tip_and_gas(block, chain.receipts(header.hash))
    result: list[JsonValue] = []
    place = 0
    gas_so_far = ranked[0][1]
    for percentile in percentiles:
        threshold = int(header.gas_used * percentile / 100)
        while gas_so_far < threshold and place < len(ranked) - 1:
            place += 1
            gas_so_far += ranked[place][1]
        result.append(quantity(ranked[place][0]))
    return result


def _tip_and_gas(block: BlockView, receipts: Sequence[Receipt]) -> list[tuple[int, int]]:
    """Return tip and gas used of every transaction, lowest tip first."""
    totals = [0, *(receipt.cumulative_gas_used for receipt in receipts)]
    gas = (after - before for before, after in pairwise(totals))
    tips = (effective_tip(tx, block.header) for tx in block.transactions)
    return sorted(zip(tips, gas, strict=True), key=lambda pair: pair[0])
