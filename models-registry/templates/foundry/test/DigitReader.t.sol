// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {DigitReader} from "../src/DigitReader.sol";
import {Digits} from "../src/Digits.sol";
import {connectModels} from "./CvmNode.sol";
import {vm} from "./Vm.sol";

contract DigitReaderTest {
    DigitReader private _reader;
    bytes private _two;

    function setUp() external {
        connectModels();
        _reader = new DigitReader();
        _two = vm.parseBytes(vm.readLine("test/two.hex"));
    }

    function test_TheModelIsActive() external view {
        (bool isActive, uint256 inferGas) = _reader.price(1);
        require(isActive, "register the model first");
        require(inferGas == 5_500, "gas");
    }

    function test_ReadsATwo() external {
        require(_reader.read(_two) == 2, "label");
        require(_reader.lastLabel() == 2, "last label");
    }

    function test_ReadsABatch() external view {
        bytes[] memory images = new bytes[](2);
        images[0] = _two;
        images[1] = new bytes(784);
        int64[] memory labels = _reader.previewAll(images);
        require(labels.length == 2 && labels[0] == 2, "labels");
    }

    function test_RefusesAnImageOfAnotherSize() external view {
        try _reader.preview(new bytes(783)) {
            revert("took it");
        } catch (bytes memory reason) {
            require(bytes4(reason) == Digits.BadTensorSize.selector, "reason");
        }
    }
}
