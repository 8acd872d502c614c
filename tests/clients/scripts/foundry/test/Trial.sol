// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Vm} from "./Vm.sol";

/// @title The cheatcodes of the trials, beside those of the template
interface TrialVm is Vm {
    struct EthGetLogs {
        address emitter;
        bytes32[] topics;
        bytes data;
        bytes32 blockHash;
        uint64 blockNumber;
        bytes32 transactionHash;
        uint64 transactionIndex;
        uint256 logIndex;
        bool removed;
    }

    function envBytes32(string calldata name) external view returns (bytes32 value);
    function envUint(string calldata name) external view returns (uint256 value);
    function addr(uint256 key) external pure returns (address account);
    function getNonce(address account) external view returns (uint64 nonce);
    function computeCreateAddress(address deployer, uint256 nonce) external pure returns (address);
    function createSelectFork(string calldata urlOrAlias) external returns (uint256 forkId);
    function rollFork(bytes32 txHash) external;
    function eth_getLogs(uint256 from, uint256 to, address target, bytes32[] calldata topics)
        external
        returns (EthGetLogs[] memory logs);
    function closeFile(string calldata path) external;
    function sleep(uint256 milliseconds) external;
    function startBroadcast(uint256 key) external;
    function toString(bytes32 value) external pure returns (string memory);
}

TrialVm constant vm = TrialVm(address(uint160(uint256(keccak256("hevm cheat code")))));
address payable constant BYSTANDER = payable(0x00000000000000000000000000000000000B0b00);
bytes32 constant CLASSIFIED = keccak256("Classified(address,uint256)");

/// @title What scripts and tests share: the model, an image, and the label that it must give
abstract contract Trial {
    function model() internal view returns (bytes32) {
        return vm.envBytes32("CVM_MODEL");
    }

    function image() internal returns (bytes memory found) {
        found = vm.parseBytes(vm.readLine("two.hex"));
        vm.closeFile("two.hex");
    }

    function label() internal view returns (uint256) {
        return vm.envUint("CVM_LABEL");
    }
}
