// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Hashes} from "@openzeppelin/contracts/utils/cryptography/Hashes.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";

/// @title The Merkle tree over labelled rows, and proofs of aligned runs of them
/// @notice A row's leaf is keccak256(keccak256(index || label || row)), index and label as 32 bytes; a
/// node is keccak256(left || right). The tree has 2^depth leaves, depth = ceil(log2(rows)); places
/// after the last row hold zero. A run of 2^height rows that starts at a multiple of 2^height is a
/// subtree, so one path of depth - height hashes proves all of its rows.
/// @dev A leaf hashes 32 bytes and a node 64, so neither can stand for the other. Sides follow from the
/// index and not from the order of the hashes: an index has exactly one leaf, whoever built the tree.
library RowTree {
    /// @notice A run of rows that starts at a multiple of 2^height; only the last run may be shorter.
    /// @dev `labels` are int64, big-endian, a row each. `path` goes from the run's subtree to the root.
    struct Batch {
        uint64 first;
        uint8 height;
        bytes rows;
        bytes labels;
        bytes32[] path;
    }

    /// @notice Bytes of a label.
    uint256 internal constant LABEL_BYTES = 8;

    /// @notice A run of 2^height rows starts at a multiple of 2^height, before `count`.
    error BadRun(uint256 first, uint256 height, uint256 count);
    /// @notice The rows of this run are so many bytes.
    error BadRowsLength(uint256 given, uint256 expected);
    /// @notice The labels of this run are so many bytes.
    error BadLabelsLength(uint256 given, uint256 expected);
    /// @notice The path of a subtree of this height has so many hashes.
    error BadPathLength(uint256 given, uint256 expected);
    /// @notice Rows and path lead to another root.
    error WrongRows(bytes32 found, bytes32 root);

    /// @notice Check that a run of rows belongs to a tree; returns how many rows it has.
    function check(Batch calldata batch, bytes32 root, uint256 count, uint256 rowBytes)
        internal
        pure
        returns (uint256 rows)
    {
        rows = runLength(batch.first, batch.height, count);
        if (batch.rows.length != rows * rowBytes) {
            revert BadRowsLength(batch.rows.length, rows * rowBytes);
        }
        if (batch.labels.length != rows * LABEL_BYTES) {
            revert BadLabelsLength(batch.labels.length, rows * LABEL_BYTES);
        }
        bytes32[] memory nodes = new bytes32[](1 << batch.height);
        for (uint256 i = 0; i < rows; ++i) {
            nodes[i] = leaf(
                batch.first + i,
                labelAt(batch.labels, i),
                batch.rows[i * rowBytes:(i + 1) * rowBytes]
            );
        }
        checkPath(fold(nodes), batch.first, batch.height, batch.path, root, count);
    }

    /// @notice Check that a subtree belongs to a tree over `count` rows.
    function checkPath(
        bytes32 node,
        uint256 first,
        uint256 height,
        bytes32[] calldata path,
        bytes32 root,
        uint256 count
    ) internal pure {
        uint256 expected = depth(count) - height;
        if (path.length != expected) revert BadPathLength(path.length, expected);
        uint256 place = first >> height;
        for (uint256 i = 0; i < expected; ++i) {
            node = place & 1 == 0
                ? Hashes.efficientKeccak256(node, path[i])
                : Hashes.efficientKeccak256(path[i], node);
            place >>= 1;
        }
        if (node != root) revert WrongRows(node, root);
    }

    /// @notice How many rows a run has; reverts where no run starts there.
    function runLength(uint256 first, uint256 height, uint256 count) internal pure returns (uint256) {
        if (height > depth(count) || first >= count || first & ((1 << height) - 1) != 0) {
            revert BadRun(first, height, count);
        }
        return Math.min(1 << height, count - first);
    }

    /// @notice The root of a full tree over leaves, 2^height of them; overwrites them.
    function fold(bytes32[] memory nodes) internal pure returns (bytes32) {
        for (uint256 width = nodes.length >> 1; width > 0; width >>= 1) {
            assembly ("memory-safe") {
                let from := add(nodes, 32)
                let end := add(from, mul(width, 32))
                for { let to := from } lt(to, end) { to := add(to, 32) } {
                    mstore(to, keccak256(from, 64))
                    from := add(from, 64)
                }
            }
        }
        return nodes[0];
    }

    /// @notice The leaf of a row.
    function leaf(uint256 index, int64 label, bytes calldata row) internal pure returns (bytes32 hash) {
        assembly ("memory-safe") {
            let scratch := mload(0x40)
            mstore(scratch, index)
            // Assembly sees the bits above an int64 as they happen to be.
            mstore(add(scratch, 32), signextend(7, label))
            calldatacopy(add(scratch, 64), row.offset, row.length)
            mstore(0, keccak256(scratch, add(row.length, 64)))
            hash := keccak256(0, 32)
        }
    }

    /// @notice The label of a row of a run.
    function labelAt(bytes calldata labels, uint256 i) internal pure returns (int64) {
        return int64(uint64(bytes8(labels[i * LABEL_BYTES:])));
    }

    /// @notice The height of a tree over so many rows.
    function depth(uint256 count) internal pure returns (uint256) {
        return Math.log2(count, Math.Rounding.Ceil);
    }
}
