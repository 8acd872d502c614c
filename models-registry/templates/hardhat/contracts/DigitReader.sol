// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Digits} from "./Digits.sol";

/// @title A contract that reads handwritten digits
/// @notice An image is 28 rows of 28 grey values, 0 is background.
contract DigitReader {
    /// @notice The label of the last image.
    int64 public lastLabel;

    /// @notice An image was read.
    event Read(address indexed sender, int64 label, int32 score);

    /// @notice Read an image, remember its label and log it.
    function read(bytes calldata image) external returns (int64 label) {
        int32 score;
        (label, score) = preview(image);
        lastLabel = label;
        emit Read(msg.sender, label, score);
    }

    /// @notice Read an image without a transaction; the score of a label is larger where it is surer.
    function preview(bytes calldata image) public view returns (int64 label, int32 score) {
        Digits.Output memory output = Digits.run(image);
        return (output.label, output.scores[uint64(output.label)]);
    }

    /// @notice Read several images in one call of the model.
    function previewAll(bytes[] calldata images) external view returns (int64[] memory labels) {
        Digits.Output[] memory outputs = Digits.runBatch(images);
        labels = new int64[](outputs.length);
        for (uint256 i = 0; i < outputs.length; ++i) {
            labels[i] = outputs[i].label;
        }
    }

    /// @notice Whether the model can be called now, and what INFER charges for some images.
    function price(uint256 images) external view returns (bool isActive, uint256 inferGas) {
        isActive = Digits.isActive();
        if (isActive) inferGas = Digits.gasOf(images);
    }
}
