"""The eth_ method that searches logs."""

from node.rpc.chain_view import EthView
from node.rpc.log_filter import Filter
from node.rpc.log_search import find_logs
from node.rpc.registry import JsonText, rpc_method


@rpc_method("eth_getLogs", is_long=True)
async def get_logs(chain: EthView, wanted: Filter) -> JsonText:
    """Return the logs of a block or of a range that a filter lets through, in chain order."""
    return await find_logs(chain, wanted)
