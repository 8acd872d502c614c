// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";

import {CVM} from "../CVM.sol";
import {RowTree} from "./RowTree.sol";

/// @title The true answer of a model, and whether a transaction can carry the question
/// @notice An answer is the keccak256 of the output; where the model refuses the input it is the error's
/// selector, and nothing else has that answer. A model that is not ACTIVE and too little gas are no answer:
/// they revert.
library InferenceReferee {
    /// @notice Most gas of a transaction (EIP-7825), and most inference gas of a block.
    uint256 internal constant MAX_TRANSACTION_GAS = 1 << 24;
    /// @dev What a transaction, its arguments, a Merkle path and bookkeeping cost, generously.
    uint256 private constant _FIXED_GAS = 400_000;
    /// @dev A leaf of a run of rows: hashing it and folding the tree over it, beside its words.
    uint256 private constant _LEAF_GAS = 2_500;
    /// @dev A copy into memory, a copy out of it, and two hashes.
    uint256 private constant _WORD_GAS = 24;
    /// @dev A byte of calldata, and the floor price of one (EIP-7623).
    uint256 private constant _BYTE_GAS = 16;
    uint256 private constant _BYTE_FLOOR = 40;
    /// @dev A royalty may rise to the compute gas divided by this.
    uint256 private constant _COMPUTE_PER_ROYALTY = 4;

    /// @notice The question needs more gas than a transaction may have.
    error TooMuchGas(uint256 needed, uint256 max);
    /// @notice The call that runs the model would get less gas than INFER charges.
    error TooLittleGas(uint256 given, uint256 needed);

    /// @notice At least the gas of a transaction that asks for so many items, whatever the royalty becomes.
    /// @dev Reverts where the model is not ACTIVE or does not take a batch of that size.
    /// @param leaves How many leaves the rows' subtree has, which may be more than items.
    function transactionGas(bytes32 modelId, uint256 items, uint256 leaves)
        internal
        view
        returns (uint256)
    {
        uint256 inputBytes = items * (CVM.inputBytes(modelId) + RowTree.LABEL_BYTES);
        uint256 words = (inputBytes + items * CVM.outputBytes(modelId)) / 32 + leaves + 64;
        // Input and output lie in memory twice, at the most.
        uint256 memoryGas = 6 * words + (2 * words) * (2 * words) / 512;
        uint256 royaltyGas = items * CVM.info(modelId, CVM.COMPUTE_GAS) / _COMPUTE_PER_ROYALTY;
        uint256 runGas = CVM.gasOf(modelId, items) + royaltyGas + leaves * _LEAF_GAS;
        uint256 wordGas = words * _WORD_GAS + memoryGas;
        return _FIXED_GAS
            + Math.max(runGas + wordGas + inputBytes * _BYTE_GAS, inputBytes * _BYTE_FLOOR);
    }

    /// @notice Refuse a question that no transaction could carry.
    function checkSize(bytes32 modelId, uint256 items, uint256 leaves) internal view {
        uint256 needed = transactionGas(modelId, items, leaves);
        if (needed > MAX_TRANSACTION_GAS) revert TooMuchGas(needed, MAX_TRANSACTION_GAS);
    }

    /// @notice Run the model and return the true answer.
    /// @param input What was asked; not `size` bytes of it are as INFER's `BadInputSize`.
    function answerOf(bytes32 modelId, uint256 items, uint256 size, bytes memory input)
        internal
        view
        returns (bytes32)
    {
        if (input.length != size) return bytes32(CVM.BadInputSize.selector);
        uint256 needed = CVM.gasOf(modelId, items);
        // A call gets at most 63/64 of what is left (EIP-150).
        uint256 given = gasleft() - gasleft() / 64;
        if (given < needed) revert TooLittleGas(given, needed);
        (bool ok, bytes memory output) = CVM.tryInfer(modelId, input);
        if (ok) return keccak256(output);
        if (output.length == 0) revert CVM.InferenceOutOfGas();
        if (isRefusal(bytes32(output))) return bytes32(output);
        assembly ("memory-safe") {
            revert(add(output, 32), mload(output))
        }
    }

    /// @notice Whether an answer says that the model refuses the input.
    function isRefusal(bytes32 answer) internal pure returns (bool) {
        return answer == bytes32(CVM.BadInputSize.selector)
            || answer == bytes32(CVM.InputOutOfRange.selector);
    }
}
