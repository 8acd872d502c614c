// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

/// @title The cheatcodes that this project uses; forge-std has them all
interface Vm {
    function rpc(string calldata urlOrAlias, string calldata method, string calldata params)
        external
        returns (bytes memory data);
    function etch(address target, bytes calldata code) external;
    function allowCheatcodes(address account) external;
    function toString(address value) external pure returns (string memory);
    function toString(bytes calldata value) external pure returns (string memory);
    function readLine(string calldata path) external view returns (string memory line);
    function parseBytes(string calldata text) external pure returns (bytes memory);
    function startBroadcast() external;
    function stopBroadcast() external;
}

/// @dev Where forge answers cheatcodes.
Vm constant vm = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));
