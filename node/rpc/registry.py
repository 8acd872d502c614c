"""The table of JSON-RPC methods and the decorator that fills it.

A method is an async function of the chain and of its parameters. Each parameter's annotation is one
of the types of `node.rpc.parameters`, which carry their parser; a default makes it optional. So a
signature is the whole description of what a caller may send. A method that needs to know who asks
takes a `Caller` in the place of the chain.
"""

import inspect
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias, TypeVar

from node.rpc.caller import Caller
from node.rpc.faults import BadArgument, InvalidParams
from node.rpc.json_value import JsonResult, JsonText, JsonValue

__all__ = ["METHODS", "JsonText", "JsonValue", "Method", "Parameter", "parse_params", "rpc_method"]

Handler: TypeAlias = Callable[..., Awaitable[JsonResult]]
Parser: TypeAlias = Callable[[object], object]
HandlerT = TypeVar("HandlerT", bound=Handler)


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of a method: how its JSON value is parsed, and what stands in for none."""

    name: str
    parse: Parser
    is_required: bool
    default: object


@dataclass(frozen=True, slots=True)
class Method:
    """A registered method; one that `is_long` waits for its turn (`node.rpc.turns`)."""

    name: str
    handler: Handler
    parameters: tuple[Parameter, ...]
    takes_caller: bool = False
    is_long: bool = False

    async def call(self, caller: Caller, params: Sequence[object]) -> JsonResult:
        """Parse the positional parameters and run the method; raises `InvalidParams`."""
        subject = caller if self.takes_caller else caller.chain
        return await self.handler(subject, *parse_params(self.parameters, params))


METHODS: dict[str, Method] = {}
"""Every method by its name; filled by the modules of `node.rpc.methods`."""


def rpc_method(name: str, *, is_long: bool = False) -> Callable[[HandlerT], HandlerT]:
    """Register an async function as the JSON-RPC method `name`.

    One that `is_long` may keep the event loop for milliseconds, and waits for its turn.
    """

    def register(handler: HandlerT) -> HandlerT:
        if name in METHODS:
            raise ValueError(f"JSON-RPC method {name} is registered twice; rename one of them")
        parameters, takes_caller = _parameters_of(handler), _takes_caller(handler)
        METHODS[name] = Method(name, handler, parameters, takes_caller, is_long)
        return handler

    return register


def parse_params(parameters: Sequence[Parameter], params: Sequence[object]) -> tuple[object, ...]:
    """Return the parsed arguments; a null stands for a missing one, as in geth.

    Raises `InvalidParams` with the place of the first wrong argument.
    """
    if len(params) > len(parameters):
        raise InvalidParams(f"too many arguments, want at most {len(parameters)}")
    parsed = []
    for place, parameter in enumerate(parameters):
        value = params[place] if place < len(params) else None
        if value is not None:
            parsed.append(_parse_one(place, parameter, value))
        elif parameter.is_required:
            raise InvalidParams(f"missing value for required argument {place}")
        else:
            parsed.append(parameter.default)
    return tuple(parsed)


def _parse_one(place: int, parameter: Parameter, value: object) -> object:
    try:
        return parameter.parse(value)
    except BadArgument as fault:
        raise InvalidParams(f"invalid argument {place}: {fault}") from fault


def _takes_caller(handler: Handler) -> bool:
    subject, *_ = inspect.signature(handler).parameters.values()
    return subject.annotation is Caller


def _parameters_of(handler: Handler) -> tuple[Parameter, ...]:
    _, *declared = inspect.signature(handler).parameters.values()
    return tuple(
        Parameter(
            name=parameter.name,
            parse=parameter.annotation.__metadata__[0],
            is_required=parameter.default is inspect.Parameter.empty,
            default=parameter.default,
        )
        for parameter in declared
    )
