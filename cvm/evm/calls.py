"""CALL and its kin, CREATE and CREATE2: what they charge, and the messages that they become."""

from collections.abc import Callable
from dataclasses import dataclass

from cvm.evm.contract_code import ContractCode
from cvm.evm.creation_address import creation_address
from cvm.evm.frame_view import FrameView
from cvm.evm.gas_costs import CALL_STIPEND, CALL_VALUE_GAS, KECCAK_WORD_GAS
from cvm.evm.halts import OutOfGas, WriteProtection
from cvm.evm.host_opcodes import NEW_ACCOUNT_GAS, pop_address, reached
from cvm.evm.keccak import keccak256
from cvm.evm.live_account import LiveAccount
from cvm.evm.machine_limits import CALL_DEPTH_LIMIT, MAX_NONCE
from cvm.evm.messages import Message
from cvm.evm.transaction_gas import CREATE_GAS, INITCODE_WORD_GAS
from cvm.evm.transaction_rules import MAX_INITCODE_BYTES
from cvm.evm.world_state import WorldState

CALL, CALLCODE, DELEGATECALL, STATICCALL = 0xF1, 0xF2, 0xF4, 0xFA
CREATE, CREATE2 = 0xF0, 0xF5


@dataclass(frozen=True, slots=True)
class Call:
    """A message, and where in the caller's memory its data lies and its output goes."""

    message: Message
    data_offset: int
    data_size: int
    result_offset: int
    result_size: int


ReadInput = Callable[[bytes, int, int], bytes]
"""Gives what a call to an address must have of its input now: (address, offset, size)."""


def prepare_call(frame: FrameView, opcode: int, read: ReadInput) -> Call:
    """Pop and charge a CALL, CALLCODE, DELEGATECALL or STATICCALL (EIP-150, EIP-2929, EIP-7702)."""
    asked, address = frame.pop(), pop_address(frame)
    value = frame.pop() if opcode in (CALL, CALLCODE) else 0
    data_at, data_size, result_at, result_size = (frame.pop() for _ in range(4))
    if value and opcode == CALL and frame.is_static:
        raise WriteProtection
    frame.reserve((data_at, data_size), (result_at, result_size))
    account = reached(frame, address)
    reach_delegate(frame, account)
    if value:
        frame.charge(CALL_VALUE_GAS)
        if opcode == CALL and (not account.exists or account.is_empty):
            frame.charge(NEW_ACCOUNT_GAS)
    given = min(asked, frame.gas - frame.gas // 64)
    frame.charge(given)
    gas = given + (CALL_STIPEND if value else 0)
    data = read(account.address, data_at, data_size)
    message = _message(frame, opcode, account, value, gas, data)
    return Call(message, data_at, data_size, result_at if result_size else 0, result_size)


def _message(
    frame: FrameView, opcode: int, account: LiveAccount, value: int, gas: int, data: bytes
) -> Message:
    """Return the message of a call by its kind."""
    here, there = frame.address, account.address
    if opcode == DELEGATECALL:
        return Message(
            frame.caller, here, there, frame.value, gas, data, frame.is_static, transfers=False
        )
    if opcode == CALLCODE:
        return Message(here, here, there, value, gas, data, frame.is_static)
    is_static = frame.is_static or opcode == STATICCALL
    return Message(here, there, there, value, gas, data, is_static)


def reach_delegate(frame: FrameView, account: LiveAccount) -> None:
    """Charge for following an account's delegation and warm where it leads (EIP-7702)."""
    world = frame.world
    if world.fork.is_prague:
        delegate = world.delegate_of(account)
        if delegate is not None:
            reached(frame, delegate)


def can_start(frame: FrameView, value: int) -> bool:
    """Tell whether the frame may call: depth, and the balance for the value."""
    if frame.depth + 1 > CALL_DEPTH_LIMIT:
        return False
    return not value or frame.world.account(frame.address).balance >= value


def prepare_creation(frame: FrameView, opcode: int) -> Message | None:
    """Pop and charge a CREATE or CREATE2; None where it ends at once with 0 and no gas lost."""
    if frame.is_static:
        raise WriteProtection
    world = frame.world
    value, offset, size = frame.pop(), frame.pop(), frame.pop()
    salt = frame.pop() if opcode == CREATE2 else 0
    frame.reserve((offset, size))
    frame.charge(_creation_gas(world, opcode, size))
    initcode = frame.read(offset, size)
    gas = frame.gas - frame.gas // 64
    creator = world.account(frame.address)
    if not can_start(frame, value) or creator.nonce == MAX_NONCE:
        return None
    frame.charge(gas)
    if opcode == CREATE2:
        seed = b"\xff" + frame.address + salt.to_bytes(32, "big") + keccak256(initcode)
        address = keccak256(seed)[12:]
    else:
        address = creation_address(frame.address, creator.nonce)
    world.warm_address(world.account(address))
    world.set_nonce(creator, creator.nonce + 1)
    return Message(
        frame.address,
        address,
        address,
        value,
        gas,
        b"",
        is_creation=True,
        code=ContractCode(initcode),
    )


def _creation_gas(world: WorldState, opcode: int, size: int) -> int:
    """Return the price before the initcode runs (EIP-3860 from Shanghai)."""
    gas, words = CREATE_GAS, -(-size // 32)
    if world.fork.is_shanghai:
        if size > MAX_INITCODE_BYTES:
            raise OutOfGas
        gas += INITCODE_WORD_GAS * words
    if opcode == CREATE2:
        gas += KECCAK_WORD_GAS * words
    return gas
