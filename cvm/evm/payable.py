"""What gas rules and execution read of a transaction, whether somebody signed it or not."""

from typing import Protocol

from cvm.evm.transaction import AccessList, Authorization


class Payable(Protocol):
    """What execution reads of a transaction, signed or not; fees in wei per gas."""

    @property
    def sender(self) -> bytes:
        """Return who pays."""

    @property
    def to(self) -> bytes:
        """Return the destination, empty for a creation."""

    @property
    def gas(self) -> int:
        """Return the gas limit."""

    @property
    def value(self) -> int:
        """Return the wei that move."""

    @property
    def data(self) -> bytes:
        """Return calldata or initcode."""

    @property
    def max_fee_per_gas(self) -> int:
        """Return the fee cap."""

    @property
    def max_priority_fee_per_gas(self) -> int:
        """Return the tip cap."""

    @property
    def access_list(self) -> AccessList:
        """Return what is warm from the start."""

    @property
    def blob_versioned_hashes(self) -> tuple[bytes, ...]:
        """Return the blobs' hashes."""

    @property
    def authorization_list(self) -> tuple[Authorization, ...]:
        """Return the delegations to set."""
