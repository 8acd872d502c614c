"""Keeps a signer from saying two things in one round, on disk before it says the first.

One LMDB: (8-byte height, 4-byte round, code) -> hash of what was signed there. The last heights are
kept, and nothing below them is signed any more.
"""

from pathlib import Path

import lmdb

from consensus.certificate import SealDomain
from cvm.faults import DatabaseFault
from node.signer.requests import Place
from node.storage.database_lock import lock_for_writing

MAP_SIZE_BYTES = 1 << 30
KEPT_HEIGHTS = 3
HEIGHT_BYTES, ROUND_BYTES = 8, 4
CHAIN_KEY = b"chain"
"""Sorts behind every height."""


class SigningRefused(Exception):
    """The signer will not sign this, whoever asks."""


class SignGuard:
    """The one writer of a signer's folder; every entry is synced before a signature is made.

    Raises `DatabaseInUse` where another process has it, or `DatabaseFault`.
    """

    def __init__(self, path: Path, chain: SealDomain) -> None:
        path.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._lock = lock_for_writing(path)
        try:
            self._env = lmdb.open(str(path), map_size=MAP_SIZE_BYTES, sync=True)
            name = chain.chain_id.to_bytes(32, "big") + chain.genesis_hash
            with self._env.begin(write=True) as transaction:
                transaction.put(CHAIN_KEY, name, overwrite=False)
                is_ours = transaction.get(CHAIN_KEY) == name
        except lmdb.Error as error:
            self._lock.close()
            raise DatabaseFault(f"cannot open the signer's folder {path}: {error}") from error
        if not is_ours:
            self.close()
            raise DatabaseFault(f"the signer's folder {path} is of another chain: use another one")

    def close(self) -> None:
        """Release the files."""
        self._env.close()
        self._lock.close()

    def note(self, place: Place) -> None:
        """Note what is about to be signed; the same thing may be signed again.

        Raises `SigningRefused` where something else was signed there, or where the height is too
        far back to know; then nothing is written. Raises `DatabaseFault`.
        """
        height = place.height.to_bytes(HEIGHT_BYTES, "big")
        key = height + place.round.to_bytes(ROUND_BYTES, "big") + bytes((place.code,))
        try:
            with self._env.begin(write=True) as transaction, transaction.cursor() as cursor:
                known = transaction.get(key)
                if known is not None and known != place.said:
                    raise SigningRefused(
                        f"something else was signed in round {place.round} of height "
                        f"{place.height} (code {place.code:#04x})"
                    )
                highest = highest_height(cursor)
                if place.height + KEPT_HEIGHTS <= highest:
                    raise SigningRefused(
                        f"height {place.height} is far below {highest}, which was signed"
                    )
                transaction.put(key, place.said)
                lowest = max(highest, place.height) - KEPT_HEIGHTS + 1
                forget_before(cursor, max(lowest, 0).to_bytes(HEIGHT_BYTES, "big"))
        except lmdb.Error as error:
            raise DatabaseFault(f"cannot write the signer's folder: {error}") from error


def highest_height(cursor: "lmdb.Cursor") -> int:
    """Return the highest height at which something was signed, 0 where nothing was."""
    is_there = cursor.set_key(CHAIN_KEY) and cursor.prev()
    return int.from_bytes(cursor.key()[:HEIGHT_BYTES], "big") if is_there else 0


def forget_before(cursor: "lmdb.Cursor", bound: bytes) -> None:
    """Delete the entries of heights below a bound."""
    while cursor.first() and bytes(cursor.key()) < bound:
        cursor.delete()
