"""Opcodes that ask for other accounts or blocks: the same functions for both interpreters.

Each does all of its opcode: it pops, charges, works and pushes. Stack bounds were checked.
"""

from collections.abc import Callable
from types import MappingProxyType

from cvm.evm.frame_view import FrameView
from cvm.evm.gas_costs import COPY_WORD_GAS, WARM_GAS
from cvm.evm.halts import OutOfGas, WriteProtection
from cvm.evm.live_account import LiveAccount

COLD_ACCOUNT_GAS = 2_600  # EIP-2929
BLOCKHASH_GAS = 20
SELFDESTRUCT_GAS = 5_000
NEW_ACCOUNT_GAS = 25_000
BLOCKHASH_WINDOW = 256
ADDRESS_MASK = (1 << 160) - 1

HostOpcode = Callable[[FrameView], None]


def pop_address(frame: FrameView) -> bytes:
    """Pop an address."""
    return (frame.pop() & ADDRESS_MASK).to_bytes(20, "big")


def reached(frame: FrameView, address: bytes, warm_gas: int = WARM_GAS) -> LiveAccount:
    """Charge for access to an address, warm it and return its account (EIP-2929).

    An account is read from the state for nobody who does not pay for it.
    """
    world = frame.world
    if frame.gas < COLD_ACCOUNT_GAS and not world.holds(address):
        raise OutOfGas
    account = world.account(address)
    frame.charge(COLD_ACCOUNT_GAS if world.warm_address(account) else warm_gas)
    return account


def balance(frame: FrameView) -> None:
    """Push the balance of an address in wei (BALANCE)."""
    frame.push(reached(frame, pop_address(frame)).balance)


def extcodesize(frame: FrameView) -> None:
    """Push the size of an account's code (EXTCODESIZE)."""
    account = reached(frame, pop_address(frame))
    frame.push(len(frame.world.code_of(account)))


def extcodecopy(frame: FrameView) -> None:
    """Copy an account's code to memory, zeros after its end (EXTCODECOPY)."""
    address, target, offset, size = pop_address(frame), frame.pop(), frame.pop(), frame.pop()
    account = reached(frame, address)
    frame.charge(COPY_WORD_GAS * -(-size // 32))
    frame.reserve((target, size))
    if size:
        part = frame.world.code_of(account)[offset : offset + size]
        frame.write(target, part.ljust(size, b"\0"))


def extcodehash(frame: FrameView) -> None:
    """Push the hash of an account's code, 0 where no account is (EXTCODEHASH, EIP-1052)."""
    account = reached(frame, pop_address(frame))
    is_there = account.exists and not account.is_empty
    frame.push(int.from_bytes(account.code_hash, "big") if is_there else 0)


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
    frame.charge(SELFDESTRUCT_GAS)
    heir = reached(frame, pop_address(frame), warm_gas=0)
    account = world.account(frame.address)
    if account.balance and (not heir.exists or heir.is_empty):
        frame.charge(NEW_ACCOUNT_GAS)
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
    }
)
"""Those after which the frame goes on; calls, creations and SELFDESTRUCT are in `calls`."""
