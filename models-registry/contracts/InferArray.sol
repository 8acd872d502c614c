// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {CVM} from "./CVM.sol";

/// @title INFERARRAY from stock Solidity
/// @notice Runs a model on `bytes` that lie in the storage of the calling contract.
/// @dev INFERARRAY (0xC1) has no precompile, since a precompile has no storage, and solc's assembly
/// has no way to name an opcode that it does not know. But the opcode reads the storage of the contract
/// that runs, and that of a DELEGATECALL is the caller's: 22 bytes of code, put on chain once, do it.
/// The address is trusted only if its code is exactly these bytes.
library InferArray {
    /// @notice The code: calldata modelId || slot, then INFERARRAY, then return or revert with its answer.
    bytes internal constant CODE = hex"5f5f6020355f35c13d5f5f3e6012573d5ffd5b3d5ff3";

    /// @notice The account's code is not `CODE`.
    error NotInferArray(address target);
    /// @notice The code could not be put on chain.
    error NotDeployed();

    /// @notice Put the code on chain; one address serves every contract.
    function deploy() internal returns (address target) {
        // Initcode that returns what follows its first ten bytes.
        bytes memory initCode = abi.encodePacked(hex"6016600a5f3960165ff3", CODE);
        assembly ("memory-safe") {
            target := create(0, add(initCode, 32), mload(initCode))
        }
        if (target == address(0)) revert NotDeployed();
    }

    /// @notice Run a model on `bytes` in this contract's storage; reverts with the reason.
    function infer(address target, bytes32 modelId, bytes storage input)
        internal
        returns (bytes memory output)
    {
        if (target.codehash != keccak256(CODE)) revert NotInferArray(target);
        uint256 slot;
        assembly ("memory-safe") {
            slot := input.slot
        }
        bool ok;
        (ok, output) = target.delegatecall(abi.encode(modelId, slot));
        if (ok) return output;
        if (output.length == 0) revert CVM.InferenceOutOfGas();
        assembly ("memory-safe") {
            revert(add(output, 32), mload(output))
        }
    }
}
