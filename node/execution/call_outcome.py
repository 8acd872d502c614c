"""What one call of a simulation did."""

from dataclasses import dataclass

from cvm.evm.log import Log


@dataclass(frozen=True, slots=True)
class CallOutcome:
    """Logs come with their places in the block; `error` names a halt.

    `max_gas_used` is the gas before refunds, which is the least limit that lets the call run.
    """

    output: bytes
    logs: tuple[tuple[int, Log], ...]
    gas_used: int
    max_gas_used: int
    error: str | None
    reverted: bool
