// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

/// @title Read RLP that has only one form
/// @notice OpenZeppelin's reader takes several encodings of one value and copies lists into memory;
/// this one takes what a node encodes, reads it where it lies, and touches no more than the prefixes.
library StrictRlp {
    /// @dev An item: where its bytes, or its items, begin and end in the calldata.
    struct Item {
        uint256 start;
        uint256 end;
        bool isList;
    }

    /// @notice The bytes at an offset are not RLP in its only form.
    error BadRlp(uint256 offset);

    uint256 private constant _STRING = 0x80;
    uint256 private constant _LIST = 0xc0;
    uint256 private constant _LONGEST_SHORT = 55;

    /// @notice Read the item at an offset; it has to end at `end` or before.
    function read(bytes calldata data, uint256 offset, uint256 end)
        internal
        pure
        returns (Item memory item)
    {
        if (offset >= end) revert BadRlp(offset);
        uint256 prefix = uint8(data[offset]);
        if (prefix < _STRING) return Item(offset, offset + 1, false);
        item.isList = prefix >= _LIST;
        item.start = offset + 1;
        uint256 length = prefix - (item.isList ? _LIST : _STRING);
        if (length > _LONGEST_SHORT) {
            uint256 lengthBytes = length - _LONGEST_SHORT;
            length = _longLength(data, offset, lengthBytes, end);
            item.start += lengthBytes;
        } else if (length == 1 && !item.isList) {
            if (item.start == end || uint8(data[item.start]) < _STRING) revert BadRlp(offset);
        }
        if (length > end - item.start) revert BadRlp(offset);
        item.end = item.start + length;
    }

    /// @notice Read a whole number of at most 64 bits.
    function readUint64(bytes calldata data, uint256 offset, uint256 end)
        internal
        pure
        returns (uint256 value, uint256 next)
    {
        Item memory item = read(data, offset, end);
        if (item.isList || item.end - item.start > 8) revert BadRlp(offset);
        for (uint256 i = item.start; i < item.end; ++i) {
            value = (value << 8) | uint8(data[i]);
        }
        if (item.end > item.start && data[item.start] == 0) revert BadRlp(offset);
        next = item.end;
    }

    /// @notice Read 32 bytes.
    function readBytes32(bytes calldata data, uint256 offset, uint256 end)
        internal
        pure
        returns (bytes32 value, uint256 next)
    {
        Item memory item = read(data, offset, end);
        if (item.isList || item.end - item.start != 32) revert BadRlp(offset);
        value = bytes32(data[item.start:item.end]);
        next = item.end;
    }

    function _longLength(bytes calldata data, uint256 offset, uint256 lengthBytes, uint256 end)
        private
        pure
        returns (uint256 length)
    {
        if (lengthBytes > end - offset - 1 || data[offset + 1] == 0) revert BadRlp(offset);
        for (uint256 i = 1; i <= lengthBytes; ++i) {
            length = (length << 8) | uint8(data[offset + i]);
        }
        if (length <= _LONGEST_SHORT) revert BadRlp(offset);
    }
}
