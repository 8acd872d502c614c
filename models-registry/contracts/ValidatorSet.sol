// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

/// @title Who may attest models and vote on blocks
/// @notice A system contract of the genesis block: it has no constructor, and genesis writes the
/// list itself into storage. The array lies in slot 0, which nodes read without running this code.
contract ValidatorSet {
    /// @dev Slot 0. Genesis writes it without duplicates; nothing in this version changes it.
    address[] private _validators;

    /// @notice The index does not name a validator.
    error NoValidatorAt(uint256 index, uint256 count);

    /// @notice Every validator, in the order in which they take turns.
    function validators() external view returns (address[] memory) {
        return _validators;
    }

    /// @notice How many validators there are; each has one vote.
    function validatorCount() external view returns (uint256) {
        return _validators.length;
    }

    /// @notice The validator at a place in the order of turns.
    function validatorAt(uint256 index) external view returns (address) {
        uint256 count = _validators.length;
        if (index >= count) revert NoValidatorAt(index, count);
        return _validators[index];
    }

    /// @notice Whether an account is a validator of this block.
    function isValidator(address account) external view returns (bool) {
        uint256 count = _validators.length;
        for (uint256 i = 0; i < count; ++i) {
            if (_validators[i] == account) return true;
        }
        return false;
    }
}
