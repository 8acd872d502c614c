// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {DigitReader} from "../src/DigitReader.sol";
import {vm} from "../test/Vm.sol";

/// @title Puts DigitReader on a chain
contract Deploy {
    function run() external returns (DigitReader reader) {
        vm.startBroadcast();
        reader = new DigitReader();
        vm.stopBroadcast();
    }
}
