"""What the pool holds, as go-ethereum's txpool methods show it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from cvm.evm.transaction import Transaction

BySender: TypeAlias = Mapping[bytes, Sequence[Transaction]]
"""The transactions of each sender, in nonce order."""


@dataclass(frozen=True, slots=True)
class PoolContent:
    """Transactions that the next blocks can take, and those that wait for another."""

    pending: BySender
    queued: BySender


@dataclass(frozen=True, slots=True)
class PoolStatus:
    """How many transactions are pending, and how many queued."""

    pending: int
    queued: int
