"""Accounts that transactions of the pool would delegate (EIP-7702)."""

from collections.abc import Sequence

from cvm.evm.transaction import SET_CODE, Transaction


def authorities_of(tx: Transaction) -> tuple[bytes, ...]:
    """Return whose authorizations a transaction carries, each once; a signature may be of nobody.

    As in go-ethereum they are not compared with chain id, nonce or state: that one is here is
    enough to be careful.
    """
    if tx.type_id != SET_CODE:
        return ()
    signers = (authorization.signer() for authorization in tx.authorization_list)
    return tuple(dict.fromkeys(signer for signer in signers if signer is not None))


class AuthorityIndex:
    """Counts, for each account, the transactions of the pool that would delegate it."""

    def __init__(self) -> None:
        self._of_transaction: dict[bytes, Sequence[bytes]] = {}
        self._counts: dict[bytes, int] = {}

    def add(self, tx: Transaction, authorities: Sequence[bytes]) -> None:
        """Note a transaction that came in."""
        if not authorities:
            return
        self._of_transaction[tx.hash] = authorities
        for authority in authorities:
            self._counts[authority] = self._counts.get(authority, 0) + 1

    def remove(self, tx: Transaction) -> None:
        """Note that a transaction has left."""
        for authority in self._of_transaction.pop(tx.hash, ()):
            self._counts[authority] -= 1
            if not self._counts[authority]:
                del self._counts[authority]

    def __contains__(self, address: bytes) -> bool:
        return address in self._counts
