"""Writes the Solidity library of one model, on top of CVM.sol and CVMInput.sol."""

from collections.abc import Iterator

from models_registry.cli.bind.binding import MAX_ARRAY, Binding, Form, Tensor
from models_registry.cli.bind.names import shown

INDENT = "    "


def solidity_source(binding: Binding, name: str) -> str:
    """Return the source of library `name`, which compiles without a warning under solc 0.8.30."""
    body = [
        *_constants(binding),
        *_structs(binding),
        *_run(binding),
        *(_run_batch(binding) if binding.batchable else ()),
        *_facts(),
        *_encode(binding),
        *_decode(binding),
        *_private(binding),
    ]
    while body[-1] == "":
        body.pop()
    lines = [*_head(binding, name), *(f"{INDENT}{line}" if line else "" for line in body), "}"]
    return "\n".join(lines) + "\n"


def _head(binding: Binding, name: str) -> Iterator[str]:
    yield "// SPDX-License-Identifier: MIT"
    yield "// Written by `cvm model bind`: write it anew rather than change it."
    yield "pragma solidity ^0.8.30;"
    yield ""
    yield 'import {CVM} from "./CVM.sol";'
    if _needs_input_library(binding):
        yield 'import {CVMInput} from "./CVMInput.sol";'
    yield ""
    yield f"/// @title Calls model 0x{binding.model_id.hex()}"
    yield "/// @notice A float32 is its IEEE-754 bits, as uint32: see Float32.sol."
    yield "/// @dev Arrays, and bytes for larger tensors, hold the elements in C order."
    yield f"library {name} {{"


def _needs_input_library(binding: Binding) -> bool:
    return (
        binding.batchable
        or len(binding.inputs) > 1
        or any(tensor.form is Form.ARRAY for tensor in binding.inputs)
    )


def _constants(binding: Binding) -> Iterator[str]:
    yield "/// @notice The model: no other file has this id."
    yield f"bytes32 internal constant MODEL_ID = 0x{binding.model_id.hex()};"
    yield "/// @notice Bytes of one item of input."
    yield f"uint256 internal constant INPUT_BYTES = {binding.input_bytes};"
    yield "/// @notice Bytes of one item of output."
    yield f"uint256 internal constant OUTPUT_BYTES = {binding.output_bytes};"
    yield "/// @notice Whether one call may hold several items."
    yield f"bool internal constant BATCHABLE = {str(binding.batchable).lower()};"
    yield ""
    for side, tensors in (("IN", binding.inputs), ("OUT", binding.outputs)):
        for index, tensor in enumerate(tensors):
            yield from _tensor_constants(side, index, tensor)


def _tensor_constants(side: str, index: int, tensor: Tensor) -> Iterator[str]:
    kind = "Input" if side == "IN" else "Output"
    prefix = f"{side}_{tensor.name.upper}"
    yield f"// {kind} {index}, {shown(tensor.graph_name)}: {tensor.type}"
    yield f"uint256 internal constant {prefix}_BYTES = {tensor.type.size_bytes};"
    yield f"uint256 internal constant {prefix}_OFFSET = {tensor.offset};"
    for axis, size in enumerate(tensor.type.shape):
        yield f"uint256 internal constant {prefix}_DIM_{axis} = {size};"
    yield ""


def _structs(binding: Binding) -> Iterator[str]:
    for name, what, tensors in (
        ("Input", "The inputs", binding.inputs),
        ("Output", "The outputs", binding.outputs),
    ):
        if len(tensors) > 1:
            yield f"/// @notice {what} of one item."
            yield f"struct {name} {{"
            for tensor in tensors:
                yield f"{INDENT}{_type(tensor)} {tensor.name.camel};"
            yield "}"
            yield ""
    if any(tensor.form is Form.BYTES for tensor in binding.inputs):
        yield f"/// @notice A tensor above {MAX_ARRAY} elements has exactly `expected` bytes."
        yield "error BadTensorSize(uint256 given, uint256 expected);"
        yield ""


