// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {CVM} from "../CVM.sol";

/// @title Every function of CVM, callable from a test
contract CVMProbe {
    /// @notice Run a model, and give the input back as it lies in memory afterwards.
    function infer(bytes32 modelId, bytes memory input)
        external
        view
        returns (bytes memory output, bytes memory inputAfter)
    {
        output = CVM.infer(modelId, input);
        inputAfter = input;
    }

    /// @notice Run a model and report a failure instead of passing it on.
    function tryInfer(bytes32 modelId, bytes memory input)
        external
        view
        returns (bool ok, bytes memory result)
    {
        return CVM.tryInfer(modelId, input);
    }

    function toInt64(bytes memory data, uint256 offset) external pure returns (int64) {
        return CVM.toInt64(data, offset);
    }

    function toInt32(bytes memory data, uint256 offset) external pure returns (int32) {
        return CVM.toInt32(data, offset);
    }

    function toInt8(bytes memory data, uint256 offset) external pure returns (int8) {
        return CVM.toInt8(data, offset);
    }

    function toUint8(bytes memory data, uint256 offset) external pure returns (uint8) {
        return CVM.toUint8(data, offset);
    }

    function toFloat32Bits(bytes memory data, uint256 offset) external pure returns (uint32) {
        return CVM.toFloat32Bits(data, offset);
    }
}
