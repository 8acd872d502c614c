"""Who validates a height, and who is linked to whom."""

from collections.abc import Sequence


class Members:
    """The validators of each height; with epochs, one after another sits out for an epoch."""

    def __init__(self, addresses: Sequence[bytes], epoch_heights: int = 0) -> None:
        self.addresses = tuple(addresses)
        self._epoch_heights = epoch_heights
        self._without = [
            tuple(address for address in addresses if address != out) for out in addresses
        ]

    def at(self, height: int) -> tuple[bytes, ...]:
        """Return the validators of a height, in the order of their turns."""
        if not self._epoch_heights:
            return self.addresses
        return self._without[height // self._epoch_heights % len(self._without)]


def peers_of(index: int, count: int, reach: int) -> tuple[int, ...]:
    """Return whom a node is linked to: everybody, or so many to each side of a ring."""
    others = [other for other in range(count) if other != index]
    if not reach:
        return tuple(others)
    return tuple(o for o in others if min((o - index) % count, (index - o) % count) <= reach)
