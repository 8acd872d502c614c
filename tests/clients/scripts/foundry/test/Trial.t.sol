// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {DigitClassifier} from "../src/examples/DigitClassifier.sol";
import {connectModels} from "./CvmNode.sol";
import {BYSTANDER, CLASSIFIED, Trial, TrialVm, vm} from "./Trial.sol";

/// @title Tests on a fork of the chain: forge's own EVM over the node's state
contract TrialTest is Trial {
    DigitClassifier private _deployed;
    address private _account;

    function setUp() external {
        vm.createSelectFork("cvm");
        connectModels();
        _deployed = new DigitClassifier(model());
        _account = vm.addr(vm.envUint("CVM_KEY"));
    }

    function test_deploy() external view {
        require(block.chainid == 31_337, "chain id");
        require(address(_deployed).code.length > 100, "code");
        require(block.number > 0 && block.basefee > 0, "the head's block");
    }

    function test_send() external {
        uint256 before = BYSTANDER.balance;
        bytes32 txHash = sent(BYSTANDER, hex"", "0x1");
        vm.createSelectFork("cvm");
        require(BYSTANDER.balance == before + 1, "balance after the transaction");
        vm.rollFork(txHash);
        require(BYSTANDER.balance == before, "balance before the transaction");
    }

    function test_read() external {
        require(_account.balance > 0, "balance");
        require(_deployed.lastLabel() == 0, "storage");
        string memory params = string.concat('["', vm.toString(_account), '",[],"latest"]');
        require(vm.rpc("cvm", "eth_getProof", params).length > 0, "proof");
    }

    function test_logs() external {
        vm.createSelectFork("cvm");
        address there = vm.computeCreateAddress(_account, vm.getNonce(_account));
        sent(address(0), abi.encodePacked(type(DigitClassifier).creationCode, model()), "0x0");
        sent(there, abi.encodeCall(DigitClassifier.classify, (image())), "0x0");
        vm.createSelectFork("cvm");
        require(DigitClassifier(there).lastLabel() == label(), "label in storage");
        bytes32[] memory topics = new bytes32[](2);
        topics[0] = CLASSIFIED;
        topics[1] = bytes32(uint256(uint160(_account)));
        TrialVm.EthGetLogs[] memory logs = vm.eth_getLogs(0, block.number, there, topics);
        require(logs.length == 1 && logs[0].emitter == there, "one log");
        require(uint256(bytes32(logs[0].data)) == label(), "label in the log");
    }

    function test_model() external {
        require(_deployed.preview(image()) == label(), "preview");
        require(_deployed.classify(image()) == label(), "classify");
        require(_deployed.lastLabel() == label(), "label in storage");
        string memory params = string.concat(
            '["', vm.toString(model()), '","', vm.toString(image()), '","latest"]'
        );
        require(vm.rpc("cvm", "cvm_infer", params).length > 0, "cvm_infer");
    }

    function test_errors() external view {
        try _deployed.preview(hex"00") {
            revert("took it");
        } catch (bytes memory reason) {
            bytes memory wanted = abi.encodeCall(this.BadImageSize, (1, 784));
            require(keccak256(reason) == keccak256(wanted), "reason");
        }
    }

    function test_fees() external {
        require(block.basefee > 0 && block.gaslimit > 0, "block");
        require(vm.rpc("cvm", "eth_gasPrice", "[]").length > 0, "gas price");
        require(vm.rpc("cvm", "eth_maxPriorityFeePerGas", "[]").length > 0, "tip");
    }

    /// @dev Its selector is that of the contract's error.
    function BadImageSize(uint256 given, uint256 expected) external pure {}

    /// @dev Has the node sign for its own account, and waits until the transaction is in a block.
    function sent(address to, bytes memory data, string memory value)
        private
        returns (bytes32 txHash)
    {
        string memory params = string.concat(
            '[{"from":"', vm.toString(_account), '","data":"', vm.toString(data),
            '","value":"', value, '"',
            to == address(0) ? "" : string.concat(',"to":"', vm.toString(to), '"'), "}]"
        );
        txHash = bytes32(vm.rpc("cvm", "eth_sendTransaction", params));
        string memory asked = string.concat('["', vm.toString(txHash), '"]');
        for (uint256 i = 0; i < 100; ++i) {
            if (vm.rpc("cvm", "eth_getTransactionReceipt", asked).length > 32) return txHash;
            vm.sleep(100);
        }
        revert("no receipt");
    }
}
