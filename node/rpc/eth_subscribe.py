"""The eth_ methods that make the node push: eth_subscribe and eth_unsubscribe."""

from typing import Annotated, TypeAlias

from node.rpc.caller import Caller, Subscriber
from node.rpc.faults import (
    BadArgument,
    InvalidParams,
    NoSuchSubscription,
    NotificationsUnsupported,
    ServerError,
)
from node.rpc.log_filter import parse_log_filter
from node.rpc.parameters import parse_flag, shown
from node.rpc.registry import rpc_method


def parse_name(value: object) -> str:
    """Return the name of what to subscribe to."""
    if not isinstance(value, str):
        raise BadArgument("expected subscription name as first argument")
    return value


def parse_id(value: object) -> str:
    """Return the id of a subscription, whatever it is."""
    if not isinstance(value, str):
        raise BadArgument(f"{shown(value)} is not a string; want the id of a subscription")
    return value


def parse_options(value: object) -> object:
    """Return what narrows a subscription down as it is: each kind reads its own."""
    return value


SubscriptionName: TypeAlias = Annotated[str, parse_name]
SubscriptionId: TypeAlias = Annotated[str, parse_id]
SubscriptionOptions: TypeAlias = Annotated[object, parse_options]


@rpc_method("eth_subscribe")
async def subscribe(
    caller: Caller, name: SubscriptionName, options: SubscriptionOptions = None
) -> str:
    """Push newHeads, logs, newPendingTransactions or syncing, and return the subscription's id.

    logs takes a filter object, newPendingTransactions a flag for whole transactions.
    """
    if caller.subscriber is None:
        raise NotificationsUnsupported
    try:
        return _subscribe(caller.subscriber, name, options)
    except BadArgument as fault:
        raise InvalidParams(f"invalid argument 1: {fault}") from fault


@rpc_method("eth_unsubscribe")
async def unsubscribe(caller: Caller, subscription_id: SubscriptionId) -> bool:
    """End a subscription."""
    if caller.subscriber is None or not caller.subscriber.unsubscribe(subscription_id):
        raise ServerError("subscription not found")
    return True


def _subscribe(subscriber: Subscriber, name: str, options: object) -> str:
    if name == "logs":
        return subscriber.logs(parse_log_filter({} if options is None else options))
    if name == "newPendingTransactions":
        return subscriber.new_pending_transactions(
            is_full=parse_flag(False if options is None else options)
        )
    if name not in ("newHeads", "syncing"):
        raise NoSuchSubscription(shown(name))
    if options is not None:
        raise InvalidParams("too many arguments, want at most 1")
    return subscriber.new_heads() if name == "newHeads" else subscriber.syncing()
