"""The options of a trace as a caller writes them (geth's TraceConfig), and the tracer they name."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Annotated, TypeAlias

from node.execution.trace_budget import MOST_TIME_S, TraceBudget, parse_timeout
from node.rpc.faults import BadArgument
from node.rpc.parameters import parse_flag, parse_object, shown
from node.tracing.call_tracer import CallTracer, CallTracerOptions
from node.tracing.flat_calls import FlatCallTracer, FlatOptions
from node.tracing.four_byte_tracer import FourByteTracer
from node.tracing.mux_tracer import MuxTracer
from node.tracing.prestate_tracer import PrestateOptions, PrestateTracer
from node.tracing.struct_logger import StructLogger, StructLogOptions
from node.tracing.transaction_tracer import TransactionTracer

MAX_LIMIT = 2**63 - 1
MUX = "muxTracer"
ALL_STEPS = StructLogOptions()


@dataclass(frozen=True, slots=True)
class TraceConfig:
    """Which tracer runs, how, and for how long; `tracer` None is the struct logger.

    `parts` are the tracers of muxTracer with their own flags; an unknown flag is ignored, as geth
    does.
    """

    tracer: str | None = None
    flags: Mapping[str, bool] = field(default_factory=dict)
    parts: tuple["TraceConfig", ...] = ()
    logger: StructLogOptions = ALL_STEPS
    timeout_s: float = MOST_TIME_S

    def budget(self) -> TraceBudget:
        """Return what one answer may cost, from now on."""
        return TraceBudget(self.timeout_s)

    def make(self, budget: TraceBudget) -> TransactionTracer:
        """Return a tracer for one transaction."""
        if self.tracer is None:
            return StructLogger(self.logger, budget)
        if self.tracer == MUX:
            return MuxTracer({part.tracer or "": part.make(budget) for part in self.parts})
        return MAKERS[self.tracer](self.flags, budget)


Flags: TypeAlias = Mapping[str, bool]


def make_call_tracer(flags: Flags, budget: TraceBudget) -> TransactionTracer:
    """Return callTracer."""
    options = CallTracerOptions(flags.get("onlyTopCall", False), flags.get("withLog", False))
    return CallTracer(options, budget)


def make_flat_tracer(flags: Flags, budget: TraceBudget) -> TransactionTracer:
    """Return flatCallTracer."""
    options = FlatOptions(
        flags.get("convertParityErrors", False), flags.get("includePrecompiles", False)
    )
    return FlatCallTracer(options, budget)


def make_prestate_tracer(flags: Flags, budget: TraceBudget) -> TransactionTracer:
    """Return prestateTracer."""
    names = ("diffMode", "disableCode", "disableStorage", "includeEmpty")
    return PrestateTracer(PrestateOptions(*(flags.get(name, False) for name in names)), budget)


MAKERS: Mapping[str, Callable[[Flags, TraceBudget], TransactionTracer]] = {
    "callTracer": make_call_tracer,
    "flatCallTracer": make_flat_tracer,
    "prestateTracer": make_prestate_tracer,
    "4byteTracer": lambda _flags, _budget: FourByteTracer(),
    "noopTracer": lambda _flags, _budget: MuxTracer({}),
}
"""By name, those that take flags alone."""


def parse_trace_config(value: object) -> TraceConfig:
    """Return a TraceConfig; raises `BadArgument`."""
    fields = parse_object(value)
    timeout = fields.get("timeout")
    if timeout is not None and not isinstance(timeout, str):
        raise BadArgument(f"timeout: {shown(timeout)} is not a duration")
    timeout_s = MOST_TIME_S if timeout is None else parse_timeout(timeout)
    name = fields.get("tracer")
    if name in (None, ""):
        return TraceConfig(logger=parse_logger(fields), timeout_s=timeout_s)
    found = parse_tracer(name, fields.get("tracerConfig"))
    return TraceConfig(found.tracer, found.flags, found.parts, timeout_s=timeout_s)


def parse_tracer(name: object, config: object) -> TraceConfig:
    """Return a tracer by its name, with its own options."""
    if not isinstance(name, str) or (name != MUX and name not in MAKERS):
        known = ", ".join((*MAKERS, MUX))
        raise BadArgument(f"tracer not found: {shown(name)}; want one of {known}")
    fields = {} if config is None else parse_object(config)
    if name == MUX:
        parts = [parse_tracer(part, own) for part, own in fields.items() if part != MUX]
        if len(parts) != len(fields):
            raise BadArgument("muxTracer takes no muxTracer")
        return TraceConfig(name, parts=tuple(parts))
    flags = {key: flag for key, flag in fields.items() if isinstance(flag, bool)}
    return TraceConfig(name, flags)


def parse_logger(fields: dict[str, object]) -> StructLogOptions:
    """Return the options of the struct logger."""
    limit = fields.get("limit") or 0
    if not isinstance(limit, int) or not 0 <= limit <= MAX_LIMIT:
        raise BadArgument(f"limit: {shown(limit)} is not a count of steps")
    return StructLogOptions(
        enable_memory=parse_flag(fields.get("enableMemory") or False),
        disable_stack=parse_flag(fields.get("disableStack") or False),
        disable_storage=parse_flag(fields.get("disableStorage") or False),
        enable_return_data=parse_flag(fields.get("enableReturnData") or False),
        limit=limit,
    )


Config: TypeAlias = Annotated[TraceConfig, parse_trace_config]
DEFAULT_CONFIG = TraceConfig()
