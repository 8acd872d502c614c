"""What a node does for models beside consensus: judge the PENDING ones, sign, tell the others."""

import asyncio
from collections.abc import Callable

from node.attestation_pool import AttestationPool, SignedRecord
from node.attester import Attester


class ModelDuties:
    """Runs whenever `wake` is called: after each block, and when a model's bytes came."""

    def __init__(
        self,
        attester: Attester,
        pool: AttestationPool,
        spread: Callable[[SignedRecord], None],
    ) -> None:
        self.attester = attester
        self.pool = pool
        self._spread = spread
        self._due = asyncio.Event()
        self._due.set()

    def wake(self) -> None:
        """Look for models to judge as soon as possible."""
        self._due.set()

    async def run(self) -> None:
        """Judge until cancelled; raises a `LocalFault` when this machine fails."""
        while True:
            await self._due.wait()
            self._due.clear()
            await asyncio.to_thread(self.attester.judge_pending)
            self.pool.settle()
            for attestation in self.attester.signed():
                if self.pool.add(attestation):
                    self._spread(attestation)
