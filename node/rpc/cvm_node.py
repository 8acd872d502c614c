"""The cvm_ method about this node itself."""

from node.rpc.chain_view import ChainView
from node.rpc.encoding import data, quantity
from node.rpc.registry import JsonValue, rpc_method


@rpc_method("cvm_nodeStatus")
async def node_status(chain: ChainView) -> JsonValue:
    """Return whether this node can take part, and what keeps it back if not."""
    status = chain.node_status()
    return {
        "status": str(status),
        "phase": status.phase.value,
        "height": quantity(status.height),
        "highestHeight": quantity(status.highest),
        "missingModels": [data(model_id) for model_id in status.missing_models],
        "quarantinedBackend": status.quarantined,
    }
