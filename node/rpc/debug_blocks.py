"""The debug_ method about blocks that were refused."""

from node.rpc.caller import Caller
from node.rpc.encoding import block_object, data
from node.rpc.eth_node import require_facts
from node.rpc.registry import JsonValue, rpc_method


@rpc_method("debug_getBadBlocks", is_long=True)
async def get_bad_blocks(caller: Caller) -> JsonValue:
    """Return the last ten blocks that came from the network and broke a rule, oldest first."""
    return [
        {
            "block": block_object(bad.block, is_full=True),
            "hash": data(bad.block.header.hash),
            "rlp": data(bad.rlp),
        }
        for bad in require_facts(caller, "debug_getBadBlocks").bad_blocks()
    ]
