"""eth_subscribe: what a node pushes to its clients, each notification written down once per kind.

However many clients follow the heads, a header becomes JSON once; a client's own part of a
notification is the id of its subscription before that text.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from cvm.evm.transaction import Transaction
from node.keys import draw_bytes
from node.rpc.chain_view import EthView, SyncProgress
from node.rpc.encoding import data, header_fields, log_object, quantity, transaction_object
from node.rpc.events import ChainEvents, NewHead
from node.rpc.faults import LimitExceeded
from node.rpc.json_value import JsonValue, to_text
from node.rpc.log_filter import LogFilter, followed_heights, may_contain
from node.rpc.outbox import Outbox

MAX_SUBSCRIPTIONS = 128
MAX_WANTED_VALUES = 10_000
"""Addresses and topics of all its filters for logs; both bounds are of one client."""

ID_BYTES = 16


@dataclass(frozen=True, slots=True, eq=False)
class Subscription:
    """One wish of one client; `outbox` is its connection's."""

    id: str
    outbox: Outbox

    def push(self, result: bytes, *, is_alone: bool = False) -> None:
        """Send a notification whose result is this JSON text."""
        self.outbox.notify(
            b'{"jsonrpc":"2.0","method":"eth_subscription","params":{"subscription":"'
            + self.id.encode()
            + b'","result":'
            + result
            + b"}}",
            is_alone=is_alone,
        )


Group = dict[Subscription, None]
"""Subscriptions that hear the same, in the order in which they came."""


class SubscriptionHub:
    """Every subscription of a node, by what it hears."""

    def __init__(self, chain: EthView, events: ChainEvents) -> None:
        self._chain = chain
        self._heads: Group = {}
        self._logs: dict[LogFilter, Group] = {}
        self._hashes: Group = {}
        self._transactions: Group = {}
        self._syncing: Group = {}
        self._was_syncing = False
        events.on_head(self._new_head)
        events.on_pending(self._new_pending)

    def add_heads(self, subscription: Subscription) -> None:
        """Send every new header."""
        self._heads[subscription] = None

    def add_logs(self, subscription: Subscription, wanted: LogFilter) -> None:
        """Send every new log that a filter lets through; raises `InvalidParams`."""
        followed_heights(wanted)
        self._logs.setdefault(wanted, {})[subscription] = None

    def add_pending(self, subscription: Subscription, *, is_full: bool) -> None:
        """Send every transaction that comes to wait: its hash, or all of it."""
        (self._transactions if is_full else self._hashes)[subscription] = None

    def add_syncing(self, subscription: Subscription) -> None:
        """Send whenever catching up begins or ends."""
        if not self._syncing:
            self._was_syncing = self._chain.sync_progress() is not None
        self._syncing[subscription] = None

    def remove(self, subscription: Subscription) -> None:
        """Send nothing more to a subscription."""
        for group in (self._heads, self._hashes, self._transactions, self._syncing):
            group.pop(subscription, None)
        for wanted in [each for each, group in self._logs.items() if subscription in group]:
            del self._logs[wanted][subscription]
            if not self._logs[wanted]:
                del self._logs[wanted]

    def _new_head(self, head: NewHead) -> None:
        if self._heads:
            is_alone = not self._logs or head.header.bloom == 0
            push_all(self._heads, dumped(header_fields(head.header)), is_alone=is_alone)
        if self._logs and head.header.bloom:
            logs = HeadLogs(head)
            for wanted, group in self._logs.items():
                push_logs(logs, wanted, group)
        if self._syncing:
            self._push_syncing()

    def _push_syncing(self) -> None:
        progress = self._chain.sync_progress()
        is_syncing = progress is not None
        if is_syncing != self._was_syncing:
            self._was_syncing = is_syncing
            push_all(self._syncing, dumped(syncing_object(progress)))

    def _new_pending(self, tx: Transaction) -> None:
        if self._hashes:
            push_all(self._hashes, dumped(data(tx.hash)))
        if self._transactions:
            push_all(self._transactions, dumped(transaction_object(tx, None, None)))


