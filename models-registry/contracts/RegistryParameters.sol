// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

/// @title What a chain chooses of its ModelRegistry
/// @notice Genesis writes these slots and nothing ever changes them.
/// @dev Inherited first, so that the parameters lie in slots 0 to 6 whatever else the registry keeps.
abstract contract RegistryParameters {
    /// @notice Slot 0: the contract that lists the validators.
    address public validatorSet;
    /// @notice Slot 1: blocks between `activate` and the height at which contracts may call the model.
    uint256 public activationDelay;
    /// @notice Slot 2: blocks that a PENDING model has to be activated in.
    uint256 public deadline;
    /// @notice Slot 3: blocks between `retire` and the height from which nobody can call the model.
    uint256 public retirementDelay;
    /// @notice Slot 4: blocks between `setRoyalty` and the height from which the royalty is paid.
    uint256 public royaltyDelay;
    /// @notice Slot 5: wei for each byte of a model, given back when it expires or retires.
    uint256 public depositPerByte;
    /// @notice Slot 6: wei for each byte of a model, burned when it is registered.
    uint256 public feePerByte;
}
