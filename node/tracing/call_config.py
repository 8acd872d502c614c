"""The options of debug_traceCall (geth's TraceCallConfig): a tracer, overrides, and a place."""

from dataclasses import dataclass
from typing import Annotated, TypeAlias

from node.execution.overrides import NO_BLOCK_OVERRIDES, BlockOverrides, StateOverrides
from node.rpc.call_parameters import field
from node.rpc.override_parameters import parse_block_overrides, parse_state_overrides
from node.rpc.parameters import parse_object, parse_uint64
from node.tracing.trace_config import DEFAULT_CONFIG, TraceConfig, parse_trace_config


@dataclass(frozen=True, slots=True)
class CallTraceConfig:
    """How a message is traced, what is set before it, and after how many transactions it runs.

    Without `tx_index` it runs after all of its block.
    """

    trace: TraceConfig = DEFAULT_CONFIG
    state: StateOverrides = ()
    block: BlockOverrides = NO_BLOCK_OVERRIDES
    tx_index: int | None = None


def parse_call_config(value: object) -> CallTraceConfig:
    """Return a TraceCallConfig; raises `BadArgument`."""
    fields = parse_object(value)
    return CallTraceConfig(
        parse_trace_config(value),
        field(fields, "stateOverrides", parse_state_overrides) or (),
        field(fields, "blockOverrides", parse_block_overrides) or NO_BLOCK_OVERRIDES,
        field(fields, "txIndex", parse_uint64),
    )


CallConfig: TypeAlias = Annotated[CallTraceConfig, parse_call_config]
DEFAULT_CALL_CONFIG = CallTraceConfig()
