"""Writes the Vyper module of one model; it imports nothing.

Vyper gives every `Bytes` its largest size in the source, so each model's module has its own sizes,
and a batch, whose size the caller chooses, is left to `CVM.vy`.
"""

from collections.abc import Iterator

from models_registry.cli.bind.binding import Binding, Form, Tensor
from models_registry.cli.bind.names import shown

INDENT = "    "
VYPER_VERSION = "~=0.4.3"


def vyper_source(binding: Binding, name: str) -> str:
    """Return the source of a module that calls the model; `name` stands in its title.

    Every name of the graph gets `in_` or `out_` before it, which keeps it from the words of the
    language.
    """
    lines = [
        *_head(binding, name),
        *_constants(binding),
        *_structs(binding),
        *_run(binding),
        *_is_active(),
    ]
    return "\n".join(lines) + "\n"


def _head(binding: Binding, name: str) -> Iterator[str]:
    yield f"# pragma version {VYPER_VERSION}"
    yield "# Written by `cvm model bind --vyper`: write it anew rather than change it."
    yield '"""'
    yield f"@title {name}: calls model 0x{binding.model_id.hex()}"
    yield "@license MIT"
    yield "@notice A float32 is its IEEE-754 bits, as uint32. Arrays are in C order."
    yield '"""'
    yield ""


def _constants(binding: Binding) -> Iterator[str]:
    yield "INFER: constant(address) = 0x0000000000000000000000000000000000000c00"
    yield "MODELINFO: constant(address) = 0x0000000000000000000000000000000000000C01"
    yield f"MODEL_ID: constant(bytes32) = 0x{binding.model_id.hex()}"
    yield f"INPUT_BYTES: constant(uint256) = {binding.input_bytes}"
    yield f"OUTPUT_BYTES: constant(uint256) = {binding.output_bytes}"
    yield ""
    for side, tensors in (("in", binding.inputs), ("out", binding.outputs)):
        for tensor in tensors:
            yield f"# {_name(side, tensor)} is {shown(tensor.graph_name)}: {tensor.type}"
    yield ""


def _structs(binding: Binding) -> Iterator[str]:
    for title, side, tensors in (
        ("Input", "in", binding.inputs),
        ("Output", "out", binding.outputs),
    ):
        if len(tensors) > 1:
            yield ""
            yield f"struct {title}:"
            for tensor in tensors:
                yield f"{INDENT}{_name(side, tensor)}: {_type(tensor)}"
            yield ""


def _run(binding: Binding) -> Iterator[str]:
    single = len(binding.inputs) == 1
    parameter = (
        f"{_name('in', binding.inputs[0])}: {_type(binding.inputs[0])}" if single else "item: Input"
    )
    result = _type(binding.outputs[0]) if len(binding.outputs) == 1 else "Output"
    yield ""
    yield "@internal"
    yield "@view"
    yield f"def run({parameter}) -> {result}:"
    yield f'{INDENT}"""'
    yield f"{INDENT}@notice Run the model on one item; reverts with the reason where it cannot."
    yield f'{INDENT}"""'
    arguments = ["MODEL_ID"]
    for tensor in binding.inputs:
        expression = _name("in", tensor) if single else f"item.{_name('in', tensor)}"
        if tensor.form is Form.BYTES:
            size = tensor.type.size_bytes
            yield f'{INDENT}assert len({expression}) == {size}, "{_reason(tensor)}"'
        arguments += _packed(tensor, expression)
    yield f"{INDENT}data: Bytes[{binding.output_bytes}] = raw_call("
    yield f"{INDENT * 2}INFER,"
    yield f"{INDENT * 2}concat("
    yield from (f"{INDENT * 3}{argument}," for argument in arguments)
    yield f"{INDENT * 2}),"
    yield f"{INDENT * 2}max_outsize={binding.output_bytes},"
    yield f"{INDENT * 2}is_static_call=True,"
    yield f"{INDENT})"
    yield f'{INDENT}assert len(data) == {binding.output_bytes}, "no inference"'
    if len(binding.outputs) == 1:
        yield f"{INDENT}return {_read(binding.outputs[0])}"
    else:
        yield f"{INDENT}return Output("
        for tensor in binding.outputs:
            yield f"{INDENT * 2}{_name('out', tensor)}={_read(tensor)},"
        yield f"{INDENT})"
    yield ""


def _reason(tensor: Tensor) -> str:
    return f"{_name('in', tensor)}: {tensor.type.size_bytes} bytes"


def _is_active() -> Iterator[str]:
    yield ""
    yield "@internal"
    yield "@view"
    yield "def is_active() -> bool:"
    yield f'{INDENT}"""'
    yield f"{INDENT}@notice Whether the model can be called at this height."
    yield f'{INDENT}"""'
    yield f"{INDENT}status: Bytes[32] = raw_call("
    yield f"{INDENT * 2}MODELINFO,"
    yield f"{INDENT * 2}concat(MODEL_ID, empty(bytes32)),"
    yield f"{INDENT * 2}max_outsize=32,"
    yield f"{INDENT * 2}is_static_call=True,"
    yield f"{INDENT})"
    yield f"{INDENT}return convert(status, uint256) == 2"


def _packed(tensor: Tensor, expression: str) -> list[str]:
    """Return the arguments of concat that are a tensor's bytes."""
    if tensor.form is Form.BYTES:
        return [expression]
    if tensor.form is Form.SCALAR:
        return [_element_bytes(tensor, expression)]
    return [_element_bytes(tensor, f"{expression}[{i}]") for i in range(tensor.type.size)]


def _element_bytes(tensor: Tensor, expression: str) -> str:
    if tensor.type.dtype == "bool":
        return f"convert(convert({expression}, uint8), bytes1)"
    return f"convert({expression}, bytes{tensor.kind.width})"


def _read(tensor: Tensor) -> str:
    if tensor.form is Form.BYTES:
        return f"slice(data, {tensor.offset}, {tensor.type.size_bytes})"
    width = tensor.kind.width
    elements = [
        f"convert(slice(data, {tensor.offset + i * width}, {width}), {tensor.kind.solidity})"
        for i in range(tensor.type.size)
    ]
    return elements[0] if tensor.form is Form.SCALAR else f"[{', '.join(elements)}]"


def _type(tensor: Tensor) -> str:
    if tensor.form is Form.BYTES:
        return f"Bytes[{tensor.type.size_bytes}]"
    name = tensor.kind.solidity
    return name if tensor.form is Form.SCALAR else f"{name}[{tensor.type.size}]"


def _name(side: str, tensor: Tensor) -> str:
    return f"{side}_{tensor.name.snake}"
