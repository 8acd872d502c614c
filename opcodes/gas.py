"""Every gas constant of the AI opcodes: the one table (PROTOCOL section 2).

1 gas stands for 25 ns of the `cpu` backend at its AVX2 level on one core of the reference
machine. Prices change only with a fork, never in place.
"""

from dataclasses import dataclass

from cvm.inference.cost import Cost

INFER_BASE = 3_000
"""One call, whatever the model: registry reads, bytes in and out of the plan (75 us)."""

MODELINFO = 2_600
"""One field of one model: at most thirty reads of the registry (65 us)."""

LOAD_BYTES_PER_GAS = 32
"""First touch of a model in a transaction: one gas for 32 bytes of its file (0.78 ns a byte)."""

IO_WORD = 3
"""Each 32-byte word of input and of output, as CALLDATACOPY charges it (EIP-150)."""

PRICE_SHIFT = 20
"""Prices below are in units of 2**-20 gas."""

COMPUTE_PRICES = Cost(
    float32_macs=1_200,  # 0.029 ns each
    int8_macs=710,  # 0.017 ns
    elementwise=840,  # 0.02 ns
    transcendental=63_000,  # 1.5 ns
    bytes_moved=1_170,  # 0.028 ns
    nodes=160_000_000,  # 3.8 us
    weight_bytes=0,  # paid by the load price
    peak_bytes=0,  # bounded by the file rules, not priced
)
"""The price vector; compute gas is its dot product with the cost vector, rounded up."""

MAX_ROYALTY_DIVISOR = 4
"""The royalty of an item is at most its compute gas divided by this."""

MAX_OUTPUT_BYTES = 1 << 20
"""The largest output of one call."""

MAX_ACTIVATION_GAS = 1 << 23
"""A model whose base + load + one item costs more is refused at registration."""


@dataclass(frozen=True, slots=True)
class InferenceGas:
    """What one call is charged, part by part, all in gas."""

    base: int
    load: int
    compute: int
    royalty: int
    io_bytes: int

    @property
    def total(self) -> int:
        """Return the whole charge of the call."""
        return self.base + self.load + self.compute + self.royalty + self.io_bytes


def compute_gas(cost: Cost) -> int:
    """Return the compute gas of one item: cost vector . price vector, rounded up."""
    units = sum(
        count * price for count, price in zip(cost.vector(), COMPUTE_PRICES.vector(), strict=True)
    )
    return -(-units // (1 << PRICE_SHIFT))


def royalty_gas(cost: Cost, registered: int) -> int:
    """Return the royalty of one item: what is registered, as far as today's prices let it be."""
    return min(registered, compute_gas(cost) // MAX_ROYALTY_DIVISOR)


def load_gas(size_bytes: int) -> int:
    """Return the gas of a model's first touch in a transaction."""
    return -(-size_bytes // LOAD_BYTES_PER_GAS)


def io_gas(size_bytes: int) -> int:
    """Return the gas for moving bytes into or out of a model."""
    return IO_WORD * -(-size_bytes // 32)


def inference_gas(
    cost: Cost,
    *,
    size_bytes: int,
    batch: int,
    item_input_bytes: int,
    item_output_bytes: int,
    registered_royalty: int,
    first_touch: bool,
) -> InferenceGas:
    """Return the charge for a batch, from registry facts alone; integers are unbounded."""
    return InferenceGas(
        base=INFER_BASE,
        load=load_gas(size_bytes) if first_touch else 0,
        compute=batch * compute_gas(cost),
        royalty=batch * royalty_gas(cost, registered_royalty),
        io_bytes=io_gas(batch * item_input_bytes) + io_gas(batch * item_output_bytes),
    )
