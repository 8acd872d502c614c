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

    function toBool(bytes memory data, uint256 offset) external pure returns (bool) {
        return CVM.toBool(data, offset);
    }

    function toInt64Array(bytes memory data, uint256 offset, uint256 count) external pure returns (int64[] memory) {
        return CVM.toInt64Array(data, offset, count);
    }

    function toInt32Array(bytes memory data, uint256 offset, uint256 count) external pure returns (int32[] memory) {
        return CVM.toInt32Array(data, offset, count);
    }

    function toInt8Array(bytes memory data, uint256 offset, uint256 count) external pure returns (int8[] memory) {
        return CVM.toInt8Array(data, offset, count);
    }

    function toUint8Array(bytes memory data, uint256 offset, uint256 count) external pure returns (uint8[] memory) {
        return CVM.toUint8Array(data, offset, count);
    }

    function toBoolArray(bytes memory data, uint256 offset, uint256 count) external pure returns (bool[] memory) {
        return CVM.toBoolArray(data, offset, count);
    }

    function toFloat32BitsArray(bytes memory data, uint256 offset, uint256 count) external pure returns (uint32[] memory) {
        return CVM.toFloat32BitsArray(data, offset, count);
    }

    function argmaxInt64(bytes memory data, uint256 offset, uint256 count) external pure returns (uint256) {
        return CVM.argmaxInt64(data, offset, count);
    }

    function argmaxInt32(bytes memory data, uint256 offset, uint256 count) external pure returns (uint256) {
        return CVM.argmaxInt32(data, offset, count);
    }

    function argmaxInt8(bytes memory data, uint256 offset, uint256 count) external pure returns (uint256) {
        return CVM.argmaxInt8(data, offset, count);
    }

    function argmaxUint8(bytes memory data, uint256 offset, uint256 count) external pure returns (uint256) {
        return CVM.argmaxUint8(data, offset, count);
    }

    function argmaxFloat32(bytes memory data, uint256 offset, uint256 count) external pure returns (uint256) {
        return CVM.argmaxFloat32(data, offset, count);
    }

    function slice(bytes memory data, uint256 offset, uint256 length) external pure returns (bytes memory) {
        return CVM.slice(data, offset, length);
    }

    function info(bytes32 modelId, uint256 field) external view returns (uint256) {
        return CVM.info(modelId, field);
    }

    function status(bytes32 modelId) external view returns (CVM.Status) {
        return CVM.status(modelId);
    }

    function isActive(bytes32 modelId) external view returns (bool) {
        return CVM.isActive(modelId);
    }

    function ownerOf(bytes32 modelId) external view returns (address) {
        return CVM.ownerOf(modelId);
    }

    function inputBytes(bytes32 modelId) external view returns (uint256) {
        return CVM.inputBytes(modelId);
    }

    function outputBytes(bytes32 modelId) external view returns (uint256) {
        return CVM.outputBytes(modelId);
    }

    function gasOf(bytes32 modelId, uint256 batch) external view returns (uint256) {
        return CVM.gasOf(modelId, batch);
    }
}