def _run(binding: Binding) -> Iterator[str]:
    yield "/// @notice Run the model on one item; reverts with the reason where it cannot."
    yield f"function run({_parameter(binding)}) internal view returns ({_returned(binding)}) {{"
    yield f"{INDENT}return decode(CVM.infer(MODEL_ID, encode({_argument(binding)})), 0);"
    yield "}"
    yield ""


def _run_batch(binding: Binding) -> Iterator[str]:
    yield "/// @notice Run the model on 1 to 4,096 items in one call."
    yield f"function runBatch({_input_type(binding)}[] memory items)"
    yield f"{INDENT}internal"
    yield f"{INDENT}view"
    yield f"{INDENT}returns ({_output_type(binding)}[] memory outputs)"
    yield "{"
    yield f"{INDENT}bytes[] memory parts = new bytes[](items.length);"
    yield f"{INDENT}for (uint256 i = 0; i < items.length; ++i) {{"
    yield f"{INDENT * 2}parts[i] = encode(items[i]);"
    yield f"{INDENT}}}"
    yield f"{INDENT}bytes memory data = CVM.infer(MODEL_ID, CVMInput.join(parts));"
    yield f"{INDENT}outputs = new {_output_type(binding)}[](items.length);"
    yield f"{INDENT}for (uint256 i = 0; i < items.length; ++i) {{"
    yield f"{INDENT * 2}outputs[i] = decode(data, i);"
    yield f"{INDENT}}}"
    yield "}"
    yield ""


def _facts() -> Iterator[str]:
    yield "/// @notice Whether the model can be called at this height."
    yield "function isActive() internal view returns (bool) {"
    yield f"{INDENT}return CVM.isActive(MODEL_ID);"
    yield "}"
    yield ""
    yield "/// @notice What INFER charges for a cold call with `batch` items."
    yield "function gasOf(uint256 batch) internal view returns (uint256) {"
    yield f"{INDENT}return CVM.gasOf(MODEL_ID, batch);"
    yield "}"
    yield ""


def _encode(binding: Binding) -> Iterator[str]:
    yield "/// @notice One item of input, packed as the model reads it."
    yield f"function encode({_parameter(binding)}) internal pure returns (bytes memory) {{"
    if len(binding.inputs) == 1:
        (tensor,) = binding.inputs
        yield f"{INDENT}return {_packed(tensor, tensor.name.camel)};"
    else:
        yield f"{INDENT}bytes[] memory parts = new bytes[]({len(binding.inputs)});"
        for index, tensor in enumerate(binding.inputs):
            yield f"{INDENT}parts[{index}] = {_packed(tensor, f'input.{tensor.name.camel}')};"
        yield f"{INDENT}return CVMInput.join(parts);"
    yield "}"
    yield ""


def _packed(tensor: Tensor, expression: str) -> str:
    if tensor.form is Form.SCALAR:
        return f"abi.encodePacked({expression})"
    if tensor.form is Form.ARRAY:
        return f"_pack{_array_name(tensor)}({expression})"
    return f"_checked({expression}, IN_{tensor.name.upper}_BYTES)"


def _decode(binding: Binding) -> Iterator[str]:
    result = _returned(binding) + (" output" if len(binding.outputs) > 1 else "")
    yield "/// @notice The outputs of item `item` in what the model returned."
    yield f"function decode(bytes memory data, uint256 item) internal pure returns ({result}) {{"
    if len(binding.outputs) == 1:
        (tensor,) = binding.outputs
        yield f"{INDENT}return {_read(tensor, 'item * OUTPUT_BYTES')};"
    else:
        yield f"{INDENT}uint256 start = item * OUTPUT_BYTES;"
        for tensor in binding.outputs:
            offset = f"start + OUT_{tensor.name.upper}_OFFSET"
            yield f"{INDENT}output.{tensor.name.camel} = {_read(tensor, offset)};"
    yield "}"
    yield ""


