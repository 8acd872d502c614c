"""Methods that set accounts of a development chain; the head's state has the change at once."""

from node.rpc.caller import Caller
from node.rpc.dev_parameters import Code, Number, SmallNumber, Word, dev_of
from node.rpc.parameters import Address, Flag
from node.rpc.registry import rpc_method


@rpc_method("anvil_setBalance")
@rpc_method("hardhat_setBalance")
async def set_balance(caller: Caller, address: Address, wei: Number) -> None:
    """Set an account's balance, in wei."""
    await dev_of(caller).set_balance(address, wei)


@rpc_method("anvil_addBalance")
async def add_balance(caller: Caller, address: Address, wei: Number) -> None:
    """Add wei to an account's balance."""
    await dev_of(caller).add_balance(address, wei)


@rpc_method("anvil_setNonce")
@rpc_method("hardhat_setNonce")
@rpc_method("evm_setAccountNonce")
async def set_nonce(caller: Caller, address: Address, nonce: SmallNumber) -> None:
    """Set an account's transaction count."""
    await dev_of(caller).set_nonce(address, nonce)


@rpc_method("anvil_setCode")
@rpc_method("hardhat_setCode")
async def set_code(caller: Caller, address: Address, code: Code) -> None:
    """Set the code of an account; none makes it a plain account."""
    await dev_of(caller).set_code(address, code)


@rpc_method("anvil_setStorageAt")
@rpc_method("hardhat_setStorageAt")
async def set_storage(caller: Caller, address: Address, slot: Number, value: Word) -> bool:
    """Set a word of an account's storage; return true."""
    await dev_of(caller).set_storage(address, slot, value)
    return True


@rpc_method("anvil_impersonateAccount")
@rpc_method("hardhat_impersonateAccount")
async def impersonate(caller: Caller, address: Address) -> None:
    """Let eth_sendTransaction send from an account without its key, a contract's too."""
    dev_of(caller).impersonate(address)


@rpc_method("anvil_stopImpersonatingAccount")
@rpc_method("hardhat_stopImpersonatingAccount")
async def stop_impersonating(caller: Caller, address: Address) -> None:
    """End that."""
    dev_of(caller).stop_impersonating(address)


@rpc_method("anvil_autoImpersonateAccount")
@rpc_method("hardhat_autoImpersonateAccount")
async def impersonate_all(caller: Caller, is_on: Flag) -> None:
    """Let eth_sendTransaction send from every account, or end that."""
    dev_of(caller).impersonate_all(is_on=is_on)
