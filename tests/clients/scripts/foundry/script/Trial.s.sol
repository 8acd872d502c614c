// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {DigitClassifier} from "../src/examples/DigitClassifier.sol";
import {connectModels} from "../test/CvmNode.sol";
import {BYSTANDER, CLASSIFIED, Trial, TrialVm, vm} from "../test/Trial.sol";

/// @title Sends what a deployment sends: a contract, ether, and a transaction that runs a model
contract Deploy is Trial {
    function run() external returns (DigitClassifier classifier) {
        connectModels();
        vm.startBroadcast(vm.envUint("CVM_KEY"));
        classifier = new DigitClassifier(model());
        BYSTANDER.transfer(1);
        uint256 found = classifier.classify(image());
        vm.stopBroadcast();
        require(found == label(), "label in forge's own EVM");
    }
}

/// @title Reads what the transactions of `Deploy` left on the chain
contract Read is Trial {
    function run(DigitClassifier classifier) external {
        require(classifier.modelId() == model(), "model id");
        require(classifier.lastLabel() == label(), "label in storage");
        bytes32[] memory topics = new bytes32[](1);
        topics[0] = CLASSIFIED;
        TrialVm.EthGetLogs[] memory logs =
            vm.eth_getLogs(0, block.number, address(classifier), topics);
        require(logs.length == 1 && uint256(bytes32(logs[0].data)) == label(), "one log");
        connectModels();
        require(classifier.preview(image()) == label(), "preview");
    }
}

/// @title Sends what the chain refuses
contract Refused is Trial {
    function run(DigitClassifier classifier) external {
        vm.startBroadcast(vm.envUint("CVM_KEY"));
        classifier.classify(hex"00");
        vm.stopBroadcast();
    }
}
