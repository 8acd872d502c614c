"""The filters of a node that clients poll (eth_newFilter and its kin).

A filter is a place in the chain, or in the row of transactions that came: what lies behind it is
read when its client asks, so a filter that nobody polls costs a few words. Blocks here are final;
only a development chain can go back, and a filter then follows it from the block that both share.
"""

from collections import deque
from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from itertools import islice

from cvm.evm.transaction import Transaction
from node.keys import draw_bytes
from node.rpc.chain_view import EthView
from node.rpc.encoding import data, transaction_object
from node.rpc.events import ChainEvents
from node.rpc.faults import LimitExceeded, ServerError
from node.rpc.json_value import JsonResult, JsonText, JsonValue
from node.rpc.log_filter import Heights, LogFilter
from node.rpc.log_search import MAX_BLOCK_RANGE, search_range
from node.rpc.turns import Slices

TIMEOUT_S = 300.0
"""A filter that nobody polled for so long is gone, as in geth."""

MAX_FILTERS = 4_096
MAX_WANTED_VALUES = 1 << 18
"""Addresses and topics of all filters for logs together."""
MAX_RECENT_TRANSACTIONS = 16_384
"""Hashes of new transactions that are kept for polls; older ones are lost to a slow client."""

ID_BYTES = 16


class FilterNotFound(ServerError):
    """No filter of this kind has that id: it never did, or nobody polled it for five minutes."""

    def __init__(self) -> None:
        super().__init__("filter not found")


class TooManyFilters(LimitExceeded):
    """The node holds as many filters as it will."""

    def __init__(self) -> None:
        super().__init__(f"too many filters: this node holds {MAX_FILTERS}; uninstall one")


@dataclass(slots=True)
class _Place:
    """The last block whose news a client has."""

    number: int
    hash: bytes


@dataclass(slots=True)
class _BlockFilter:
    place: _Place


@dataclass(slots=True)
class _LogFilter:
    place: _Place
    wanted: LogFilter
    heights: Heights


@dataclass(slots=True)
class _TransactionFilter:
    seen: int
    is_full: bool


@dataclass(slots=True)
class _Installed:
    what: _BlockFilter | _LogFilter | _TransactionFilter
    polled_at_s: float


@dataclass(slots=True)
class _Recent:
    """The hashes of the last transactions that came to wait, and how many came in all."""

    count: int = 0
    hashes: deque[bytes] = field(default_factory=lambda: deque(maxlen=MAX_RECENT_TRANSACTIONS))

    def add(self, tx: Transaction) -> None:
        self.count += 1
        self.hashes.append(tx.hash)

    def since(self, seen: int) -> list[bytes]:
        new = min(self.count - seen, len(self.hashes))
        return list(islice(self.hashes, len(self.hashes) - new, None))


@dataclass(frozen=True, slots=True)
class KeptFilters:
    """The filters of a moment, and the transactions that had come until then."""

    filters: Mapping[str, _BlockFilter | _LogFilter | _TransactionFilter]
    recent: _Recent


