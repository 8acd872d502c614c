// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";

import {CertificateAbsence} from "./CertificateAbsence.sol";
import {IValidatorSet} from "./IValidatorSet.sol";
import {ValidatorSeats} from "./ValidatorSeats.sol";
import {VoteEvidence} from "./VoteEvidence.sol";

/// @title Who may attest models and vote on blocks
/// @notice Anyone joins with the bond of everyone else, has one vote, and gets the bond back some
/// time after leaving. Who signs two votes in one round loses it and may never join again; who
/// is absent for long has to go.
/// @dev A system contract of the genesis block: no constructor runs, there are no immutables, and
/// genesis writes list and parameters. Nodes read the storage directly, so its layout is consensus.
contract ValidatorSet is ValidatorSeats, VoteEvidence, CertificateAbsence, ReentrancyGuardTransient {
    /// @inheritdoc IValidatorSet
    function join() external payable override {
        uint256 due = bond;
        if (msg.value != due) revert WrongBond(msg.value, due);
        Listing storage listing = _listings[msg.sender];
        if (listing.isJailed) revert Jailed(msg.sender);
        if (listing.place != 0) revert AlreadyListed(msg.sender);
        _recordGenesisHash();
        _seat(msg.sender, due);
    }

    /// @inheritdoc IValidatorSet
    function leave() external override {
        uint256 untilEpoch = _untilEpoch(msg.sender);
        if (untilEpoch != 0) revert AlreadyLeaving(msg.sender, untilEpoch);
        if (_isLast()) revert LastValidator(msg.sender);
        _unseat(msg.sender);
    }

    /// @inheritdoc IValidatorSet
    function withdraw(address payable to) external override nonReentrant {
        uint256 untilEpoch = _untilEpoch(msg.sender);
        if (untilEpoch == 0) revert NotLeaving(msg.sender);
        uint256 firstHeight = untilEpoch * epochBlocks + unbondingBlocks;
        if (block.number < firstHeight) revert StillBonded(msg.sender, firstHeight);
        uint256 amount = _listings[msg.sender].bond;
        if (amount == 0) revert NothingBonded(msg.sender);
        _free(msg.sender, untilEpoch);
        emit Withdrawn(msg.sender, to, amount);
        _pay(to, amount);
    }

    /// @inheritdoc IValidatorSet
    function vacate(address validator) external override {
        uint256 untilEpoch = _untilEpoch(validator);
        uint256 firstHeight = untilEpoch * epochBlocks;
        if (untilEpoch == 0 || _listings[validator].bond != 0) revert NotLeaving(validator);
        if (block.number < firstHeight) revert StillBonded(validator, firstHeight);
        _free(validator, untilEpoch);
        emit Vacated(validator);
    }

    /// @inheritdoc IValidatorSet
    /// @dev The bond answers for it as long as it is here, whether its owner still votes or not.
    function report(
        uint8 code,
        bytes calldata payloadA,
        bytes calldata signatureA,
        bytes calldata payloadB,
        bytes calldata signatureB
    ) external override nonReentrant {
        if (!_recordGenesisHash()) revert GenesisHashUnknown();
        (address signer, Vote memory vote) =
            _doubleSigner(code, payloadA, signatureA, payloadB, signatureB);
        uint256 amount = _listings[signer].bond;
        if (amount == 0) revert NothingBonded(signer);
        uint256 reward = amount / 2;
        _slash(signer);
        emit Slashed(signer, msg.sender, code, vote.height, vote.round, reward, amount - reward);
        _pay(msg.sender, reward);
        _pay(address(0), amount - reward);
    }

    function _slash(address signer) private {
        Listing storage listing = _listings[signer];
        listing.bond = 0;
        listing.isJailed = true;
        if (_untilEpoch(signer) == 0) _expel(signer);
    }

    function _untilEpoch(address validator) private view returns (uint256 untilEpoch) {
        Listing storage listing = _listings[validator];
        if (listing.place == 0) revert NotListed(validator);
        (, untilEpoch) = _epochsOf(listing);
    }

    function _pay(address to, uint256 amount) private {
        (bool ok,) = to.call{value: amount}("");
        if (!ok) revert PaymentFailed(to, amount);
    }
}
