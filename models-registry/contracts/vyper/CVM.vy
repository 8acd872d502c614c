# pragma version ~=0.4.3
"""
@title Run neural networks from a contract
@license MIT
@notice Calls the INFER and MODELINFO precompiles and reads elements of outputs.
@dev Tensors are packed big-endian elements, all inputs (and all outputs) in the graph's order, item
after item. An element of an input is `convert(value, bytes4)` and the like, put together by `concat`.
`cvm model bind --vyper` writes a module with the sizes and types of one model.
"""

# Takes modelId (32 bytes) || input and returns the output.
INFER: constant(address) = 0x0000000000000000000000000000000000000c00
# Takes modelId (32 bytes) || field (32 bytes) and returns 32 bytes.
MODELINFO: constant(address) = 0x0000000000000000000000000000000000000C01

# The most bytes that `infer` takes, and one more than it gives: change them in a copy, memory is paid
# for.
MAX_INPUT: constant(uint256) = 16384
MAX_OUTPUT: constant(uint256) = 4097

# Fields of `info`.
STATUS: constant(uint256) = 0
COMPUTE_GAS: constant(uint256) = 1
LOAD_GAS: constant(uint256) = 2
INPUT_BYTES: constant(uint256) = 3
OUTPUT_BYTES: constant(uint256) = 4
OWNER: constant(uint256) = 5
ROYALTY_GAS: constant(uint256) = 6
BATCHABLE: constant(uint256) = 7
ENGINE: constant(uint256) = 8
ACTIVATION_HEIGHT: constant(uint256) = 9

# The status of a model that can be called.
ACTIVE: constant(uint256) = 2


@internal
@view
def infer(model_id: bytes32, input: Bytes[MAX_INPUT]) -> Bytes[MAX_OUTPUT]:
    """
    @notice Run a model; reverts with the reason where it cannot.
    @param model_id An ACTIVE model.
    @param input One item, or several one after the other where the model is batchable.
    @return The outputs of every item.
    """
    output: Bytes[MAX_OUTPUT] = raw_call(
        INFER, concat(model_id, input), max_outsize=MAX_OUTPUT, is_static_call=True
    )
    # An account without code answers every call with nothing; a model never does.
    assert len(output) > 0, "no inference"
    assert len(output) < MAX_OUTPUT, "output too long"
    return output


@internal
@view
def info(model_id: bytes32, field: uint256) -> uint256:
    """
    @notice A fact about a model; 0 where it was never registered.
    """
    answer: Bytes[32] = raw_call(
        MODELINFO,
        concat(model_id, convert(field, bytes32)),
        max_outsize=32,
        is_static_call=True,
    )
    assert len(answer) == 32, "no inference"
    return convert(answer, uint256)


@internal
@view
def is_active(model_id: bytes32) -> bool:
    """
    @notice Whether a model can be called at this height.
    """
    return self.info(model_id, STATUS) == ACTIVE


@internal
@pure
def to_int64(data: Bytes[MAX_OUTPUT], offset: uint256) -> int64:
    """
    @notice The int64 element at a byte offset.
    """
    return convert(slice(data, offset, 8), int64)


@internal
@pure
def to_int32(data: Bytes[MAX_OUTPUT], offset: uint256) -> int32:
    """
    @notice The int32 element at a byte offset.
    """
    return convert(slice(data, offset, 4), int32)


@internal
@pure
def to_int8(data: Bytes[MAX_OUTPUT], offset: uint256) -> int8:
    """
    @notice The int8 element at a byte offset.
    """
    return convert(slice(data, offset, 1), int8)


@internal
@pure
def to_uint8(data: Bytes[MAX_OUTPUT], offset: uint256) -> uint8:
    """
    @notice The uint8 element at a byte offset.
    """
    return convert(slice(data, offset, 1), uint8)


@internal
@pure
def to_bool(data: Bytes[MAX_OUTPUT], offset: uint256) -> bool:
    """
    @notice The bool element at a byte offset.
    """
    return convert(slice(data, offset, 1), bool)


@internal
@pure
def to_float32_bits(data: Bytes[MAX_OUTPUT], offset: uint256) -> uint32:
    """
    @notice The IEEE-754 bits of the float32 element at a byte offset.
    """
    return convert(slice(data, offset, 4), uint32)
