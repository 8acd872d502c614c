"""Who asks: the node that answers, over which transport, and where notifications would go."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Protocol

from node.rpc.chain_view import EthView
from node.rpc.events import ChainEvents
from node.rpc.filter_table import FilterTable
from node.rpc.log_filter import LogFilter
from node.rpc.node_facts import NodeSelf
from node.rpc.request_watch import RequestWatch
from node.rpc.rpc_config import NAMESPACES, PUBLIC_NAMESPACES
from node.rpc.subscriptions import SubscriptionHub

DEV_NAMESPACES = frozenset({"anvil", "evm", "hardhat"})
"""Methods that change the chain without a transaction: a development chain adds them."""

LOCAL_NAMESPACES = frozenset(NAMESPACES)
"""What the IPC socket answers: only who may read the data directory reaches it."""

ALWAYS = "rpc"
"""rpc_modules and rpc.discover tell what there is, so they are everywhere."""


class Subscriber(Protocol):
    """The end of a connection that can be notified; each method returns the subscription's id."""

    def new_heads(self) -> str:
        """Send every new header."""

    def logs(self, wanted: LogFilter) -> str:
        """Send every new log that a filter lets through."""

    def new_pending_transactions(self, *, is_full: bool) -> str:
        """Send every transaction that comes to wait: its hash, or all of it."""

    def syncing(self) -> str:
        """Send whenever catching up begins, comes further or ends."""

    def unsubscribe(self, subscription_id: str) -> bool:
        """End a subscription; tell whether there was one."""


@dataclass(frozen=True, slots=True)
class RpcNode:
    """What every endpoint of a node shares; filters live here, not with a connection.

    Namespaces in `without` mean nothing on its chain: no endpoint answers them.
    """

    chain: EthView
    events: ChainEvents
    filters: FilterTable
    subscriptions: SubscriptionHub
    without: frozenset[str] = frozenset()
    itself: NodeSelf = field(default_factory=NodeSelf)
    watch: RequestWatch = field(default_factory=RequestWatch)


@dataclass(frozen=True, slots=True)
class Caller:
    """One connection's side of a request; `subscriber` is None where nothing can be pushed."""

    node: RpcNode
    namespaces: frozenset[str] = frozenset(PUBLIC_NAMESPACES)
    subscriber: Subscriber | None = None

    @property
    def chain(self) -> EthView:
        """Return the chain that is asked about."""
        return self.node.chain

    def may_call(self, method: str) -> bool:
        """Tell whether a method's namespace is switched on here."""
        namespace = namespace_of(method)
        if namespace in self.node.without:
            return False
        return namespace == ALWAYS or namespace in self.namespaces


@cache
def namespace_of(method: str) -> str:
    """Return what a method's name starts with: `eth` of eth_call, `rpc` of rpc.discover."""
    return method.replace(".", "_").partition("_")[0]


def rpc_node(
    chain: EthView,
    clock_s: Callable[[], float],
    events: ChainEvents,
    itself: NodeSelf | None = None,
    without: frozenset[str] = frozenset(),
    filters: FilterTable | None = None,
) -> RpcNode:
    """Return the shared part of a node's endpoints; filters expire by `clock_s`.

    Without a development chain there are none of its methods, wherever they are switched on.
    """
    itself = itself or NodeSelf()
    if itself.dev is None:
        without |= DEV_NAMESPACES
    filters = filters or FilterTable(chain, events, clock_s)
    hub = SubscriptionHub(chain, events)
    return RpcNode(chain, events, filters, hub, without, itself)
