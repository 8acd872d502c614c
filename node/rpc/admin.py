"""The admin_ methods: this node among others. Only the IPC socket answers them by itself."""

from collections.abc import Callable
from typing import Annotated, TypeAlias

from cvm.evm.keccak import keccak256
from node.p2p.faults import BadEnode
from node.rpc.caller import Caller
from node.rpc.encoding import data
from node.rpc.faults import BadArgument, MethodNotFound, ServerError
from node.rpc.node_facts import AdminView, NoNetwork, PeerFact
from node.rpc.parameters import shown
from node.rpc.registry import JsonValue, rpc_method


def parse_enode_text(value: object) -> str:
    """Return the text of an enode URL; the network reads it."""
    if not isinstance(value, str):
        raise BadArgument(f"{shown(value)} is not a string; want an enode URL")
    return value


EnodeText: TypeAlias = Annotated[str, parse_enode_text]


@rpc_method("admin_nodeInfo")
async def node_info(caller: Caller) -> JsonValue:
    """Return what this node is to others: its enode URL, and the chain that it is on."""
    found = _admin(caller, "admin_nodeInfo").self_fact()
    chain: JsonValue = {
        "network": found.network_id,
        "genesis": data(found.genesis_hash),
        "head": data(found.head_hash),
    }
    return {
        "id": keccak256(found.node_id).hex() if found.node_id else "",
        "name": found.client,
        "enode": found.enode or "",
        "ip": found.host,
        "ports": {"discovery": found.port, "listener": found.port},
        "listenAddr": f"{found.host}:{found.port}" if found.port else "",
        "protocols": {"cvm": chain, "eth": chain} if found.enode else {},
    }


@rpc_method("admin_peers")
async def peers(caller: Caller) -> JsonValue:
    """Return the nodes with which a session is open."""
    return [_peer_object(peer) for peer in _admin(caller, "admin_peers").peers()]


@rpc_method("admin_addPeer")
async def add_peer(caller: Caller, enode: EnodeText) -> bool:
    """Keep a session with a node from now on."""
    _change(_admin(caller, "admin_addPeer").add_peer, enode)
    return True


@rpc_method("admin_removePeer")
async def remove_peer(caller: Caller, enode: EnodeText) -> bool:
    """End the session with a node, and keep none with it any more."""
    _change(_admin(caller, "admin_removePeer").remove_peer, enode)
    return True


@rpc_method("admin_datadir")
async def datadir(caller: Caller) -> str:
    """Return the path of the data directory."""
    return str(_admin(caller, "admin_datadir").datadir())


def _admin(caller: Caller, method: str) -> AdminView:
    admin = caller.node.itself.admin
    if admin is None:
        raise MethodNotFound(method)
    return admin


def _change(change: Callable[[str], None], enode: str) -> None:
    try:
        change(enode)
    except BadEnode as fault:
        raise ServerError(f"invalid enode: {fault}") from fault
    except NoNetwork as fault:
        raise ServerError(str(fault)) from fault


def _peer_object(peer: PeerFact) -> JsonValue:
    host = f"[{peer.host}]" if ":" in peer.host else peer.host
    return {
        "enode": f"enode://{peer.node_id.hex()}@{host}:{peer.port}",
        "id": keccak256(peer.node_id).hex(),
        "name": peer.client,
        "caps": [f"{name}/{version}" for name, version in peer.capabilities],
        "network": {
            "remoteAddress": f"{host}:{peer.port}",
            "inbound": peer.is_inbound,
            "trusted": False,
            "static": peer.is_static,
        },
        "protocols": {name: {"version": version} for name, version in peer.capabilities},
    }
