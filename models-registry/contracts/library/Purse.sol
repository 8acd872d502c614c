// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";

/// @title What a contract owes to accounts, until they fetch it
/// @notice Nothing is sent to anybody who did not ask for it: an account that refuses ether, or runs code
/// when it gets some, can hold up nobody but itself.
abstract contract Purse is ReentrancyGuardTransient {
    /// @notice Wei that an account may withdraw.
    mapping(address account => uint256) public owed;

    /// @notice An account may withdraw more than before.
    event Credited(address indexed account, uint256 amount);
    /// @notice An account's credit was paid out.
    event Withdrawn(address indexed account, address indexed to, uint256 amount);
    /// @notice Ether is gone for good.
    event Burned(uint256 amount);

    error NothingOwed(address account);
    error PaymentRefused(address to, uint256 amount);

    /// @notice Send all that the sender is owed to an account of his choice.
    function withdraw(address payable to) external nonReentrant {
        uint256 amount = owed[msg.sender];
        if (amount == 0) revert NothingOwed(msg.sender);
        owed[msg.sender] = 0;
        emit Withdrawn(msg.sender, to, amount);
        (bool ok,) = to.call{value: amount}("");
        if (!ok) revert PaymentRefused(to, amount);
    }

    function _credit(address account, uint256 amount) internal {
        if (amount == 0) return;
        owed[account] += amount;
        emit Credited(account, amount);
    }

    /// @dev Account 0 has no code and no key.
    function _burnEther(uint256 amount) internal {
        if (amount == 0) return;
        emit Burned(amount);
        (bool ok,) = address(0).call{value: amount}("");
        if (!ok) revert PaymentRefused(address(0), amount);
    }
}
