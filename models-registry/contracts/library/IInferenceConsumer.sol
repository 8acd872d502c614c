// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

/// @title Who asks AICallback for an inference
interface IInferenceConsumer {
    /// @notice A request was answered; check that the sender is the AICallback that was asked.
    /// @param requestId The request.
    /// @param ok Whether the model took the input.
    /// @param output The outputs of every item; the error's selector where `ok` is false.
    function onInference(uint256 requestId, bool ok, bytes calldata output) external;
}
