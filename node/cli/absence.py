"""Which certificates show that a validator was absent, gathered from a node."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from models_registry.cli.sending import ChainSaysNo, Sender
from node.cli.validator_set import ABI, SealedHeight, ValidatorSetClient

PROVABLE_S = 8_191
"""So long EIP-4788's contract knows the hash of a certificate."""

MARGIN_S = 60
"""What is about to be forgotten may be so before a transaction is mined."""

MAX_CALLDATA_BYTES = 96 << 10
"""Nodes take transactions of 128 KiB."""

ARGUMENT_BYTES = 4 * 32
"""What a certificate takes in calldata beside its bytes: offset, length, padding, time."""


@dataclass(frozen=True, slots=True)
class WindowAbsence:
    """A validator in one window of heights: how many are sealed, and which of them lack it.

    `provable` are those that the chain can still check, oldest first; `counted` is what was shown
    to the contract before.
    """

    window: int
    sealed: int
    absent: int
    provable: tuple[SealedHeight, ...]
    counted: int

    @property
    def reachable(self) -> int:
        """Return how many heights the contract can come to count."""
        return min(self.absent, self.counted + len(self.provable))


class AbsenceSearch:
    """Looks through the windows of a chain for one validator's absence."""

    def __init__(self, chosen: ValidatorSetClient, validator: bytes) -> None:
        self._chosen = chosen
        self._validator = validator
        self._epoch_blocks = chosen.parameters().epoch_blocks
        self.window_blocks, self.max_absences = chosen.absence_rule()
        self._head = chosen.chain.height()
        self._provable_from = chosen.chain.timestamp(self._head) - PROVABLE_S + MARGIN_S
        self._first_epoch = chosen.first_known_epoch()
        self._indices: dict[int, int | None] = {}

    def in_window(self, window: int) -> WindowAbsence:
        """Return what the certificates of one window say."""
        first = max(window * self.window_blocks, 1)
        last = min((window + 1) * self.window_blocks, self._head) - 1
        sealed = self._chosen.sealed_heights(first, last)
        absent = [each for each in sealed if self._lacks(each)]
        return WindowAbsence(
            window,
            len(sealed),
            len(absent),
            tuple(each for each in absent if self._is_provable(each)),
            self._chosen.absences(self._validator, window),
        )

    def windows(self) -> Iterator[WindowAbsence]:
        """Yield what the windows say that can still be proven: the head's, and those before it."""
        for window in range(max(self._head - 1, 0) // self.window_blocks, -1, -1):
            last = min((window + 1) * self.window_blocks, self._head)
            if self._chosen.chain.timestamp(last) < self._provable_from:
                return
            yield self.in_window(window)

    def _lacks(self, sealed: SealedHeight) -> bool:
        """Tell whether the validator was a known member at a height, and did not sign."""
        epoch = sealed.height // self._epoch_blocks
        if epoch < self._first_epoch:
            return False
        if epoch not in self._indices:
            members = self._chosen.validators_of(epoch)
            here = self._validator in members
            self._indices[epoch] = members.index(self._validator) if here else None
        index = self._indices[epoch]
        return index is not None and not sealed.signers >> index & 1

    def _is_provable(self, sealed: SealedHeight) -> bool:
        return sealed.proven_at is not None and sealed.proven_at >= self._provable_from


def sufficient_absence(search: AbsenceSearch, validator: bytes) -> WindowAbsence:
    """Return the newest window whose certificates cost a validator its seat.

    Raises `ChainSaysNo` where there is none, with the window that comes nearest.
    """
    seen = []
    for found in search.windows():
        if found.reachable > search.max_absences:
            return found
        seen.append(found)
    nearest = max(seen, key=lambda each: each.reachable)
    raise ChainSaysNo(
        f"0x{validator.hex()} keeps its seat: more than {search.max_absences} absences in one "
        f"window of {search.window_blocks:,} heights cost it, and the certificates of window "
        f"{nearest.window} show {nearest.absent} of {nearest.sealed} so far, {nearest.reachable} "
        "of them provable or counted already"
    )


def send_absence(
    sender: Sender, chosen: ValidatorSetClient, validator: bytes, found: WindowAbsence, most: int
) -> int:
    """Report certificates, oldest first, until more than `most` heights count or none is left.

    Returns how many count then.
    """
    left = found.provable
    counted = found.counted
    while left and counted <= most:
        batch = first_batch(left[: most + 1 - counted])
        left = left[len(batch) :]
        call = encode_absence(validator, batch)
        name = f"reportAbsence {batch[0].height}-{batch[-1].height}"
        sender.offer(name, call, None, yes=True)
        counted = chosen.absences(validator, found.window)
    return counted


def first_batch(sealed: Sequence[SealedHeight]) -> Sequence[SealedHeight]:
    """Return as many of the first certificates as fit a transaction, one at least."""
    size = 0
    for count, each in enumerate(sealed):
        size += len(each.certificate) + ARGUMENT_BYTES
        if size > MAX_CALLDATA_BYTES and count:
            return sealed[:count]
    return sealed


def encode_absence(validator: bytes, sealed: Sequence[SealedHeight]) -> bytes:
    """Return the calldata that reports certificates."""
    times = [each.proven_at for each in sealed]
    return ABI.calldata("reportAbsence", validator, times, [each.certificate for each in sealed])
