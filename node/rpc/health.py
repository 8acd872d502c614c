"""`/health` and `/ready` beside JSON-RPC: for load balancers and supervisors, which read statuses.

A node is healthy as long as it answers; it is ready where it is at the tip and could run the next
block. Both say the heights and what is missing; 503 comes with the reason.
"""

from collections.abc import Callable

from aiohttp import hdrs, web

from node.readiness import Phase
from node.rpc.chain_view import EthView

HEALTH, READY = "/health", "/ready"


def add_health(
    application: web.Application, chain: EthView, is_host_allowed: Callable[[str], bool]
) -> None:
    """Answer at both paths, for the hosts that JSON-RPC answers too."""

    def report(request: web.Request, *, needs_ready: bool) -> web.Response:
        if not is_host_allowed(request.headers.get(hdrs.HOST, "")):
            return web.Response(status=403, text="invalid host specified\n")
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

    async def health(request: web.Request) -> web.Response:
        return report(request, needs_ready=False)

    async def ready(request: web.Request) -> web.Response:
        return report(request, needs_ready=True)

    application.router.add_get(HEALTH, health)
    application.router.add_get(READY, ready)
