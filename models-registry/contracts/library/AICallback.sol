// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {CVM} from "../CVM.sol";
import {IInferenceConsumer} from "./IInferenceConsumer.sol";
import {Purse} from "./Purse.sol";

/// @title Inference on request, in somebody else's transaction
/// @notice A contract asks and pays a fee; anyone answers by making this contract run INFER, gets the fee,
/// and the contract that asked is called back. The shape is Infernet's request and callback; the answer
/// needs no trust, since the chain computes it.
contract AICallback is Purse {
    /// @notice Where a request stands.
    enum Status {
        NONE,
        OPEN,
        ANSWERED,
        CANCELLED
    }

    /// @notice A request: answered up to block `deadline`, cancelled after it.
    struct Request {
        address consumer;
        uint64 deadline;
        uint24 callbackGas;
        Status status;
        bytes32 modelId;
        bytes32 inputHash;
        uint256 fee;
    }

    /// @notice Most gas that a callback may ask for.
    uint256 public constant MAX_CALLBACK_GAS = 8_000_000;
    /// @dev What is left for the call itself and the last event.
    uint256 private constant _RESERVED_GAS = 20_000;

    Request[] private _requests;

    /// @notice An answer is wanted; `input` is empty where only its hash was given.
    event Requested(
        uint256 indexed requestId,
        address indexed consumer,
        bytes32 indexed modelId,
        bytes32 inputHash,
        bytes input,
        uint256 fee,
        uint24 callbackGas,
        uint64 deadline
    );
    /// @notice A request was answered; `isTaken` tells whether the callback returned.
    event Answered(uint256 indexed requestId, address indexed answerer, bool ok, bool isTaken);
    /// @notice A request was not answered in time, and its fee went back.
    event Cancelled(uint256 indexed requestId);

    error NoRequest(uint256 requestId);
    error NotOpen(uint256 requestId, Status status);
    error DeadlineNotAhead(uint256 given, uint256 height);
    error DeadlinePassed(uint256 requestId, uint256 deadline);
    error DeadlineNotPassed(uint256 requestId, uint256 deadline);
    error TooMuchCallbackGas(uint256 given, uint256 max);
    error WrongInput(bytes32 given, bytes32 expected);
    error TooLittleGas(uint256 given, uint256 needed);
    error NotTheConsumer(address sender, address consumer);

    /// @notice Ask for an inference on input that everybody may see; the value is the fee.
    function request(bytes32 modelId, bytes calldata input, uint24 callbackGas, uint64 deadline)
        external
        payable
        returns (uint256)
    {
        return _open(modelId, keccak256(input), input, callbackGas, deadline);
    }

    /// @notice Ask for an inference on input that answerers get elsewhere; the value is the fee.
    function requestHashed(bytes32 modelId, bytes32 inputHash, uint24 callbackGas, uint64 deadline)
        external
        payable
        returns (uint256)
    {
        return _open(modelId, inputHash, msg.data[:0], callbackGas, deadline);
    }

    /// @notice Answer a request: runs the model here, credits the fee to the sender, calls back.
    /// @dev A callback that reverts, wastes its gas or returns megabytes changes nothing for the sender.
    function fulfil(uint256 requestId, bytes calldata input) external nonReentrant {
        Request storage asked = _openRequest(requestId);
        if (block.number > asked.deadline) revert DeadlinePassed(requestId, asked.deadline);
        if (keccak256(input) != asked.inputHash) revert WrongInput(keccak256(input), asked.inputHash);
        (bool ok, bytes memory output) = CVM.tryInfer(asked.modelId, input);
        if (!ok) _refuseUnanswered(output);
        asked.status = Status.ANSWERED;
        _credit(msg.sender, asked.fee);
        bool isTaken = _callBack(
            asked.consumer,
            asked.callbackGas,
            abi.encodeCall(IInferenceConsumer.onInference, (requestId, ok, output))
        );
        emit Answered(requestId, msg.sender, ok, isTaken);
    }

    /// @notice Take the fee of a request back that nobody answered in time.
    function cancel(uint256 requestId) external {
        Request storage asked = _openRequest(requestId);
        if (msg.sender != asked.consumer) revert NotTheConsumer(msg.sender, asked.consumer);
        if (block.number <= asked.deadline) revert DeadlineNotPassed(requestId, asked.deadline);
        asked.status = Status.CANCELLED;
        _credit(asked.consumer, asked.fee);
        emit Cancelled(requestId);
    }

    /// @notice A request.
    function requestAt(uint256 requestId) external view returns (Request memory) {
        return _request(requestId);
    }

    /// @notice How many requests there are.
    function requestCount() external view returns (uint256) {
        return _requests.length;
    }

    function _open(
        bytes32 modelId,
        bytes32 inputHash,
        bytes calldata input,
        uint24 callbackGas,
        uint64 deadline
    ) private returns (uint256 requestId) {
        if (callbackGas > MAX_CALLBACK_GAS) revert TooMuchCallbackGas(callbackGas, MAX_CALLBACK_GAS);
        if (deadline <= block.number) revert DeadlineNotAhead(deadline, block.number);
        requestId = _requests.length;
        _requests.push(
            Request(msg.sender, deadline, callbackGas, Status.OPEN, modelId, inputHash, msg.value)
        );
        emit Requested(
            requestId, msg.sender, modelId, inputHash, input, msg.value, callbackGas, deadline
        );
    }

    /// @dev An input that the model refuses is an answer; a model that may become ACTIVE and a caller who
    /// gave too little gas are none.
    function _refuseUnanswered(bytes memory error) private pure {
        bytes4 reason = bytes4(error);
        if (reason == CVM.BadInputSize.selector || reason == CVM.InputOutOfRange.selector) return;
        if (error.length == 0) revert CVM.InferenceOutOfGas();
        assembly ("memory-safe") {
            revert(add(error, 32), mload(error))
        }
    }

    /// @dev A call gets at most 63/64 of the gas (EIP-150), so too little is refused beforehand. What the
    /// callback returns is not copied.
    function _callBack(address consumer, uint256 callbackGas, bytes memory data)
        private
        returns (bool ok)
    {
        uint256 needed = callbackGas + _RESERVED_GAS;
        uint256 given = gasleft() - gasleft() / 64;
        if (given < needed) revert TooLittleGas(given, needed);
        assembly ("memory-safe") {
            ok := call(callbackGas, consumer, 0, add(data, 32), mload(data), 0, 0)
        }
    }

    function _request(uint256 requestId) private view returns (Request storage) {
        if (requestId >= _requests.length) revert NoRequest(requestId);
        return _requests[requestId];
    }

    function _openRequest(uint256 requestId) private view returns (Request storage asked) {
        asked = _request(requestId);
        if (asked.status != Status.OPEN) revert NotOpen(requestId, asked.status);
    }
}
