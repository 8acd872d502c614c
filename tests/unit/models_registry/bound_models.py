"""Bindings to test generated code with, and contracts that use all of a generated library."""

from collections.abc import Sequence

from hypothesis import strategies as st

from cvm.inference.graph import Value
from cvm.inference.tensor_type import TensorType
from models_registry.cli.bind import Binding, binding_of, solidity_source
from models_registry.cli.bind.binding import KINDS, Form, Tensor
from models_registry.cli.bind.names import RESERVED

MODEL_ID = bytes(range(32))
MIXED_INPUTS = (
    Value("image:0", TensorType("uint8", (1, 10, 10))),
    Value("function", TensorType("int32", (3,))),
    Value("is/on", TensorType("bool", ())),
    Value("weights", TensorType("float32", (2, 1))),
)
MIXED_OUTPUTS = (
    Value("label", TensorType("int64", (1,))),
    Value("mask", TensorType("bool", (4,))),
    Value("map", TensorType("int8", (1, 70))),
    Value("Function", TensorType("uint8", ())),
    Value("scores", TensorType("float32", (1, 2))),
)


IMAGE = bytes(range(100))
ITEM = (IMAGE, [-1, 2**31 - 1, -(2**31)], True, [0x3F800000, 0xFFFFFFFF])
"""What a contract gives the model of `mixed`, and PACKED the bytes that INFER gets of it."""
PACKED = IMAGE + bytes.fromhex("ffffffff7fffffff80000000" + "01" + "3f800000ffffffff")
MAP = bytes(range(200, 256)) + bytes(14)
ANSWER = (
    bytes.fromhex("fffffffffffffffe" + "01000101") + MAP + bytes.fromhex("ff" + "3f80000080000000")
)
"""What the model gives, and RESULT what the contract makes of it."""
RESULT = (-2, (True, False, True, True), MAP, 255, (0x3F800000, 0x80000000))


def answers(data: bytes, opcode: str = "f3") -> bytes:
    """Return code that returns (`f3`) or reverts with (`fd`) some bytes."""
    size = len(data).to_bytes(2, "big").hex()
    return bytes.fromhex(f"61{size}600d5f3961{size}5f{opcode}00") + data


def mixed(batchable: bool = True) -> Binding:
    """Return a binding with every form and dtype."""
    return binding_of(MODEL_ID, MIXED_INPUTS, MIXED_OUTPUTS, batchable)


DIMS = st.sampled_from([1, 1, 2, 3, 5, 8, 63, 64, 65])
TYPES = st.builds(TensorType, st.sampled_from(sorted(KINDS)), st.lists(DIMS, max_size=3).map(tuple))
NAMES = st.one_of(
    st.text(max_size=12),
    st.sampled_from(sorted(RESERVED)),
    st.sampled_from(
        ["", "x", "X", "x_2", "x2", "1", "uint8", "bytes32", "*/", "\u202e", "@return"]
    ),
    st.sampled_from(["input", "output", "data", "item", "INPUT_BYTES", "Input", "/model/out.1"]),
)


@st.composite
def bindings(draw: st.DrawFn) -> Binding:
    """Draw a binding with any names and shapes; graphs name no two values alike."""
    names = draw(st.lists(NAMES, min_size=2, max_size=24, unique=True))
    values = [Value(name, draw(TYPES)) for name in names]
    cut = draw(st.integers(1, len(names) - 1))
    return binding_of(MODEL_ID, values[:cut], values[cut:], draw(st.booleans()))


def used_source(binding: Binding, name: str) -> str:
    """Return a library with a contract `NameUser` that makes solc translate all of it."""
    source = solidity_source(binding, name)
    given = _library_type(binding.inputs, f"{name}.Input")
    made = _library_type(binding.outputs, f"{name}.Output")
    return "\n".join(
        [
            source,
            f"contract {name}User {{",
            *_passing(name, "run", f"{given} a", "view", made),
            *_passing(name, "encode", f"{given} a", "pure", "bytes memory"),
            *_passing(name, "decode", "bytes memory a, uint256 b", "pure", made),
            *_passing(name, "isActive", "", "view", "bool"),
            *_passing(name, "gasOf", "uint256 a", "view", "uint256"),
            *(
                _passing(name, "runBatch", f"{_list(given)} a", "view", _list(made))
                if binding.batchable
                else ()
            ),
            "}",
            "",
        ]
    )


def _passing(name: str, function: str, parameters: str, mutability: str, result: str) -> list[str]:
    arguments = ", ".join(part.split()[-1] for part in parameters.split(", ") if part)
    return [
        f"    function {function}({parameters}) external {mutability} returns ({result}) {{",
        f"        return {name}.{function}({arguments});",
        "    }",
    ]


def _library_type(tensors: Sequence[Tensor], struct: str) -> str:
    if len(tensors) > 1:
        return f"{struct} memory"
    (tensor,) = tensors
    if tensor.form is Form.SCALAR:
        return tensor.kind.solidity
    return solidity_type(tensor) + " memory"


def solidity_type(tensor: Tensor) -> str:
    """Return a tensor's type as the ABI names it."""
    if tensor.form is Form.BYTES:
        return "bytes"
    kind = tensor.kind.solidity
    return kind if tensor.form is Form.SCALAR else f"{kind}[{tensor.type.size}]"


def _list(kind: str) -> str:
    return kind.removesuffix(" memory") + "[] memory"


def abi_type(tensors: Sequence[Tensor]) -> str:
    """Return how the ABI names an item of several tensors."""
    return "(" + ",".join(map(solidity_type, tensors)) + ")"
