"""What a tracer shows of one inference of a transaction that was executed again."""

from dataclasses import dataclass
from hashlib import sha256

from cvm.inference.engine import NodeTrace
from opcodes.inference_host import InferenceCall


@dataclass(frozen=True, slots=True)
class InferenceTrace:
    """One call, its place among those of its transaction, and what each node of the model made.

    `nodes` are in graph order, None where nobody asked for them; they are empty where the model
    was not run to its end.
    """

    index: int
    call: InferenceCall
    nodes: tuple[NodeTrace, ...] | None = None

    @property
    def input_hash(self) -> bytes:
        """Return the SHA-256 of the packed input."""
        return sha256(self.call.input).digest()

    @property
    def output_hash(self) -> bytes:
        """Return the SHA-256 of the packed output, or of the selector that stands for it."""
        return sha256(self.call.output).digest()

    def royalty_wei(self, gas_price: int) -> int:
        """Return what the owner was paid at an effective gas price (PROTOCOL section 3)."""
        return self.call.gas.royalty * gas_price if self.call.ok else 0
