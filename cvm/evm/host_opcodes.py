"""Opcodes that ask for accounts, blocks or blobs: the same functions for both interpreters.

Each does all of its opcode: it pops, charges, works and pushes. Stack bounds were checked.
"""

from collections.abc import Callable
from types import MappingProxyType

from cvm.evm.frame_view import FrameView
from cvm.evm.halts import WriteProtection
from cvm.evm.live_account import LiveAccount
from cvm.evm.world_state import WorldState

WARM_ACCOUNT_GAS = 100  # EIP-2929
COLD_ACCOUNT_GAS = 2_600
COPY_WORD_GAS = 3
BLOCKHASH_GAS = 20
BLOBHASH_GAS = 3
SELFBALANCE_GAS = 5
SELFDESTRUCT_GAS = 5_000
NEW_ACCOUNT_GAS = 25_000
BLOCKHASH_WINDOW = 256
ADDRESS_MASK = (1 << 160) - 1

HostOpcode = Callable[[FrameView], None]


def pop_account(frame: FrameView) -> LiveAccount:
    """Pop an address and return its account."""
    return frame.world.account((frame.pop() & ADDRESS_MASK).to_bytes(20, "big"))


def access_gas(world: WorldState, account: LiveAccount) -> int:
    """Warm an address and return what the access costs (EIP-2929)."""
    return COLD_ACCOUNT_GAS if world.warm_address(account) else WARM_ACCOUNT_GAS


def balance(frame: FrameView) -> None:
    """Push the balance of an address in wei (BALANCE)."""
    account = pop_account(frame)
    frame.charge(access_gas(frame.world, account))
    frame.push(account.balance)


def selfbalance(frame: FrameView) -> None:
    """Push the balance of the running account (SELFBALANCE, EIP-1884)."""
    frame.charge(SELFBALANCE_GAS)
    frame.push(frame.world.account(frame.address).balance)


def extcodesize(frame: FrameView) -> None:
    """Push the size of an account's code (EXTCODESIZE)."""
    account = pop_account(frame)
    frame.charge(access_gas(frame.world, account))
    frame.push(len(frame.world.code_of(account)))


def extcodecopy(frame: FrameView) -> None:
    """Copy an account's code to memory, zeros after its end (EXTCODECOPY)."""
    account = pop_account(frame)
    target, offset, size = frame.pop(), frame.pop(), frame.pop()
    frame.charge(access_gas(frame.world, account) + COPY_WORD_GAS * -(-size // 32))
    frame.reserve((target, size))
    if size:
        part = frame.world.code_of(account)[offset : offset + size]
        frame.write(target, part.ljust(size, b"\0"))


def extcodehash(frame: FrameView) -> None:
    """Push the hash of an account's code, 0 where no account is (EXTCODEHASH, EIP-1052)."""
    account = pop_account(frame)
    frame.charge(access_gas(frame.world, account))
    is_there = account.exists and not account.is_empty
    frame.push(int.from_bytes(account.code_hash, "big") if is_there else 0)


def blobhash(frame: FrameView) -> None:
    """Push a versioned hash of the transaction, 0 past the last (BLOBHASH, EIP-4844)."""
    index = frame.pop()
    frame.charge(BLOBHASH_GAS)
    hashes = frame.transaction.blob_hashes
    frame.push(int.from_bytes(hashes[index], "big") if index < len(hashes) else 0)


def blockhash(frame: FrameView) -> None:
    """Push the hash of one of the last 256 blocks, 0 for any other number (BLOCKHASH)."""
    number = frame.pop()
    frame.charge(BLOCKHASH_GAS)
    distance = frame.block.number - number
    known = 1 <= distance <= BLOCKHASH_WINDOW
    frame.push(int.from_bytes(frame.world.block_hash(number), "big") if known else 0)


def selfdestruct(frame: FrameView) -> None:
    """Send the balance away; the account goes if this transaction made it (EIP-6780).

    Before Cancun it always goes.
    """
    if frame.is_static:
        raise WriteProtection
    world = frame.world
    heir = pop_account(frame)
    account = world.account(frame.address)
    gas = SELFDESTRUCT_GAS
    if world.warm_address(heir):
        gas += COLD_ACCOUNT_GAS
    if account.balance and (not heir.exists or heir.is_empty):
        gas += NEW_ACCOUNT_GAS
    frame.charge(gas)
    goes = not world.fork.is_cancun or account.fresh == world.transaction
    amount = account.balance
    world.set_balance(account, 0)
    world.set_balance(heir, heir.balance + amount)
    if goes:
        world.set_balance(account, 0)
        world.destroy(account)


HOST_OPCODES = MappingProxyType[int, HostOpcode](
    {
        0x31: balance,
        0x3B: extcodesize,
        0x3C: extcodecopy,
        0x3F: extcodehash,
        0x40: blockhash,
        0x47: selfbalance,
        0x49: blobhash,
    }
)
"""Those after which the frame goes on; calls, creations and SELFDESTRUCT are in `calls`."""
