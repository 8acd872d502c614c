"""A block's bytes, read away from the event loop: only the database has them whole."""

from dataclasses import dataclass

from node.execution.execution_chain import ExecutionChain, UnknownBlock


@dataclass(frozen=True, slots=True)
class RawBlockJob:
    """Read a block as it stands on the chain."""

    block_hash: bytes

    def run(self, chain: ExecutionChain) -> bytes:
        """Return the RLP; raises `UnknownBlock`."""
        block = chain.block(self.block_hash)
        if block is None:
            raise UnknownBlock(self.block_hash)
        return block.encode()