def _read(tensor: Tensor, offset: str) -> str:
    if tensor.form is Form.SCALAR:
        return f"CVM.to{tensor.kind.functions}(data, {offset})"
    if tensor.form is Form.ARRAY:
        return f"_read{_array_name(tensor)}(data, {offset})"
    return f"CVM.slice(data, {offset}, OUT_{tensor.name.upper}_BYTES)"


def _private(binding: Binding) -> Iterator[str]:
    """Yield what reads and writes arrays of fixed length, once per type, and checks bytes."""
    for tensor in _arrays(binding.inputs):
        yield f"function _pack{_array_name(tensor)}({_type(tensor)} memory tensor)"
        yield f"{INDENT}private"
        yield f"{INDENT}pure"
        yield f"{INDENT}returns (bytes memory)"
        yield "{"
        yield f"{INDENT}uint256 first;"
        yield from _assembly("first := tensor")
        size, width = tensor.type.size, tensor.kind.width
        yield f"{INDENT}return CVMInput.packWords(first, {size}, {width});"
        yield "}"
        yield ""
    for tensor in _arrays(binding.outputs):
        yield f"function _read{_array_name(tensor)}(bytes memory data, uint256 offset)"
        yield f"{INDENT}private"
        yield f"{INDENT}pure"
        yield f"{INDENT}returns ({_type(tensor)} memory tensor)"
        yield "{"
        array = f"{tensor.kind.solidity}[] memory elements"
        reader = f"CVM.to{tensor.kind.functions}Array(data, offset, {tensor.type.size})"
        yield f"{INDENT}{array} = {reader};"
        yield from _assembly("tensor := add(elements, 32)")
        yield "}"
        yield ""
    if any(tensor.form is Form.BYTES for tensor in binding.inputs):
        yield "function _checked(bytes memory tensor, uint256 expected)"
        yield f"{INDENT}private"
        yield f"{INDENT}pure"
        yield f"{INDENT}returns (bytes memory)"
        yield "{"
        yield f"{INDENT}if (tensor.length != expected) {{"
        yield f"{INDENT * 2}revert BadTensorSize(tensor.length, expected);"
        yield f"{INDENT}}}"
        yield f"{INDENT}return tensor;"
        yield "}"
        yield ""


def _assembly(statement: str) -> Iterator[str]:
    yield f'{INDENT}assembly ("memory-safe") {{'
    yield f"{INDENT * 2}{statement}"
    yield f"{INDENT}}}"


def _arrays(tensors: tuple[Tensor, ...]) -> list[Tensor]:
    """Return one tensor of each array type, in order."""
    found = {_array_name(tensor): tensor for tensor in tensors if tensor.form is Form.ARRAY}
    return list(found.values())


def _array_name(tensor: Tensor) -> str:
    return f"{tensor.kind.functions}x{tensor.type.size}"


def _type(tensor: Tensor) -> str:
    if tensor.form is Form.SCALAR:
        return tensor.kind.solidity
    return f"{tensor.kind.solidity}[{tensor.type.size}]" if tensor.form is Form.ARRAY else "bytes"


def _in_memory(tensor: Tensor) -> str:
    return _type(tensor) + ("" if tensor.form is Form.SCALAR else " memory")


def _input_type(binding: Binding) -> str:
    return _type(binding.inputs[0]) if len(binding.inputs) == 1 else "Input"


def _output_type(binding: Binding) -> str:
    return _type(binding.outputs[0]) if len(binding.outputs) == 1 else "Output"


def _parameter(binding: Binding) -> str:
    if len(binding.inputs) > 1:
        return "Input memory input"
    (tensor,) = binding.inputs
    return f"{_in_memory(tensor)} {tensor.name.camel}"


def _argument(binding: Binding) -> str:
    return "input" if len(binding.inputs) > 1 else binding.inputs[0].name.camel


def _returned(binding: Binding) -> str:
    return "Output memory" if len(binding.outputs) > 1 else _in_memory(binding.outputs[0])
