"""Methods of a development chain that make blocks, or say when blocks are made."""

from node.rpc.caller import Caller
from node.rpc.dev_parameters import (
    BlockCount,
    Mine,
    MineOptions,
    Number,
    OptionalSmallNumber,
    SmallNumber,
    dev_of,
)
from node.rpc.encoding import data
from node.rpc.parameters import Address, Flag, Hash
from node.rpc.registry import rpc_method

ONE_BLOCK = MineOptions()
MINED = "0x0"
"""What anvil, ganache and hardhat say of a mined block."""


@rpc_method("evm_mine")
async def mine_one(caller: Caller, options: Mine = ONE_BLOCK) -> str:
    """Make a block, of a given time if there is one, or so many `blocks`.

    Takes a time in seconds, or an object of `timestamp` and `blocks`.
    """
    await dev_of(caller).mine(options.blocks, first_at=options.timestamp)
    return MINED


@rpc_method("anvil_mine")
@rpc_method("hardhat_mine")
async def mine(caller: Caller, count: BlockCount = 1, interval: OptionalSmallNumber = None) -> None:
    """Make so many blocks; with an interval, each comes so many seconds after the one before."""
    await dev_of(caller).mine(count, interval)


@rpc_method("evm_setAutomine")
@rpc_method("anvil_setAutomine")
@rpc_method("hardhat_setAutomine")
async def set_automine(caller: Caller, is_on: Flag) -> None:
    """Make a block as soon as a transaction waits, or only when told to."""
    dev_of(caller).set_automine(is_on=is_on)


@rpc_method("anvil_getAutomine")
@rpc_method("hardhat_getAutomine")
async def get_automine(caller: Caller) -> bool:
    """Return whether a block is made as soon as a transaction waits."""
    return dev_of(caller).automine()


@rpc_method("evm_setIntervalMining")
@rpc_method("anvil_setIntervalMining")
async def set_interval(caller: Caller, seconds: SmallNumber) -> None:
    """Make a block every so many seconds and none in between; 0 makes none by itself."""
    dev_of(caller).set_interval(seconds)


@rpc_method("anvil_getIntervalMining")
async def get_interval(caller: Caller) -> int | None:
    """Return after how many seconds a block is made, null where it is not time that makes them."""
    return dev_of(caller).interval()


@rpc_method("anvil_setNextBlockBaseFeePerGas")
@rpc_method("hardhat_setNextBlockBaseFeePerGas")
async def set_next_base_fee(caller: Caller, wei: Number) -> None:
    """Set the base fee of the next block, in wei per gas."""
    dev_of(caller).set_next_base_fee(wei)


@rpc_method("anvil_dropTransaction")
@rpc_method("hardhat_dropTransaction")
async def drop_transaction(caller: Caller, tx_hash: Hash) -> str | None:
    """Remove a transaction from the pool and return its hash, null where it was not there."""
    return data(tx_hash) if dev_of(caller).drop(tx_hash) else None


@rpc_method("anvil_dropAllTransactions")
async def drop_all(caller: Caller) -> None:
    """Empty the pool."""
    dev_of(caller).drop_all()


@rpc_method("anvil_removePoolTransactions")
async def drop_from(caller: Caller, sender: Address) -> None:
    """Remove all that a sender has in the pool."""
    dev_of(caller).drop_from(sender)
