"""The eth_ methods about filters that a client polls, for those without a WebSocket."""

from typing import Annotated, TypeAlias

from node.rpc.caller import Caller
from node.rpc.faults import BadArgument
from node.rpc.json_value import JsonResult, JsonText
from node.rpc.log_filter import Filter, followed_heights
from node.rpc.log_search import find_logs
from node.rpc.parameters import Flag, shown
from node.rpc.registry import rpc_method


def parse_filter_id(value: object) -> str:
    """Return the id of a filter, whatever it is: the table knows its own."""
    if not isinstance(value, str):
        raise BadArgument(f"{shown(value)} is not a string; want the id of a filter")
    return value


FilterId: TypeAlias = Annotated[str, parse_filter_id]


@rpc_method("eth_newFilter")
async def new_filter(caller: Caller, wanted: Filter) -> str:
    """Install a filter for new logs and return its id; it ends when it is not polled for 5 min."""
    return caller.node.filters.follow_logs(wanted, followed_heights(wanted))


@rpc_method("eth_newBlockFilter")
async def new_block_filter(caller: Caller) -> str:
    """Install a filter for the hashes of new blocks and return its id."""
    return caller.node.filters.follow_blocks()


@rpc_method("eth_newPendingTransactionFilter")
async def new_pending_transaction_filter(caller: Caller, is_full: Flag = False) -> str:
    """Install a filter for transactions that come to wait: their hashes, or all of them."""
    return caller.node.filters.follow_transactions(is_full=is_full)


@rpc_method("eth_getFilterChanges", is_long=True)
async def get_filter_changes(caller: Caller, filter_id: FilterId) -> JsonResult:
    """Return what a filter found since it was last asked."""
    return await caller.node.filters.changes(filter_id)


@rpc_method("eth_getFilterLogs", is_long=True)
async def get_filter_logs(caller: Caller, filter_id: FilterId) -> JsonText:
    """Return everything that a filter for logs lets through, from the start of its range."""
    return await find_logs(caller.chain, caller.node.filters.log_filter(filter_id))


@rpc_method("eth_uninstallFilter")
async def uninstall_filter(caller: Caller, filter_id: FilterId) -> bool:
    """Forget a filter; false where there was none."""
    return caller.node.filters.uninstall(filter_id)
