"""The net_ methods."""

from node.rpc.chain_view import EthView
from node.rpc.encoding import quantity
from node.rpc.registry import rpc_method


@rpc_method("net_version")
async def version(chain: EthView) -> str:
    """Return the network id, which is the chain id, in decimal."""
    return str(chain.chain_id)


@rpc_method("net_listening")
async def listening(_chain: EthView) -> bool:
    """Return true: a node that answers takes peers too, as geth says it."""
    return True


@rpc_method("net_peerCount")
async def peer_count(chain: EthView) -> str:
    """Return how many peers are connected."""
    return quantity(chain.peer_count())
