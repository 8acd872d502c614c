"""Transactions that only move wei, one after the other in one compiled call.

What is stated here for one transaction is what `transaction_rules` and `transaction_execution`
state for all of them; where a rule might be broken the call ends before the transaction.
"""

from cvm.evm.machine_limits import MAX_NONCE
from cvm.evm.native.number_types import U, int64
from cvm.evm.native.raw_memory import load_int, load_limb, store_limb
from cvm.evm.native.word import from_limb, limb, load_word, store_word
from cvm.evm.transaction_gas import TX_GAS
from cvm.native_code import kernel

LAST_LIMB = 3

# A transfer, in limbs; three words behind them.
NONCE = 0
GAS = 1
SENDER = 2  # an account's place
TARGET = 3
FEE_CAP = 32  # in bytes, as the other words
TIP_CAP = 64
VALUE = 96
TRANSFER_BYTES = 128

# An account, in limbs; a word behind them.
ACCOUNT_NONCE = 0
ACCOUNT_FLAGS = 1
BALANCE = 16  # in bytes
ACCOUNT_BYTES = 48

IS_PLAIN = 1  # no code, no precompile: it may send and receive
IS_CHANGED = 2


@kernel
def is_empty(account: int) -> bool:
    """Tell whether an account without code is empty (EIP-161)."""
    nonce = load_limb(account, ACCOUNT_NONCE)
    return nonce == U(0) and load_word(account, BALANCE) == from_limb(U(0))


@kernel
def is_refused(transfer: int, sender: int, base_fee: int, gas_left: int) -> bool:
    """Tell whether a transfer breaks a rule, or has numbers too large for this code."""
    gas, nonce = load_limb(transfer, GAS), load_limb(transfer, NONCE)
    if gas < U(TX_GAS) or gas > U(gas_left):
        return True
    if nonce != load_limb(sender, ACCOUNT_NONCE) or nonce == U(MAX_NONCE):
        return True
    cap, value = load_word(transfer, FEE_CAP), load_word(transfer, VALUE)
    if cap < load_word(base_fee, 0) or cap < load_word(transfer, TIP_CAP):
        return True
    if limb(cap, 2) | limb(cap, LAST_LIMB) | limb(value, LAST_LIMB) >> U(63):
        return True  # gas * cap < 2**192 and value < 2**255, so that their sum is no word too long
    return load_word(sender, BALANCE) < from_limb(gas) * cap + value


@kernel
def run_transfers(
    transfers: int, count: int, accounts: int, coinbase: int, base_fee: int, gas_left: int
) -> int:
    """Run transfers until one is not plain or breaks a rule; return how many ran.

    `transfers` and `accounts` are addresses of records, `base_fee` of a word, `coinbase` a place.
    """
    zero, transfer_gas = from_limb(U(0)), from_limb(U(TX_GAS))
    fee = load_word(base_fee, 0)
    beneficiary = accounts + coinbase * ACCOUNT_BYTES
    for number in range(count):
        transfer = transfers + number * TRANSFER_BYTES
        sender = accounts + load_int(transfer, SENDER) * ACCOUNT_BYTES
        target = accounts + load_int(transfer, TARGET) * ACCOUNT_BYTES
        both = load_limb(sender, ACCOUNT_FLAGS) & load_limb(target, ACCOUNT_FLAGS)
        if both & U(IS_PLAIN) == U(0) or is_refused(transfer, sender, base_fee, gas_left):
            return number
        value, tip = load_word(transfer, VALUE), load_word(transfer, TIP_CAP)
        room = load_word(transfer, FEE_CAP) - fee
        if room < tip:
            tip = room
        if (value == zero and is_empty(target)) or (tip == zero and is_empty(beneficiary)):
            return number  # it would be touched and go (EIP-161)
        reward = transfer_gas * tip
        received = load_word(target, BALANCE) + value
        rewarded = load_word(beneficiary, BALANCE) + reward + value
        if received < value or rewarded < reward + value:
            return number
        store_limb(sender, ACCOUNT_NONCE, load_limb(sender, ACCOUNT_NONCE) + U(1))
        spent = value + transfer_gas * fee + reward
        store_word(sender, BALANCE, load_word(sender, BALANCE) - spent)
        store_word(target, BALANCE, load_word(target, BALANCE) + value)
        store_word(beneficiary, BALANCE, load_word(beneficiary, BALANCE) + reward)
        mark_changed(sender)
        mark_changed(target)
        mark_changed(beneficiary)
        gas_left -= int64(TX_GAS)
    return count


@kernel
def mark_changed(account: int) -> None:
    """Note that an account is not as it was."""
    store_limb(account, ACCOUNT_FLAGS, load_limb(account, ACCOUNT_FLAGS) | U(IS_CHANGED))
