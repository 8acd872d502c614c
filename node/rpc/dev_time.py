"""Methods that move the time of a development chain."""

from node.rpc.caller import Caller
from node.rpc.dev_parameters import SmallNumber, dev_of
from node.rpc.registry import rpc_method


@rpc_method("evm_increaseTime")
async def increase_time(caller: Caller, seconds: SmallNumber) -> int:
    """Move the chain's time forward; return by how many seconds it is ahead of the machine's."""
    return dev_of(caller).increase_time(seconds)


@rpc_method("evm_setTime")
@rpc_method("anvil_setTime")
async def set_time(caller: Caller, timestamp: SmallNumber) -> int:
    """Set the chain's time, in seconds; return by how many it is ahead of the machine's."""
    return dev_of(caller).set_time(timestamp)


@rpc_method("evm_setNextBlockTimestamp")
@rpc_method("anvil_setNextBlockTimestamp")
async def set_next_timestamp(caller: Caller, timestamp: SmallNumber) -> None:
    """Set the time of the next block, in seconds; later ones go on from there."""
    dev_of(caller).set_next_timestamp(timestamp)


@rpc_method("anvil_setBlockTimestampInterval")
async def set_block_interval(caller: Caller, seconds: SmallNumber) -> None:
    """Give each block a time so many seconds after the one before."""
    dev_of(caller).set_block_interval(seconds)


@rpc_method("anvil_removeBlockTimestampInterval")
async def remove_block_interval(caller: Caller) -> bool:
    """End that; return whether there was an interval."""
    return dev_of(caller).set_block_interval(None)
