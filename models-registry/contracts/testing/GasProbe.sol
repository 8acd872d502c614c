// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {CVM} from "../CVM.sol";
import {CVMInput} from "../CVMInput.sol";
import {Float32} from "../Float32.sol";

/// @title What the functions of the library cost
/// @notice Each function returns the gas that one call of a library function uses.
contract GasProbe {
    function toInt64(bytes memory data, uint256 count) external view returns (uint256) {
        uint256 start = gasleft();
        CVM.toInt64(data, count);
        return start - gasleft();
    }

    function toBool(bytes memory data, uint256 count) external view returns (uint256) {
        uint256 start = gasleft();
        CVM.toBool(data, count);
        return start - gasleft();
    }

    function toFloat32Bits(bytes memory data, uint256 count) external view returns (uint256) {
        uint256 start = gasleft();
        CVM.toFloat32Bits(data, count);
        return start - gasleft();
    }

    function toInt64Array(bytes memory data, uint256 count) external view returns (uint256) {
        uint256 start = gasleft();
        CVM.toInt64Array(data, 0, count);
        return start - gasleft();
    }

    function toInt8Array(bytes memory data, uint256 count) external view returns (uint256) {
        uint256 start = gasleft();
        CVM.toInt8Array(data, 0, count);
        return start - gasleft();
    }

    function toBoolArray(bytes memory data, uint256 count) external view returns (uint256) {
        uint256 start = gasleft();
        CVM.toBoolArray(data, 0, count);
        return start - gasleft();
    }

    function toFloat32BitsArray(bytes memory data, uint256 count) external view returns (uint256) {
        uint256 start = gasleft();
        CVM.toFloat32BitsArray(data, 0, count);
        return start - gasleft();
    }

    function argmaxInt64(bytes memory data, uint256 count) external view returns (uint256) {
        uint256 start = gasleft();
        CVM.argmaxInt64(data, 0, count);
        return start - gasleft();
    }

    function argmaxUint8(bytes memory data, uint256 count) external view returns (uint256) {
        uint256 start = gasleft();
        CVM.argmaxUint8(data, 0, count);
        return start - gasleft();
    }

    function argmaxFloat32(bytes memory data, uint256 count) external view returns (uint256) {
        uint256 start = gasleft();
        CVM.argmaxFloat32(data, 0, count);
        return start - gasleft();
    }

    function slice(bytes memory data, uint256 count) external view returns (uint256) {
        uint256 start = gasleft();
        CVM.slice(data, 0, count);
        return start - gasleft();
    }

    function fromInt64(bytes memory data, uint256 count) external view returns (uint256) {
        int64[] memory values = CVM.toInt64Array(data, 0, count);
        uint256 start = gasleft();
        CVMInput.fromInt64(values);
        return start - gasleft();
    }

    function fromUint8(bytes memory data, uint256 count) external view returns (uint256) {
        uint8[] memory values = CVM.toUint8Array(data, 0, count);
        uint256 start = gasleft();
        CVMInput.fromUint8(values);
        return start - gasleft();
    }

    function fromFloat32Bits(bytes memory data, uint256 count) external view returns (uint256) {
        uint32[] memory values = CVM.toFloat32BitsArray(data, 0, count);
        uint256 start = gasleft();
        CVMInput.fromFloat32Bits(values);
        return start - gasleft();
    }

    function join(bytes memory data, uint256 count) external view returns (uint256) {
        bytes[] memory parts = new bytes[](count);
        for (uint256 i = 0; i < count; ++i) parts[i] = data;
        uint256 start = gasleft();
        CVMInput.join(parts);
        return start - gasleft();
    }

    function toWad(uint32 bits) external view returns (uint256) {
        uint256 start = gasleft();
        Float32.toWad(bits);
        return start - gasleft();
    }

    function fromFixed(int256 value, uint256 scale) external view returns (uint256) {
        uint256 start = gasleft();
        Float32.fromFixed(value, scale);
        return start - gasleft();
    }

    function infer(bytes32 modelId, bytes memory input) external view returns (uint256) {
        uint256 start = gasleft();
        CVM.infer(modelId, input);
        return start - gasleft();
    }

    function status(bytes32 modelId) external view returns (uint256) {
        uint256 start = gasleft();
        CVM.status(modelId);
        return start - gasleft();
    }

    function gasOf(bytes32 modelId, uint256 batch) external view returns (uint256) {
        uint256 start = gasleft();
        CVM.gasOf(modelId, batch);
        return start - gasleft();
    }
}
