"""Methods that take a development chain back: to a snapshot, or to its first block."""

from consensus.header_rules import next_base_fee
from node.rpc.caller import Caller
from node.rpc.dev_faults import NoForkingHere
from node.rpc.dev_parameters import Number, Reset, ResetOptions, dev_of
from node.rpc.encoding import data, quantity
from node.rpc.registry import JsonValue, rpc_method

AFRESH = ResetOptions()
HARD_FORK = "Osaka"


@rpc_method("evm_snapshot")
@rpc_method("anvil_snapshot")
async def take_snapshot(caller: Caller) -> str:
    """Remember chain, state, pool, time and filters; return the snapshot's number."""
    return quantity(await dev_of(caller).take_snapshot())


@rpc_method("evm_revert")
@rpc_method("anvil_revert")
async def revert(caller: Caller, snapshot_id: Number) -> bool:
    """Go back to a snapshot, which ends it and all later ones; return whether there was one."""
    return await dev_of(caller).revert(snapshot_id)


@rpc_method("anvil_reset")
@rpc_method("hardhat_reset")
async def reset(caller: Caller, options: Reset = AFRESH) -> None:
    """Begin again with block 0; there is no forking from an address."""
    if options.forks:
        raise NoForkingHere
    await dev_of(caller).restart()


@rpc_method("anvil_metadata")
@rpc_method("hardhat_metadata")
async def metadata(caller: Caller) -> JsonValue:
    """Return the node's version, and where its chain and its snapshots stand."""
    chain, dev = caller.chain, dev_of(caller)
    head = chain.head()
    return {
        "clientVersion": chain.client_version,
        "chainId": chain.chain_id,
        "instanceId": data(dev.instance_id()),
        "latestBlockNumber": head.block_number,
        "latestBlockHash": data(head.hash),
        "forkedNetwork": None,
        "snapshots": {
            quantity(each.snapshot_id): [each.block_number, data(each.block_hash)]
            for each in dev.snapshots()
        },
    }


@rpc_method("anvil_nodeInfo")
async def node_info(caller: Caller) -> JsonValue:
    """Return the head, the rules and the fees of the next block."""
    chain = caller.chain
    dev_of(caller)
    head = chain.head()
    fee = next_base_fee(head)
    return {
        "currentBlockNumber": quantity(head.block_number),
        "currentBlockTimestamp": head.timestamp,
        "currentBlockHash": data(head.hash),
        "hardFork": HARD_FORK,
        "transactionOrder": "fees",
        "environment": {
            "baseFee": quantity(fee),
            "chainId": chain.chain_id,
            "gasLimit": quantity(head.gas_limit),
            "gasPrice": quantity(fee),
        },
        "forkConfig": {"forkUrl": None, "forkBlockNumber": None, "forkRetryBackoff": None},
    }
