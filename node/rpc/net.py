"""The net_ methods."""

from node.rpc.chain_view import ChainView
from node.rpc.encoding import quantity
from node.rpc.registry import rpc_method


@rpc_method("net_version")
async def version(chain: ChainView) -> str:
    """Return the network id, which is the chain id, in decimal."""
    return str(chain.chain_id)


@rpc_method("net_listening")
async def listening(_chain: ChainView) -> bool:
    """Return true: a node that answers takes peers too, as geth says it."""
    return True


@rpc_method("net_peerCount")
async def peer_count(chain: ChainView) -> str:
    """Return how many peers are connected."""
    return quantity(chain.peer_count())
