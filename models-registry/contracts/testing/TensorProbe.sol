// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {CVMInput} from "../CVMInput.sol";
import {Float32} from "../Float32.sol";
import {InferArray} from "../InferArray.sol";

/// @title Every function of CVMInput, Float32 and InferArray, callable from a test
contract TensorProbe {
    /// @notice Where INFERARRAY finds its input.
    bytes public stored;

    function fromInt64(int64[] memory values) external pure returns (bytes memory) {
        return CVMInput.fromInt64(values);
    }

    function fromInt32(int32[] memory values) external pure returns (bytes memory) {
        return CVMInput.fromInt32(values);
    }

    function fromInt8(int8[] memory values) external pure returns (bytes memory) {
        return CVMInput.fromInt8(values);
    }

    function fromUint8(uint8[] memory values) external pure returns (bytes memory) {
        return CVMInput.fromUint8(values);
    }

    function fromBool(bool[] memory values) external pure returns (bytes memory) {
        return CVMInput.fromBool(values);
    }

    function fromFloat32Bits(uint32[] memory values) external pure returns (bytes memory) {
        return CVMInput.fromFloat32Bits(values);
    }

    function join(bytes[] memory parts) external pure returns (bytes memory) {
        return CVMInput.join(parts);
    }

    /// @notice Packs what follows in memory after two other arrays, to see that they stay whole.
    function packBetween(uint8[3] memory values)
        external
        pure
        returns (bytes memory packed, uint256[2] memory before, bytes memory behind)
    {
        before = [uint256(7), 8];
        uint256 first;
        assembly ("memory-safe") {
            first := values
        }
        packed = CVMInput.packWords(first, 3, 1);
        behind = hex"0910";
    }

    function isNaN(uint32 bits) external pure returns (bool) {
        return Float32.isNaN(bits);
    }

    function isFinite(uint32 bits) external pure returns (bool) {
        return Float32.isFinite(bits);
    }

    function order(uint32 bits) external pure returns (int256) {
        return Float32.order(bits);
    }

    function toFixed(uint32 bits, uint256 scale) external pure returns (int256) {
        return Float32.toFixed(bits, scale);
    }

    function toWad(uint32 bits) external pure returns (int256) {
        return Float32.toWad(bits);
    }

    function fromFixed(int256 value, uint256 scale) external pure returns (uint32) {
        return Float32.fromFixed(value, scale);
    }

    function fromInt(int256 value) external pure returns (uint32) {
        return Float32.fromInt(value);
    }

    /// @notice Put INFERARRAY's code on chain.
    function deploy() external returns (address) {
        return InferArray.deploy();
    }

    /// @notice Write the input into storage.
    function store(bytes calldata input) external {
        stored = input;
    }

    /// @notice Run a model on `stored`.
    function inferStored(address target, bytes32 modelId) external returns (bytes memory) {
        return InferArray.infer(target, modelId, stored);
    }
}
