// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

/// @title Run neural networks from a contract
/// @notice Calls the INFER precompile and reads elements of its output.
/// @dev Tensors are packed big-endian elements, all inputs (and all outputs) in the graph's order.
library CVM {
    /// @notice Takes modelId (32 bytes) || input and returns the output.
    address internal constant INFER = 0x0000000000000000000000000000000000000c00;

    /// @notice The model is not ACTIVE at this height.
    error ModelNotActive();
    /// @notice The input is not a whole number of items, or too many of them.
    error BadInputSize();
    /// @notice An index in the input lies outside the axis that it indexes.
    error InputOutOfRange();
    /// @notice The call ran out of gas; nothing else makes it fail without a reason.
    error InferenceOutOfGas();
    /// @notice This chain has no INFER precompile.
    error NoInference();
    /// @notice There is no element of `width` bytes at `offset`.
    error NoElementAt(uint256 offset, uint256 width, uint256 length);

    /// @notice Run a model; reverts with the reason where it cannot.
    /// @param modelId An ACTIVE model.
    /// @param input One item, or several one after the other where the model is batchable.
    /// @return output The outputs of every item.
    function infer(bytes32 modelId, bytes memory input) internal view returns (bytes memory output) {
        bool ok;
        (ok, output) = tryInfer(modelId, input);
        if (ok) return output;
        if (output.length == 0) revert InferenceOutOfGas();
        assembly ("memory-safe") {
            revert(add(output, 32), mload(output))
        }
    }

    /// @notice Run a model; `ok` false comes with the error's selector, or nothing if out of gas.
    function tryInfer(bytes32 modelId, bytes memory input)
        internal
        view
        returns (bool ok, bytes memory result)
    {
        assembly ("memory-safe") {
            // The word before the bytes holds their length: for the time of the call it holds the
            // model id, so that calldata need not be copied together.
            let size := mload(input)
            mstore(input, modelId)
            ok := staticcall(gas(), INFER, input, add(size, 32), 0, 0)
            mstore(input, size)
            result := mload(0x40)
            mstore(result, returndatasize())
            returndatacopy(add(result, 32), 0, returndatasize())
            mstore(0x40, and(add(add(result, returndatasize()), 63), not(31)))
        }
        // An account without code answers every call with nothing; a model never does.
        if (ok && result.length == 0) revert NoInference();
    }

    /// @notice The int64 element at a byte offset.
    function toInt64(bytes memory data, uint256 offset) internal pure returns (int64) {
        return int64(uint64(_element(data, offset, 8)));
    }

    /// @notice The int32 element at a byte offset.
    function toInt32(bytes memory data, uint256 offset) internal pure returns (int32) {
        return int32(uint32(_element(data, offset, 4)));
    }

    /// @notice The int8 element at a byte offset.
    function toInt8(bytes memory data, uint256 offset) internal pure returns (int8) {
        return int8(uint8(_element(data, offset, 1)));
    }

    /// @notice The uint8 element at a byte offset.
    function toUint8(bytes memory data, uint256 offset) internal pure returns (uint8) {
        return uint8(_element(data, offset, 1));
    }

    /// @notice The IEEE-754 bits of the float32 element at a byte offset.
    function toFloat32Bits(bytes memory data, uint256 offset) internal pure returns (uint32) {
        return uint32(_element(data, offset, 4));
    }

    function _element(bytes memory data, uint256 offset, uint256 width)
        private
        pure
        returns (uint256 value)
    {
        if (offset >= data.length || data.length - offset < width) {
            revert NoElementAt(offset, width, data.length);
        }
        assembly ("memory-safe") {
            value := shr(sub(256, mul(8, width)), mload(add(add(data, 32), offset)))
        }
    }
}
