// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

/// @title Write the input of a neural network
/// @notice Packs Solidity arrays into tensors, and puts tensors and items together.
/// @dev `abi.encodePacked` gives the right bytes for one element (`abi.encodePacked(int32(-1))`), but
/// pads the elements of an array to 32 bytes. The tensors of an item, and the items of a batch, follow
/// each other without a gap: `bytes.concat(a, b)`, or `join` for any number of them.
library CVMInput {
    /// @notice A tensor of int64.
    function fromInt64(int64[] memory values) internal pure returns (bytes memory) {
        uint256 first;
        assembly ("memory-safe") {
            first := add(values, 32)
        }
        return packWords(first, values.length, 8);
    }

    /// @notice A tensor of int32.
    function fromInt32(int32[] memory values) internal pure returns (bytes memory) {
        uint256 first;
        assembly ("memory-safe") {
            first := add(values, 32)
        }
        return packWords(first, values.length, 4);
    }

    /// @notice A tensor of int8.
    function fromInt8(int8[] memory values) internal pure returns (bytes memory) {
        uint256 first;
        assembly ("memory-safe") {
            first := add(values, 32)
        }
        return packWords(first, values.length, 1);
    }

    /// @notice A tensor of uint8.
    function fromUint8(uint8[] memory values) internal pure returns (bytes memory) {
        uint256 first;
        assembly ("memory-safe") {
            first := add(values, 32)
        }
        return packWords(first, values.length, 1);
    }

    /// @notice A tensor of bool.
    function fromBool(bool[] memory values) internal pure returns (bytes memory) {
        uint256 first;
        assembly ("memory-safe") {
            first := add(values, 32)
        }
        return packWords(first, values.length, 1);
    }

    /// @notice A tensor of float32, from IEEE-754 bits.
    function fromFloat32Bits(uint32[] memory values) internal pure returns (bytes memory) {
        uint256 first;
        assembly ("memory-safe") {
            first := add(values, 32)
        }
        return packWords(first, values.length, 4);
    }

    /// @notice Tensors of one item, or items of a batch, one after the other.
    function join(bytes[] memory parts) internal pure returns (bytes memory joined) {
        uint256 length = 0;
        for (uint256 i = 0; i < parts.length; ++i) {
            length += parts[i].length;
        }
        joined = new bytes(length);
        assembly ("memory-safe") {
            let to := add(joined, 32)
            let from := add(parts, 32)
            let end := add(from, mul(32, mload(parts)))
            for {} lt(from, end) { from := add(from, 32) } {
                let part := mload(from)
                mcopy(to, add(part, 32), mload(part))
                to := add(to, mload(part))
            }
        }
    }

    /// @notice The low `width` bytes of `count` words of memory from `first` on.
    /// @dev For the code of `cvm model bind`: an array of fixed length lies in memory as its words.
    function packWords(uint256 first, uint256 count, uint256 width)
        internal
        pure
        returns (bytes memory packed)
    {
        // Every word is written whole, so the last one runs up to 31 bytes over the end.
        packed = new bytes(count * width + 32);
        assembly ("memory-safe") {
            mstore(packed, mul(count, width))
            let shift := sub(256, mul(8, width))
            let to := add(packed, 32)
            let end := add(first, mul(32, count))
            for { let from := first } lt(from, end) { from := add(from, 32) } {
                mstore(to, shl(shift, mload(from)))
                to := add(to, width)
            }
        }
    }
}
