"""Withdrawals of EIP-4895: their RLP, and the one that pays a block's reward."""

from collections.abc import Sequence
from dataclasses import dataclass

from consensus.parameters import ChainParameters
from cvm.evm.list_root import list_root
from cvm.evm.rlp_encoding import encode_bytes, encode_integer, encode_list
from cvm.evm.rlp_lists import (
    ADDRESS_BYTES,
    UINT64_BYTES,
    expect_shape,
    fixed_bytes,
    integer,
    split_items,
)

REWARD_VALIDATOR_INDEX = 0
"""There is no beacon chain whose validators could be counted."""


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """One withdrawal as a body holds it (EIP-4895); the amount is in gwei."""

    index: int
    validator_index: int
    address: bytes
    amount_gwei: int

    def encode(self) -> bytes:
        """Return the RLP."""
        return encode_list(
            encode_integer(self.index)
            + encode_integer(self.validator_index)
            + encode_bytes(self.address)
            + encode_integer(self.amount_gwei)
        )


def block_reward(
    parameters: ChainParameters, number: int, coinbase: bytes
) -> tuple[Withdrawal, ...]:
    """Return the withdrawals that a block must have: its reward, or none on a chain without one.

    Every block has one then, so its index is the height less one (PROTOCOL section 1).
    """
    if parameters.block_reward_gwei == 0:
        return ()
    amount = parameters.block_reward_gwei
    return (Withdrawal(number - 1, REWARD_VALIDATOR_INDEX, coinbase, amount),)


def withdrawals_root(withdrawals: Sequence[Withdrawal]) -> bytes:
    """Return the root that a header shows."""
    return list_root([withdrawal.encode() for withdrawal in withdrawals])


def decode_withdrawals(payload: bytes) -> tuple[Withdrawal, ...]:
    """Decode the payload of the list of withdrawals (EIP-4895); raises `BadRlp`."""
    entries, lists = split_items(payload, 0, len(payload), ADDRESS_BYTES)
    expect_shape("the withdrawals", entries, lists, len(entries), list(range(len(entries))))
    return tuple(decode_withdrawal(entry) for entry in entries)


def decode_withdrawal(payload: bytes) -> Withdrawal:
    """Decode the payload of one withdrawal; raises `BadRlp`."""
    fields, lists = split_items(payload, 0, len(payload))
    expect_shape("a withdrawal", fields, lists, 4, [])
    return Withdrawal(
        integer("withdrawal index", fields[0], UINT64_BYTES),
        integer("validator index", fields[1], UINT64_BYTES),
        fixed_bytes("a withdrawal address", fields[2], ADDRESS_BYTES),
        integer("withdrawal amount", fields[3], UINT64_BYTES),
    )
