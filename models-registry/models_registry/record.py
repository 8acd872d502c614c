"""The record of a model: what validators sign and opcodes read."""

from dataclasses import dataclass

import rlp
from eth_hash.auto import keccak

from cvm.inference.cost import Cost


class BadRecord(Exception):
    """Bytes that are not a model record."""


@dataclass(frozen=True, slots=True)
class ModelRecord:
    """Everything consensus needs to know of a model without its bytes (PROTOCOL section 3).

    RLP: [engine, size, batchable, inBytes, outBytes, cost vector of 8, testHash]; sizes are of
    one item, in bytes; `test_hash` is the SHA-256 of the outputs on the model's test input.
    """

    engine: int
    size_bytes: int
    batchable: bool
    input_bytes: int
    output_bytes: int
    cost: Cost
    test_hash: bytes

    def encode(self) -> bytes:
        """Return the canonical RLP."""
        return bytes(
            rlp.encode(
                [
                    self.engine,
                    self.size_bytes,
                    int(self.batchable),
                    self.input_bytes,
                    self.output_bytes,
                    list(self.cost.vector()),
                    self.test_hash,
                ]
            )
        )

    @property
    def hash(self) -> bytes:
        """Return keccak256 of the RLP: the `recordHash` that validators sign."""
        return bytes(keccak(self.encode()))
