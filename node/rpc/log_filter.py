"""The filter of eth_getLogs: which logs a caller wants, and which blocks can be skipped.

A header's bloom holds three bits for every address and topic of the block's logs (Yellow Paper,
section 4.3.1), so a block whose bloom lacks a wanted value's bits has no wanted log.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, TypeAlias

from cvm.evm.log import MAX_TOPICS, Log
from cvm.evm.log_bloom import bloom_bits
from node.rpc.faults import BadArgument, InvalidParams
from node.rpc.parameters import (
    BlockHash,
    BlockNumberOrTag,
    BlockTag,
    parse_address,
    parse_block_number,
    parse_hash,
    parse_object,
)

MAX_ADDRESSES = 1_000
MAX_ALTERNATIVES = 1_000
"""Addresses of a filter, and values for one place of a topic: geth's bounds."""


Masks: TypeAlias = tuple[tuple[int, ...], ...]
"""For each condition of a filter the bits of its values; one mask of each must be present."""


@dataclass(frozen=True, slots=True)
class BlockRange:
    """Both ends included."""

    first: BlockNumberOrTag
    last: BlockNumberOrTag


@dataclass(frozen=True, slots=True)
class LogFilter:
    """An empty `addresses`, or an empty place of `topics`, lets everything through."""

    blocks: BlockHash | BlockRange
    addresses: frozenset[bytes]
    topics: tuple[frozenset[bytes], ...]

    @property
    def size(self) -> int:
        """Return how many values it compares with."""
        return len(self.addresses) + sum(map(len, self.topics))

    def bloom_masks(self) -> Masks:
        """Return what a bloom must hold for a log to be let through."""
        addresses = tuple(bloom_bits(address) for address in self.addresses)
        topics = tuple(tuple(bloom_bits(topic) for topic in wanted) for wanted in self.topics)
        return tuple(masks for masks in (addresses, *topics) if masks)

    def matches(self, log: Log) -> bool:
        """Return whether a log is wanted."""
        if self.addresses and log.address not in self.addresses:
            return False
        if len(self.topics) > len(log.topics):
            return False
        return all(
            not wanted or topic in wanted
            for wanted, topic in zip(self.topics, log.topics, strict=False)
        )


@dataclass(frozen=True, slots=True)
class Heights:
    """The blocks whose new logs a client follows; `last` is None where there is no end."""

    first: int
    last: int | None

    def __contains__(self, number: int) -> bool:
        return self.first <= number and (self.last is None or number <= self.last)


def followed_heights(wanted: LogFilter) -> Heights:
    """Return the heights that a filter follows; raises `InvalidParams` by geth's rules."""
    if isinstance(wanted.blocks, BlockHash):
        raise InvalidParams("invalid block range params: a block that is named brings no new logs")
    first, last = wanted.blocks.first, wanted.blocks.last
    if BlockTag.PENDING in (first, last):
        raise InvalidParams("pending logs are not supported")
    lowest = _height(first)
    highest = _height(last)
    if highest is not None and (lowest is None or highest < lowest):
        raise InvalidParams("invalid block range params")
    return Heights(lowest or 0, highest)


def _height(end: BlockNumberOrTag) -> int | None:
    """Return a number, or None for the newest block, which safe and finalized name too."""
    if isinstance(end, int):
        return end
    return 0 if end is BlockTag.EARLIEST else None


def may_contain(bloom: int, masks: Iterable[tuple[int, ...]]) -> bool:
    """Return whether a block with this bloom can hold a wanted log."""
    return all(any(bloom & mask == mask for mask in wanted) for wanted in masks)


def parse_log_filter(value: object) -> LogFilter:
    """Return the filter object of eth_getLogs."""
    fields = parse_object(value)
    return LogFilter(
        blocks=_parse_blocks(fields),
        addresses=frozenset(_parse_addresses(fields.get("address"))),
        topics=_parse_topics(fields.get("topics")),
    )


def _parse_blocks(fields: dict[str, object]) -> BlockHash | BlockRange:
    block_hash = fields.get("blockHash")
    first, last = fields.get("fromBlock"), fields.get("toBlock")
    if block_hash is None:
        return BlockRange(_parse_end(first), _parse_end(last))
    if first is not None or last is not None:
        raise BadArgument(
            "cannot specify both BlockHash and FromBlock/ToBlock, choose one or the other"
        )
    return BlockHash(parse_hash(block_hash))


def _parse_end(value: object) -> BlockNumberOrTag:
    return BlockTag.LATEST if value is None else parse_block_number(value)


def _parse_addresses(value: object) -> tuple[bytes, ...]:
    if value is None:
        return ()
    if not isinstance(value, list):
        return (parse_address(value),)
    if len(value) > MAX_ADDRESSES:
        raise BadArgument(f"exceed max addresses: {len(value)}, want at most {MAX_ADDRESSES}")
    return tuple(parse_address(item) for item in value)


def _parse_topics(value: object) -> tuple[frozenset[bytes], ...]:
    if value is None:
        return ()
    if not isinstance(value, list):
        raise BadArgument("topics: want an array of topics, of arrays of topics, or of nulls")
    if len(value) > MAX_TOPICS:
        raise BadArgument(f"exceed max topics: {len(value)}, want at most {MAX_TOPICS}")
    return tuple(frozenset(_parse_alternatives(item)) for item in value)


def _parse_alternatives(value: object) -> tuple[bytes, ...]:
    """Return the values for one place; a null among them lets everything through, as in geth."""
    if value is None:
        return ()
    if not isinstance(value, list):
        return (parse_hash(value),)
    if len(value) > MAX_ALTERNATIVES:
        raise BadArgument(f"exceed max topics: {len(value)}, want at most {MAX_ALTERNATIVES}")
    if any(item is None for item in value):
        return ()
    return tuple(parse_hash(item) for item in value)


Filter: TypeAlias = Annotated[LogFilter, parse_log_filter]
