// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {AICallback} from "../library/AICallback.sol";
import {IInferenceConsumer} from "../library/IInferenceConsumer.sol";
import {Purse} from "../library/Purse.sol";

/// @title A contract that asks AICallback, and misbehaves when it is told to
/// @notice Also an account that refuses ether, or withdraws again when it gets some.
contract CallbackProbe is IInferenceConsumer {
    /// @notice What it does when it is called back, or paid.
    enum Mode {
        KEEP,
        REVERT,
        WASTE,
        FLOOD,
        FULFIL,
        WITHDRAW,
        REQUEST
    }

    AICallback public immutable callbacks;
    Mode public mode;
    /// @notice What the last callback said; `gasGiven` is what it could use.
    uint256 public lastRequest;
    bool public lastOk;
    bytes public lastOutput;
    uint256 public gasGiven;
    uint256 public callCount;

    error Unwilling(Mode mode);

    constructor(AICallback callbacks_) {
        callbacks = callbacks_;
    }

    receive() external payable {
        if (mode == Mode.REVERT) revert Unwilling(mode);
        if (mode == Mode.WITHDRAW) Purse(msg.sender).withdraw(payable(this));
    }

    function behave(Mode mode_) external {
        mode = mode_;
    }

    function ask(bytes32 modelId, bytes calldata input, uint24 callbackGas, uint64 deadline)
        external
        payable
        returns (uint256)
    {
        return callbacks.request{value: msg.value}(modelId, input, callbackGas, deadline);
    }

    function cancel(uint256 requestId) external {
        callbacks.cancel(requestId);
    }

    function fulfil(uint256 requestId, bytes calldata input) external {
        callbacks.fulfil(requestId, input);
    }

    function withdrawFrom(Purse purse) external {
        purse.withdraw(payable(this));
    }

    /// @inheritdoc IInferenceConsumer
    function onInference(uint256 requestId, bool ok, bytes calldata output) external {
        uint256 given = gasleft();
        if (mode == Mode.REVERT) revert Unwilling(mode);
        if (mode == Mode.WASTE) {
            while (true) ++callCount;
        }
        if (mode == Mode.FLOOD) {
            assembly {
                return(0, 1000000)
            }
        }
        if (mode == Mode.FULFIL) callbacks.fulfil(requestId, output);
        if (mode == Mode.WITHDRAW) callbacks.withdraw(payable(this));
        if (mode == Mode.REQUEST) callbacks.request(bytes32(0), "", 0, uint64(block.number + 1));
        lastRequest = requestId;
        lastOk = ok;
        lastOutput = output;
        gasGiven = given;
        ++callCount;
    }
}
