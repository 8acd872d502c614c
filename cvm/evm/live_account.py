"""An account while a block runs, and what its code says of a delegation (EIP-7702)."""

from cvm.evm.state_reader import EMPTY_CODE_HASH, Account

DELEGATION_PREFIX = bytes.fromhex("ef0100")  # EIP-7702
DELEGATION_BYTES = 23


class LiveAccount:
    """An account as the running block has it."""

    __slots__ = (
        "address", "balance", "code_hash", "exists", "fresh", "loaded", "nonce", "number",
        "storage_gone", "touched_in",
    )  # fmt: skip

    def __init__(self, address: bytes, number: int, loaded: Account | None) -> None:
        found = loaded or Account()
        self.address = address
        self.number = number
        self.loaded = loaded
        self.exists = loaded is not None
        self.nonce = found.nonce
        self.balance = found.balance
        self.code_hash = found.code_hash
        self.fresh = 0  # the transaction that created it
        self.touched_in = 0  # the transaction that touched it last
        self.storage_gone = False  # what the reader holds of its storage no longer counts

    @property
    def is_empty(self) -> bool:
        """Tell whether it is empty as EIP-161 means it."""
        return self.nonce == 0 and self.balance == 0 and self.code_hash == EMPTY_CODE_HASH


def delegate_address(code: bytes) -> bytes | None:
    """Return the address in a delegation designator (EIP-7702), or None for other code."""
    if len(code) == DELEGATION_BYTES and code.startswith(DELEGATION_PREFIX):
        return code[len(DELEGATION_PREFIX) :]
    return None
