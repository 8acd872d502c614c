// SPDX-License-Identifier: MIT
// Written by `cvm model bind`: write it anew rather than change it.
pragma solidity ^0.8.30;

import {CVM} from "./CVM.sol";
import {CVMInput} from "./CVMInput.sol";

/// @title Calls model 0x72ac5e6a9f95781f16f76a7a924e0a237549572f663aefad0090d078245f8eab
/// @notice A float32 is its IEEE-754 bits, as uint32: see Float32.sol.
/// @dev Arrays, and bytes for larger tensors, hold the elements in C order.
library Digits {
    /// @notice The model: no other file has this id.
    bytes32 internal constant MODEL_ID = 0x72ac5e6a9f95781f16f76a7a924e0a237549572f663aefad0090d078245f8eab;
    /// @notice Bytes of one item of input.
    uint256 internal constant INPUT_BYTES = 784;
    /// @notice Bytes of one item of output.
    uint256 internal constant OUTPUT_BYTES = 48;
    /// @notice Whether one call may hold several items.
    bool internal constant BATCHABLE = true;

    // Input 0, 'image': uint8[1,1,28,28]
    uint256 internal constant IN_IMAGE_BYTES = 784;
    uint256 internal constant IN_IMAGE_OFFSET = 0;
    uint256 internal constant IN_IMAGE_DIM_0 = 1;
    uint256 internal constant IN_IMAGE_DIM_1 = 1;
    uint256 internal constant IN_IMAGE_DIM_2 = 28;
    uint256 internal constant IN_IMAGE_DIM_3 = 28;

    // Output 0, 'label': int64[1]
    uint256 internal constant OUT_LABEL_BYTES = 8;
    uint256 internal constant OUT_LABEL_OFFSET = 0;
    uint256 internal constant OUT_LABEL_DIM_0 = 1;

    // Output 1, 'scores': int32[1,10]
    uint256 internal constant OUT_SCORES_BYTES = 40;
    uint256 internal constant OUT_SCORES_OFFSET = 8;
    uint256 internal constant OUT_SCORES_DIM_0 = 1;
    uint256 internal constant OUT_SCORES_DIM_1 = 10;

    /// @notice The outputs of one item.
    struct Output {
        int64 label;
        int32[10] scores;
    }

    /// @notice A tensor above 64 elements has exactly `expected` bytes.
    error BadTensorSize(uint256 given, uint256 expected);

    /// @notice Run the model on one item; reverts with the reason where it cannot.
    function run(bytes memory image) internal view returns (Output memory) {
        return decode(CVM.infer(MODEL_ID, encode(image)), 0);
    }

    /// @notice Run the model on 1 to 4,096 items in one call.
    function runBatch(bytes[] memory items)
        internal
        view
        returns (Output[] memory outputs)
    {
        bytes[] memory parts = new bytes[](items.length);
        for (uint256 i = 0; i < items.length; ++i) {
            parts[i] = encode(items[i]);
        }
        bytes memory data = CVM.infer(MODEL_ID, CVMInput.join(parts));
        outputs = new Output[](items.length);
        for (uint256 i = 0; i < items.length; ++i) {
            outputs[i] = decode(data, i);
        }
    }

    /// @notice Whether the model can be called at this height.
    function isActive() internal view returns (bool) {
        return CVM.isActive(MODEL_ID);
    }

    /// @notice What INFER charges for a cold call with `batch` items.
    function gasOf(uint256 batch) internal view returns (uint256) {
        return CVM.gasOf(MODEL_ID, batch);
    }

    /// @notice One item of input, packed as the model reads it.
    function encode(bytes memory image) internal pure returns (bytes memory) {
        return _checked(image, IN_IMAGE_BYTES);
    }

    /// @notice The outputs of item `item` in what the model returned.
    function decode(bytes memory data, uint256 item) internal pure returns (Output memory output) {
        uint256 start = item * OUTPUT_BYTES;
        output.label = CVM.toInt64(data, start + OUT_LABEL_OFFSET);
        output.scores = _readInt32x10(data, start + OUT_SCORES_OFFSET);
    }

    function _readInt32x10(bytes memory data, uint256 offset)
        private
        pure
        returns (int32[10] memory tensor)
    {
        int32[] memory elements = CVM.toInt32Array(data, offset, 10);
        assembly ("memory-safe") {
            tensor := add(elements, 32)
        }
    }

    function _checked(bytes memory tensor, uint256 expected)
        private
        pure
        returns (bytes memory)
    {
        if (tensor.length != expected) {
            revert BadTensorSize(tensor.length, expected);
        }
        return tensor;
    }
}
