"""The cvm_ methods about this node itself, and what it has seen of validators."""

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
        "round": quantity(status.round),
    }


@rpc_method("cvm_listEvidence")
async def list_evidence(chain: ChainView) -> JsonValue:
    """Return the proofs of double votes that are known here; `data` is what the contract takes."""
    return [
        {
            "validator": data(evidence.signer),
            "code": quantity(evidence.code),
            "height": quantity(evidence.height),
            "round": quantity(evidence.round),
            "data": data(evidence.encode()),
        }
        for evidence in chain.known_evidence()
    ]