class FilterTable:
    """Every filter of a node by its id; `clock_s` is any clock that only goes forward."""

    def __init__(
        self,
        chain: EthView,
        events: ChainEvents,
        clock_s: Callable[[], float],
        draw: Callable[[int], bytes] = draw_bytes,
    ) -> None:
        self._chain = chain
        self._clock_s = clock_s
        self._draw = draw
        self._filters: dict[str, _Installed] = {}
        self._recent = _Recent()
        events.on_pending(self._recent.add)

    def follow_blocks(self) -> str:
        """Install a filter for the hashes of new blocks; return its id."""
        return self._install(_BlockFilter(self._here()))

    def follow_logs(self, wanted: LogFilter, heights: Heights) -> str:
        """Install a filter for new logs; return its id."""
        self._forget_unpolled()
        held = sum(
            installed.what.wanted.size
            for installed in self._filters.values()
            if isinstance(installed.what, _LogFilter)
        )
        if held + wanted.size > MAX_WANTED_VALUES:
            raise TooManyFilters
        return self._install(_LogFilter(self._here(), wanted, heights))

    def follow_transactions(self, *, is_full: bool) -> str:
        """Install a filter for transactions that come to wait; return its id."""
        return self._install(_TransactionFilter(self._recent.count, is_full))

    def uninstall(self, filter_id: str) -> bool:
        """Forget a filter; tell whether there was one."""
        self._forget_unpolled()
        return self._filters.pop(filter_id, None) is not None

    def log_filter(self, filter_id: str) -> LogFilter:
        """Return what a filter for logs was installed with; raises `FilterNotFound`."""
        what = self._poll(filter_id)
        if not isinstance(what, _LogFilter):
            raise FilterNotFound
        return what.wanted

    async def changes(self, filter_id: str) -> JsonResult:
        """Return what came since the last time; raises `FilterNotFound`.

        At most the news of 10,000 blocks in one answer: the rest comes with the next ones.
        """
        what = self._poll(filter_id)
        if isinstance(what, _TransactionFilter):
            return self._new_transactions(what)
        first, last = self._new_blocks(what.place)
        if isinstance(what, _BlockFilter):
            found: JsonResult = await self._new_hashes(first, last)
        else:
            found = await self._new_logs(what, first, last)
        self._move(what.place, last)
        return found

    async def _new_hashes(self, first: int, last: int) -> list[JsonValue]:
        found: list[JsonValue] = []
        slices = Slices()
        for number in range(first, last + 1):
            await slices.pause()
            header = self._chain.header_by_number(number)
            found += () if header is None else (data(header.hash),)
        return found

    async def _new_logs(self, what: _LogFilter, first: int, last: int) -> JsonText:
        first = max(first, what.heights.first)
        if what.heights.last is not None:
            last = min(last, what.heights.last)
        return await search_range(self._chain, what.wanted, first, last)

    def _new_transactions(self, what: _TransactionFilter) -> list[JsonValue]:
        hashes = self._recent.since(what.seen)
        what.seen = self._recent.count
        if not what.is_full:
            return [data(tx_hash) for tx_hash in hashes]
        waiting = map(self._chain.pending_transaction, hashes)
        return [transaction_object(tx, None, None) for tx in waiting if tx is not None]

    def _install(self, what: _BlockFilter | _LogFilter | _TransactionFilter) -> str:
        self._forget_unpolled()
        if len(self._filters) >= MAX_FILTERS:
            raise TooManyFilters
        filter_id = hex(int.from_bytes(self._draw(ID_BYTES), "big"))
        self._filters[filter_id] = _Installed(what, self._clock_s())
        return filter_id

    def _poll(self, filter_id: str) -> _BlockFilter | _LogFilter | _TransactionFilter:
        self._forget_unpolled()
        installed = self._filters.get(filter_id)
        if installed is None:
            raise FilterNotFound
        installed.polled_at_s = self._clock_s()
        return installed.what

    def keep(self) -> KeptFilters:
        """Return the filters as they are now, to go back to them."""
        filters = {key: deepcopy(each.what) for key, each in self._filters.items()}
        return KeptFilters(filters, deepcopy(self._recent))

    def go_back(self, kept: KeptFilters | None) -> None:
        """Put filters back to what they were, after the chain went back; None is a fresh chain.

        Filters that came later stay, and follow the chain from its head on.
        """
        recent = _Recent() if kept is None else deepcopy(kept.recent)
        self._recent.count, self._recent.hashes = recent.count, recent.hashes
        for key, installed in self._filters.items():
            old = None if kept is None else kept.filters.get(key)
            if old is not None:
                installed.what = deepcopy(old)
            elif isinstance(installed.what, _TransactionFilter):
                installed.what.seen = min(installed.what.seen, recent.count)
            elif not self._is_canonical(installed.what.place):
                installed.what.place = self._here()

    def _forget_unpolled(self) -> None:
        oldest_s = self._clock_s() - TIMEOUT_S
        self._filters = {
            filter_id: installed
            for filter_id, installed in self._filters.items()
            if installed.polled_at_s > oldest_s
        }

    def _here(self) -> _Place:
        head = self._chain.head()
        return _Place(head.block_number, head.hash)

    def _new_blocks(self, place: _Place) -> tuple[int, int]:
        """Return the heights after a place, which is first led back to a block of this chain."""
        while not self._is_canonical(place):
            left = self._chain.block_by_hash(place.hash)
            if left is None:
                place.number = min(place.number, self._chain.head().block_number) - 1
                break
            place.number, place.hash = place.number - 1, left.header.parent_hash
        head = self._chain.head().block_number
        return place.number + 1, min(head, place.number + MAX_BLOCK_RANGE)

    def _is_canonical(self, place: _Place) -> bool:
        header = self._chain.header_by_number(place.number)
        return header is not None and header.hash == place.hash

    def _move(self, place: _Place, number: int) -> None:
        header = self._chain.header_by_number(number)
        if header is not None:
            place.number, place.hash = number, header.hash
