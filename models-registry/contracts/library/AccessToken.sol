// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";

/// @title The right to have one model measured on one dataset
/// @notice An ERC-20 in whole units; DataToken makes one per dataset, and alone mints, burns and takes.
contract AccessToken is ERC20 {
    /// @notice The DataToken that made it.
    address public immutable issuer;

    error NotTheIssuer(address sender, address issuer);

    modifier onlyIssuer() {
        if (msg.sender != issuer) revert NotTheIssuer(msg.sender, issuer);
        _;
    }

    constructor(string memory name_, string memory symbol_) ERC20(name_, symbol_) {
        issuer = msg.sender;
    }

    /// @notice A unit is not divided.
    function decimals() public pure override returns (uint8) {
        return 0;
    }

    /// @notice Make units.
    function mint(address to, uint256 units) external onlyIssuer {
        _mint(to, units);
    }

    /// @notice Destroy units.
    function burn(address from, uint256 units) external onlyIssuer {
        _burn(from, units);
    }

    /// @notice Move units without an allowance; the issuer does so only for their holder.
    function move(address from, address to, uint256 units) external onlyIssuer {
        _transfer(from, to, units);
    }
}
