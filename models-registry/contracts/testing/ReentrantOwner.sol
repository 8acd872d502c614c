// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

/// @title An owner of models that calls back whenever it can
/// @notice Does what a test says when it is paid and when it is given a token.
contract ReentrantOwner {
    struct Call {
        uint256 value;
        bytes data;
    }

    Call[] private _calls;
    bool public refusesPayments;
    bool[] private _succeeded;
    bytes[] private _answers;

    /// @notice Say what to call back, each once, at the next payment or token.
    function setCalls(Call[] calldata calls) external {
        delete _calls;
        for (uint256 i = 0; i < calls.length; ++i) {
            _calls.push(calls[i]);
        }
    }

    /// @notice Say whether payments are refused.
    function setRefusesPayments(bool refuses) external {
        refusesPayments = refuses;
    }

    /// @notice Call a contract with what was sent, and revert as it does.
    function run(address target, bytes calldata data) external payable {
        (bool ok, bytes memory answer) = target.call{value: msg.value}(data);
        if (!ok) {
            assembly ("memory-safe") {
                revert(add(answer, 32), mload(answer))
            }
        }
    }

    /// @notice What the calls back gave.
    function results() external view returns (bool[] memory succeeded, bytes[] memory answers) {
        return (_succeeded, _answers);
    }

    /// @notice Take a token (ERC-721), after calling back.
    function onERC721Received(address, address, uint256, bytes calldata) external returns (bytes4) {
        _callBack();
        return this.onERC721Received.selector;
    }

    receive() external payable {
        require(!refusesPayments, "no payments");
        _callBack();
    }

    function _callBack() private {
        Call[] memory calls = _calls;
        delete _calls;
        for (uint256 i = 0; i < calls.length; ++i) {
            (bool ok, bytes memory answer) = msg.sender.call{value: calls[i].value}(calls[i].data);
            _succeeded.push(ok);
            _answers.push(answer);
        }
    }
}