class ClientSubscriptions:
    """The subscriptions of one connection: a `Subscriber` for its requests."""

    def __init__(
        self, hub: SubscriptionHub, outbox: Outbox, draw: Callable[[int], bytes] = draw_bytes
    ) -> None:
        self._hub = hub
        self._outbox = outbox
        self._draw = draw
        self._own: dict[str, Subscription] = {}
        self._wanted: dict[str, int] = {}

    def new_heads(self) -> str:
        """Send every new header."""
        subscription = self._new()
        self._hub.add_heads(subscription)
        return self._kept(subscription)

    def logs(self, wanted: LogFilter) -> str:
        """Send every new log that a filter lets through; raises `InvalidParams`."""
        subscription = self._new()
        if sum(self._wanted.values()) + wanted.size > MAX_WANTED_VALUES:
            raise LimitExceeded(
                f"the filters of a client may name {MAX_WANTED_VALUES} addresses and topics"
            )
        self._hub.add_logs(subscription, wanted)
        self._wanted[subscription.id] = wanted.size
        return self._kept(subscription)

    def new_pending_transactions(self, *, is_full: bool) -> str:
        """Send every transaction that comes to wait: its hash, or all of it."""
        subscription = self._new()
        self._hub.add_pending(subscription, is_full=is_full)
        return self._kept(subscription)

    def syncing(self) -> str:
        """Send whenever catching up begins or ends."""
        subscription = self._new()
        self._hub.add_syncing(subscription)
        return self._kept(subscription)

    def unsubscribe(self, subscription_id: str) -> bool:
        """End a subscription; tell whether there was one."""
        subscription = self._own.pop(subscription_id, None)
        if subscription is None:
            return False
        self._wanted.pop(subscription_id, None)
        self._hub.remove(subscription)
        return True

    def close(self) -> None:
        """End every subscription of this client."""
        for subscription_id in list(self._own):
            self.unsubscribe(subscription_id)

    def _new(self) -> Subscription:
        if len(self._own) >= MAX_SUBSCRIPTIONS:
            raise LimitExceeded(f"a client may have {MAX_SUBSCRIPTIONS} subscriptions")
        return Subscription(hex(int.from_bytes(self._draw(ID_BYTES), "big")), self._outbox)

    def _kept(self, subscription: Subscription) -> str:
        self._own[subscription.id] = subscription
        return subscription.id


class HeadLogs:
    """The logs of a new head, each written down once, however many filters let it through."""

    def __init__(self, head: NewHead) -> None:
        self.header = head.header
        pairs = zip(head.transactions, head.receipts, strict=True)
        self._logs = [
            (log, tx.hash, index)
            for index, (tx, receipt) in enumerate(pairs)
            for log in receipt.logs
        ]
        self._texts: dict[int, bytes] = {}

    def wanted(self, wanted: LogFilter) -> Iterator[bytes]:
        """Yield the JSON text of each log that a filter lets through, in order."""
        for log_index, (log, tx_hash, tx_index) in enumerate(self._logs):
            if not wanted.matches(log):
                continue
            text = self._texts.get(log_index)
            if text is None:
                text = dumped(log_object(log, self.header, tx_hash, tx_index, log_index))
                self._texts[log_index] = text
            yield text


def push_logs(logs: HeadLogs, wanted: LogFilter, group: Group) -> None:
    """Send a group the logs that its filter lets through, while anybody in it keeps up."""
    header = logs.header
    if header.block_number not in followed_heights(wanted):
        return
    if not may_contain(header.bloom, wanted.bloom_masks()):
        return
    for text in logs.wanted(wanted):
        if all(subscription.outbox.is_given_up for subscription in group):
            return
        push_all(group, text)


def push_all(group: Group, result: bytes, *, is_alone: bool = False) -> None:
    """Send the same notification to all of a group; `is_alone` where no other comes with it."""
    for subscription in group:
        subscription.push(result, is_alone=is_alone)


def syncing_object(progress: SyncProgress | None) -> JsonValue:
    """Return what subscribers are told when catching up begins, and false when it ends."""
    if progress is None:
        return False
    return {
        "syncing": True,
        "status": {
            "startingBlock": quantity(progress.starting_block),
            "currentBlock": quantity(progress.current_block),
            "highestBlock": quantity(progress.highest_block),
        },
    }


def dumped(value: JsonValue) -> bytes:
    """Return the JSON text of a value."""
    return to_text(value).encode()
