"""The eth_ methods about the node itself: which rules it knows, and how far back it answers."""

from collections.abc import Mapping

from node.rpc.block_lookup import find_header
from node.rpc.caller import Caller
from node.rpc.encoding import data, quantity
from node.rpc.faults import MethodNotFound, ResourceNotFound, ServerError
from node.rpc.node_facts import ForkSettings, NodeFacts, Retention
from node.rpc.parameters import Block
from node.rpc.registry import JsonValue, rpc_method


@rpc_method("eth_config")
async def config(caller: Caller) -> JsonValue:
    """Return the rules that hold now, and those that are planned (EIP-7910)."""
    plan = require_facts(caller, "eth_config").fork_plan()
    if plan is None:
        raise MethodNotFound("eth_config")
    return {
        "current": _settings_object(plan.current),
        "next": None if plan.next is None else _settings_object(plan.next),
        "last": None if plan.last is None else _settings_object(plan.last),
    }


@rpc_method("eth_capabilities")
async def capabilities(caller: Caller) -> JsonValue:
    """Return from which block on this node answers which kind of question."""
    facts = caller.node.itself.facts
    held = Retention() if facts is None else facts.retention()
    head = caller.chain.head()
    blocks: JsonValue = {"disabled": False, "oldestBlock": quantity(held.oldest_block)}
    states: dict[str, JsonValue] = {
        "disabled": False,
        "oldestBlock": quantity(held.oldest_state),
    }
    if held.state_window is not None:
        window = {"type": "window", "retentionBlocks": quantity(held.state_window)}
        states["deleteStrategy"] = window
    return {
        "head": {"number": quantity(head.block_number), "hash": data(head.hash)},
        "state": states,
        "tx": blocks,
        "logs": blocks,
        "receipts": blocks,
        "blocks": blocks,
        "stateproofs": states,
    }


@rpc_method("eth_coinbase")
async def coinbase(caller: Caller) -> str:
    """Return the address that this node proposes blocks with."""
    address = require_facts(caller, "eth_coinbase").coinbase()
    if address is None:
        raise ServerError("etherbase must be explicitly specified")
    return data(address)


@rpc_method("eth_getBlockAccessList")
async def get_block_access_list(caller: Caller, block: Block) -> JsonValue:
    """Return what a block read and wrote (EIP-7928): null where the block is not known.

    Blocks have such a list from Amsterdam on; those of earlier forks are answered with an error.
    """
    if find_header(caller.chain, block) is None:
        return None
    raise ResourceNotFound("Resource not found: this block is of a fork before Amsterdam")


def require_facts(caller: Caller, method: str) -> NodeFacts:
    """Return what the node tells of itself; raises `MethodNotFound` where it does not."""
    facts = caller.node.itself.facts
    if facts is None:
        raise MethodNotFound(method)
    return facts


def _settings_object(settings: ForkSettings) -> JsonValue:
    return {
        "activationTime": settings.activation_time,
        "blobSchedule": {
            "baseFeeUpdateFraction": settings.blob_base_fee_fraction,
            "max": settings.max_blobs,
            "target": settings.target_blobs,
        },
        "chainId": quantity(settings.chain_id),
        "forkId": data(settings.fork_id),
        "precompiles": _named(settings.precompiles),
        "systemContracts": _named(settings.system_contracts),
    }


def _named(addresses: Mapping[str, bytes]) -> dict[str, JsonValue]:
    return {name: data(addresses[name]) for name in sorted(addresses)}
