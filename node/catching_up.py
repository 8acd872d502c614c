"""When a running node asks its peers for blocks: not for the one that comes by itself."""

import asyncio
from collections.abc import Callable
from typing import Protocol

BLOCK_ON_ITS_WAY_S = 1.5
"""How long peers may be one block ahead before that block is asked for."""


class Sync(Protocol):
    """What brings the chain to the height of its peers; see `block_sync`."""

    def highest(self) -> int:
        """Return the highest block that a peer claims."""

    def is_behind(self) -> bool:
        """Tell whether a peer claims more blocks than are here."""

    def wake(self) -> None:
        """Look again at who has what."""

    async def catch_up(self) -> None:
        """Import until no peer that answers is ahead."""


class CatchingUp:
    """Starts a sync where peers are ahead by more than what they are about to announce.

    `wake` is to be called when a peer may be ahead, and `head_moved` for every block.
    """

    def __init__(self, sync: Sync, head: Callable[[], int]) -> None:
        self._sync = sync
        self._head = head
        self._news = asyncio.Event()
        self._missed_at = -1

    def wake(self) -> None:
        """Look again at who has what."""
        self._sync.wake()
        self._news.set()

    def head_moved(self) -> None:
        """Note that a block was appended."""
        self._news.set()

    def missed(self) -> None:
        """Note that a block above the head was announced in vain: it does not come by itself."""
        self._missed_at = self._head()
        self.wake()

    async def run(self) -> None:
        """Sync whenever that is due, until cancelled; raises as `BlockSync.catch_up`."""
        while True:
            await self._news.wait()
            self._news.clear()
            while self._is_on_its_way(wanted := self._head() + 1):
                if not await self._comes(wanted):
                    break
            if self._sync.is_behind():
                await self._sync.catch_up()

    def _is_on_its_way(self, wanted: int) -> bool:
        """Tell whether a block is the only one missing, and may still be announced."""
        head = self._head()
        return head < wanted == self._sync.highest() and self._missed_at != head

    async def _comes(self, wanted: int) -> bool:
        """Wait while a block is on its way; False where that takes too long."""
        try:
            async with asyncio.timeout(BLOCK_ON_ITS_WAY_S):
                while self._is_on_its_way(wanted):
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            return False
        return True
