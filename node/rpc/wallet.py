"""Keys that the node signs with for its callers: none, but on a development chain."""

from collections.abc import Iterable

from cvm.evm.private_key import PrivateKey
from cvm.evm.transaction import Transaction
from cvm.evm.transaction_signing import UnsignedTransaction
from node.rpc.faults import ServerError


class UnknownAccount(ServerError):
    """The node has no key for an address."""

    def __init__(self) -> None:
        super().__init__("unknown account")


class Wallet:
    """Private keys by address, in the order in which they were given."""

    def __init__(self, keys: Iterable[PrivateKey] = ()) -> None:
        self._keys = {key.address: key for key in keys}

    def accounts(self) -> tuple[bytes, ...]:
        """Return the addresses."""
        return tuple(self._keys)

    def sign_hash(self, address: bytes, digest: bytes) -> bytes:
        """Return r, s and y parity in 65 bytes; raises `UnknownAccount`."""
        return self._key(address).sign(digest)

    def sign_transaction(self, address: bytes, tx: UnsignedTransaction) -> Transaction:
        """Return a signed transaction; raises `UnknownAccount`."""
        return tx.sign(self._key(address).to_bytes())

    def has(self, address: bytes) -> bool:
        """Tell whether there is a key for an address."""
        return address in self._keys

    def require(self, address: bytes) -> None:
        """Raise `UnknownAccount` where there is no key for an address."""
        self._key(address)

    def _key(self, address: bytes) -> PrivateKey:
        key = self._keys.get(address)
        if key is None:
            raise UnknownAccount
        return key
