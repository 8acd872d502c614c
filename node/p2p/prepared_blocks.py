"""Makes blocks of a peer's answer ready for import: decoded, joined to each other, senders known.

Runs ahead of execution, on other threads. What does not fit together is refused here; whether it is
final, and whether it is right, the import tells.
"""

import asyncio
from concurrent.futures import Executor
from dataclasses import dataclass

from consensus.block import Block, decode_block
from consensus.certificate import CommitCertificate
from consensus.faults import MalformedBlock
from node.p2p.cvm_messages import Blocks
from node.quorum_disagrees import names_parent
from node.sender_recovery import SenderRecovery


class BadRange(Exception):
    """An answer with blocks that no honest peer sends."""


@dataclass(frozen=True, slots=True)
class SealedBlock:
    """A block with its certificate and its parent's (None at height 1)."""

    block: Block
    certificate: CommitCertificate
    parent_certificate: CommitCertificate | None


class BlockPreparation:
    """Prepares answers on `executor`; signatures on the threads of `recovery`."""

    def __init__(self, executor: Executor, recovery: SenderRecovery) -> None:
        self._executor = executor
        self._recovery = recovery

    async def prepare(self, answer: Blocks, start: int, count: int) -> tuple[SealedBlock, ...]:
        """Return the blocks from `start` on, at most `count`; raises `BadRange`."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._executor, self._prepare, answer, start, count)

    def _prepare(self, answer: Blocks, start: int, count: int) -> tuple[SealedBlock, ...]:
        sealed = join_blocks(answer, start, count)
        waiting = [self._recovery.start(item.block.transactions) for item in sealed]
        for senders in waiting:
            senders.finish()
        return sealed


def join_blocks(answer: Blocks, start: int, count: int) -> tuple[SealedBlock, ...]:
    """Decode consecutive blocks and check that each stands on the one before; raises `BadRange`."""
    if len(answer.blocks) > count:
        raise BadRange(f"{len(answer.blocks)} blocks, asked for {count}")
    sealed: list[SealedBlock] = []
    parent_certificate = answer.parent_certificate
    for number, (data, certificate) in enumerate(answer.blocks, start):
        try:
            item = SealedBlock(decode_block(data), certificate, parent_certificate)
        except MalformedBlock as error:
            raise BadRange(f"block {number}: {error}") from error
        validate_place(item, number)
        if sealed and item.block.header.parent_hash != sealed[-1].block.hash:
            raise BadRange(f"block {number} does not stand on the block before it")
        sealed.append(item)
        parent_certificate = certificate
    return tuple(sealed)


def validate_place(sealed: SealedBlock, number: int) -> None:
    """Check the height of a block and that its certificates are those that belong to it."""
    header = sealed.block.header
    if header.block_number != number:
        raise BadRange(f"block {header.block_number} in the place of block {number}")
    if (sealed.certificate.height, sealed.certificate.header_hash) != (number, header.hash):
        raise BadRange(f"the certificate of block {number} is for another block")
    if not names_parent(header, sealed.parent_certificate):
        raise BadRange(f"block {number} names another certificate of its parent")
