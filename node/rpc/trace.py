"""The trace_ methods of Parity and Erigon: calls one by one, with their places."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, TypeAlias

from cvm.evm.transaction_decoding import decode_transaction
from node.execution.call_request import CallMessage, CallRequest
from node.rpc.block_lookup import find_header, require_header
from node.rpc.call_parameters import Call, parse_call
from node.rpc.chain_view import EthView
from node.rpc.eth_execute import call_request
from node.rpc.faults import BadArgument, LimitExceeded
from node.rpc.fees import effective_gas_price
from node.rpc.json_value import JsonValue
from node.rpc.parameters import (
    Block,
    BlockNumberOrTag,
    BlockTag,
    Data,
    Hash,
    parse_address,
    parse_block_number,
    parse_count,
    parse_list,
    parse_object,
    shown,
)
from node.rpc.registry import rpc_method
from node.rpc.turns import Slices
from node.tracing.flat_jobs import FlatBlockJob, FlatCallsJob, FlatTrace, ReplayJob

MAX_BLOCKS = 100
"""With transactions, of one trace_filter: each of them runs again."""
MAX_TRACES = 10_000
MAX_MESSAGES = 100
"""Of one trace_callMany."""
PAIR = 2
KINDS = ("trace", "stateDiff")
TracedMessage: TypeAlias = tuple[CallMessage, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class TraceFilter:
    """Which calls a caller wants; no address means any. `count` None means all."""

    first: BlockNumberOrTag
    last: BlockNumberOrTag
    senders: frozenset[str]
    receivers: frozenset[str]
    after: int
    count: int | None


def parse_kinds(value: object) -> tuple[str, ...]:
    """Return the kinds of traces that a call wants."""
    kinds = tuple(str(item) for item in parse_list(value))
    for kind in kinds:
        if kind not in KINDS:
            raise BadArgument(f"{shown(kind)} is not available; want {' or '.join(KINDS)}")
    return kinds


def parse_messages(value: object) -> tuple[TracedMessage, ...]:
    """Return messages, each of which comes in a pair with the kinds of traces."""
    pairs = [parse_list(item) for item in parse_list(value)]
    if len(pairs) > MAX_MESSAGES:
        raise BadArgument(f"{len(pairs)} messages; want at most {MAX_MESSAGES}")
    found = []
    for pair in pairs:
        if len(pair) != PAIR:
            raise BadArgument(f"{shown(pair)} is not a message with its kinds of traces")
        found.append((parse_call(pair[0]), parse_kinds(pair[1])))
    return tuple(found)


def parse_place(value: object) -> tuple[int, ...]:
    """Return the place of a call in the tree of its transaction."""
    return tuple(parse_count(item) for item in parse_list(value))


def parse_addresses(value: object) -> frozenset[str]:
    """Return addresses as traces write them."""
    return frozenset("0x" + parse_address(item).hex() for item in parse_list(value or []))


def parse_trace_filter(value: object) -> TraceFilter:
    """Return a filter of trace_filter."""
    given = parse_object(value)
    count = given.get("count")
    return TraceFilter(
        parse_block_number(given.get("fromBlock") or "earliest"),
        parse_block_number(given.get("toBlock") or "latest"),
        parse_addresses(given.get("fromAddress")),
        parse_addresses(given.get("toAddress")),
        parse_count(given.get("after") or 0),
        None if count is None else parse_count(count),
    )


Kinds: TypeAlias = Annotated[tuple[str, ...], parse_kinds]
Messages: TypeAlias = Annotated[tuple[TracedMessage, ...], parse_messages]
Place: TypeAlias = Annotated[tuple[int, ...], parse_place]
Filter: TypeAlias = Annotated[TraceFilter, parse_trace_filter]


@rpc_method("trace_block")
async def trace_block(chain: EthView, block: Block) -> JsonValue:
    """Return every call of a block; null where the block is not known."""
    header = find_header(chain, block)
    if header is None:
        return None
    return [] if header.block_number == 0 else await chain.execute(FlatBlockJob(header.hash))


@rpc_method("trace_transaction")
async def trace_transaction(chain: EthView, tx_hash: Hash) -> JsonValue:
    """Return every call of a transaction; null where it is not known."""
    return await calls_of(chain, tx_hash)


@rpc_method("trace_get")
async def trace_get(chain: EthView, tx_hash: Hash, place: Place) -> JsonValue:
    """Return the call at a place of a transaction; null where there is none."""
    found = await calls_of(chain, tx_hash)
    return next((call for call in found or () if call["traceAddress"] == list(place)), None)


@rpc_method("trace_call")
async def trace_call(
    chain: EthView, message: Call, kinds: Kinds, block: Block = BlockTag.LATEST
) -> JsonValue:
    """Run a message on the state after a block, and return its output and calls."""
    return (await traces_of_messages(chain, ((message, kinds),), block))[0]


@rpc_method("trace_callMany")
async def trace_call_many(
    chain: EthView, messages: Messages, block: Block = BlockTag.LATEST
) -> JsonValue:
    """Run messages on the state after a block, each on what those before it left."""
    return await traces_of_messages(chain, messages, block)


@rpc_method("trace_rawTransaction")
async def trace_raw_transaction(chain: EthView, raw: Data, kinds: Kinds) -> JsonValue:
    """Run a signed transaction on the state after the newest block, without keeping it."""
    tx, header = decode_transaction(raw), chain.head()
    request = CallRequest(
        sender=tx.sender,
        to=tx.to or None,
        gas=tx.gas,
        gas_price=effective_gas_price(tx, header),
        value=tx.value,
        data=tx.data,
        access_list=tx.access_list,
        blob_versioned_hashes=tx.blob_versioned_hashes,
        authorization_list=tx.authorization_list,
    )
    return (await chain.execute(FlatCallsJob(header.hash, ((request, kinds),))))[0]


@rpc_method("trace_replayTransaction")
async def trace_replay_transaction(chain: EthView, tx_hash: Hash, kinds: Kinds) -> JsonValue:
    """Run an included transaction again, and return its output and calls; null if not known."""
    location = chain.transaction_location(tx_hash)
    if location is None:
        return None
    return (await chain.execute(ReplayJob(location.block_hash, kinds, location.index)))[0]


@rpc_method("trace_replayBlockTransactions")
async def trace_replay_block_transactions(chain: EthView, block: Block, kinds: Kinds) -> JsonValue:
    """Run a block again, and return output and calls of each transaction; null if not known."""
    header = find_header(chain, block)
    if header is None:
        return None
    return [] if header.block_number == 0 else await chain.execute(ReplayJob(header.hash, kinds))


@rpc_method("trace_filter")
async def trace_filter(chain: EthView, wanted: Filter) -> JsonValue:
    """Return the calls of a range of blocks from or to some addresses; the blocks run again."""
    first = require_header(chain, wanted.first).block_number
    last = require_header(chain, wanted.last).block_number
    found: list[FlatTrace] = []
    most = MAX_TRACES if wanted.count is None else wanted.after + wanted.count
    blocks = 0
    slices = Slices()
    for number in range(max(first, 1), last + 1):
        await slices.pause()
        header = chain.header_by_number(number)
        if header is None or not header.gas_used:
            continue
        blocks += 1
        if blocks > MAX_BLOCKS or len(found) > MAX_TRACES:
            raise LimitExceeded(
                f"the range has more than {MAX_BLOCKS} blocks with transactions or {MAX_TRACES} "
                f"traces; ask for blocks {first:#x} to {number - 1:#x}, then for the rest"
            )
        calls = await chain.execute(FlatBlockJob(header.hash))
        found += [call for call in calls if is_wanted(call, wanted)]
        if wanted.count is not None and len(found) >= most:
            break
    return found[wanted.after :] if wanted.count is None else found[wanted.after : most]


async def traces_of_messages(
    chain: EthView, messages: Sequence[TracedMessage], block: Block
) -> list[FlatTrace]:
    """Return output and calls of messages that run one after the other."""
    header = require_header(chain, block)
    requests = tuple(
        (call_request(message, chain.chain_id, header), kinds) for message, kinds in messages
    )
    return await chain.execute(FlatCallsJob(header.hash, requests))


async def calls_of(chain: EthView, tx_hash: bytes) -> Sequence[FlatTrace] | None:
    """Return the calls of an included transaction, None where it is not known."""
    location = chain.transaction_location(tx_hash)
    if location is None:
        return None
    return await chain.execute(FlatBlockJob(location.block_hash, location.index))


def is_wanted(call: FlatTrace, wanted: TraceFilter) -> bool:
    """Tell whether a call is from and to what the filter names."""
    action, outcome = call["action"], call.get("result")
    if not isinstance(action, dict):
        return False
    made = outcome.get("address") if isinstance(outcome, dict) else None
    sender = action.get("from", action.get("address"))
    receiver = action.get("to", action.get("refundAddress", made))
    return (not wanted.senders or sender in wanted.senders) and (
        not wanted.receivers or receiver in wanted.receivers
    )
