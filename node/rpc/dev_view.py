"""What the methods of a development chain ask of its node: to change what blocks decide."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from cvm.evm.transaction_signing import UnsignedTransaction


@dataclass(frozen=True, slots=True)
class SnapshotFact:
    """A snapshot that the chain can go back to: its number, and the block that was the head."""

    snapshot_id: int
    block_number: int
    block_hash: bytes


class DevView(Protocol):
    """A development chain; whatever changes it comes after the block under way."""

    async def mine(
        self, count: int, seconds_apart: int | None = None, first_at: int | None = None
    ) -> None:
        """Make blocks now, the first one of a given time; raises `TimestampTooLow`.

        With `seconds_apart` each comes so much later than the one before.
        """

    async def take_snapshot(self) -> int:
        """Remember chain, state, pool, time and filters; return the snapshot's number."""

    async def revert(self, snapshot_id: int) -> bool:
        """Go back to a snapshot, which ends it and later ones; tell whether there was one."""

    async def restart(self) -> None:
        """Begin again with block 0."""

    def snapshots(self) -> Sequence[SnapshotFact]:
        """Return the snapshots that are left, oldest first."""

    async def set_balance(self, address: bytes, wei: int) -> None:
        """Set an account's balance in the state after the head."""

    async def add_balance(self, address: bytes, wei: int) -> None:
        """Add to an account's balance."""

    async def set_nonce(self, address: bytes, nonce: int) -> None:
        """Set an account's transaction count."""

    async def set_code(self, address: bytes, code: bytes) -> None:
        """Set an account's code."""

    async def set_storage(self, address: bytes, slot: int, value: int) -> None:
        """Set a word of an account's storage."""

    def impersonate(self, address: bytes) -> None:
        """Let eth_sendTransaction send from an account without its key."""

    def stop_impersonating(self, address: bytes) -> None:
        """End that."""

    def impersonate_all(self, *, is_on: bool) -> None:
        """Let eth_sendTransaction send from any account, or end that."""

    def impersonated(self) -> Sequence[bytes]:
        """Return the accounts that were named to `impersonate`."""

    def may_impersonate(self, address: bytes) -> bool:
        """Tell whether eth_sendTransaction may send from an account without its key."""

    async def send_as(self, sender: bytes, tx: UnsignedTransaction) -> bytes:
        """Put a transaction that no key signed into the pool; return its hash.

        Raises an `InvalidTransaction`.
        """

    def increase_time(self, seconds: int) -> int:
        """Move the chain's time forward; return by how much it is ahead of the machine's."""

    def set_time(self, timestamp: int) -> int:
        """Set the chain's time; return the same. Raises `TimestampTooLow`."""

    def set_next_timestamp(self, timestamp: int) -> None:
        """Set the time of the next block; raises `TimestampTooLow`."""

    def set_block_interval(self, seconds: int | None) -> bool:
        """Fix the time between blocks, or free it; tell whether it was fixed before."""

    def set_next_base_fee(self, wei: int) -> None:
        """Set the base fee of the next block."""

    def automine(self) -> bool:
        """Tell whether a block is made as soon as a transaction waits."""

    def set_automine(self, *, is_on: bool) -> None:
        """Make a block as soon as a transaction waits, or only when told to."""

    def interval(self) -> int | None:
        """Return after how many seconds a block is made without being asked for."""

    def set_interval(self, seconds: int) -> None:
        """Make a block every so many seconds, and none in between; 0 ends that."""

    def drop(self, tx_hash: bytes) -> bool:
        """Remove a transaction from the pool; tell whether it was there."""

    def drop_from(self, sender: bytes) -> None:
        """Remove all that a sender has in the pool."""

    def drop_all(self) -> None:
        """Empty the pool."""

    def instance_id(self) -> bytes:
        """Return 32 random bytes: other ones after every start and restart."""
