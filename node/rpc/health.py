"""`/health` and `/ready` beside JSON-RPC: for load balancers and supervisors, which read statuses.

A node is healthy as long as it answers; it is ready where it is at the tip and could run the next
block. Both say the heights and what is missing; 503 comes with the reason.
"""

from aiohttp import web

from node.readiness import Phase
from node.rpc.chain_view import EthView

HEALTH, READY = "/health", "/ready"


def health_report(chain: EthView, *, needs_ready: bool) -> web.Response:
    """Return what either path answers."""
    status = chain.node_status()
    body = {
        "status": str(status.phase),
        "reason": None if status.phase is Phase.READY else str(status),
        "height": status.height,
        "highest": status.highest,
        "peers": chain.peer_count(),
    }
    is_fine = status.phase is Phase.READY or not needs_ready
    return web.json_response(body, status=200 if is_fine else 503)
