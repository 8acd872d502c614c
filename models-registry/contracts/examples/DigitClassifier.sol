// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {CVM} from "../CVM.sol";

/// @title A contract that reads handwritten digits
/// @notice The model takes a uint8 image of 28 x 28 and gives its label (int64[1]), then scores.
contract DigitClassifier {
    /// @notice Bytes of an image: 28 rows of 28 grey values, 0 is background.
    uint256 public constant IMAGE_BYTES = 784;

    /// @notice The model that classifies.
    bytes32 public immutable modelId;
    /// @notice The label of the last image.
    uint256 public lastLabel;

    /// @notice An image was classified.
    event Classified(address indexed sender, uint256 label);

    /// @notice An image must have exactly `expected` bytes.
    error BadImageSize(uint256 given, uint256 expected);
    /// @notice The model gave a label that is no digit.
    error NotADigit(int64 label);

    constructor(bytes32 modelId_) {
        modelId = modelId_;
    }

    /// @notice Classify an image, remember its label and log it.
    function classify(bytes calldata image) external returns (uint256 label) {
        label = preview(image);
        lastLabel = label;
        emit Classified(msg.sender, label);
    }

    /// @notice Classify an image without a transaction.
    function preview(bytes calldata image) public view returns (uint256 label) {
        if (image.length != IMAGE_BYTES) revert BadImageSize(image.length, IMAGE_BYTES);
        int64 digit = CVM.toInt64(CVM.infer(modelId, image), 0);
        if (digit < 0 || digit > 9) revert NotADigit(digit);
        return uint256(uint64(digit));
    }
}
