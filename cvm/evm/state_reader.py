"""What execution reads of a state, and what it leaves: the two sides of every store of state."""

from dataclasses import dataclass
from typing import Protocol

from cvm.evm.value_class import value_class

EMPTY_CODE_HASH = bytes.fromhex("c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470")
"""keccak256 of no bytes."""

EMPTY_TRIE_ROOT = bytes.fromhex("56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421")
"""keccak256 of the RLP of no bytes."""


@value_class
class Account:
    """An account as the state trie holds it (Yellow Paper 4.1); balance in wei."""

    nonce: int = 0
    balance: int = 0
    storage_root: bytes = EMPTY_TRIE_ROOT
    code_hash: bytes = EMPTY_CODE_HASH


class StateReader(Protocol):
    """A state that does not change while it is read."""

    def account(self, address: bytes) -> Account | None:
        """Return an account, None where there is none."""

    def storage(self, address: bytes, slot: int) -> int:
        """Return the value of a slot, 0 where nothing is stored."""

    def code(self, code_hash: bytes) -> bytes:
        """Return code by its keccak256; raises `DatabaseFault` where it is missing."""


@dataclass(frozen=True, slots=True)
class StateChanges:
    """What a block leaves of the accounts that it touched.

    An account of None is gone. The committer computes `storage_root`; what stands in `accounts` is
    not read. The storage of an account in `cleared` is empty before `storage` applies; a slot of
    value 0 is gone.
    """

    accounts: dict[bytes, Account | None]
    storage: dict[bytes, dict[int, int]]
    cleared: frozenset[bytes]
    codes: dict[bytes, bytes]
