// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IValidatorSet} from "./IValidatorSet.sol";

/// @title The list of validators by epochs
/// @notice Genesis writes the list and the parameters; nodes read the list without running this code.
/// @dev A seat is one word: address | first epoch << 160 | first epoch without a vote << 208, the last
/// 0 while it stays. Epoch e has the seats with first <= e < last, in their order in the list. Changes
/// queue up: each goes to the epoch of the one before it, or later, so that the set which a
/// later change is measured by never moves.
abstract contract ValidatorSeats is IValidatorSet {
    /// @dev Where the last change of the list stands: its epoch, the changes in that epoch, and the
    /// number of validators before and after them.
    struct Queue {
        uint64 epoch;
        uint64 changes;
        uint64 sizeBefore;
        uint64 size;
    }

    /// @dev What is kept of an account; `place` counts from 1.
    struct Listing {
        uint128 bond;
        uint64 place;
        bool isJailed;
    }

    uint256 private constant _FROM_SHIFT = 160;
    uint256 private constant _UNTIL_SHIFT = 208;
    uint256 private constant _EPOCH_MASK = type(uint48).max;
    /// @dev Of n validators, (n - 1) / 3 may change in an epoch, and one always.
    uint256 private constant _VALIDATORS_PER_CHANGE = 3;

    /// @dev Slot 0. A place that was given free holds 0.
    uint256[] private _seats;
    /// @notice Slot 1: wei that every validator has at stake.
    uint256 public bond;
    /// @notice Slot 2: blocks of an epoch.
    uint256 public epochBlocks;
    /// @notice Slot 3: blocks from the first height without a vote to the bond's return.
    uint256 public unbondingBlocks;
    /// @notice Slot 4: block 0's hash, once it was recorded.
    bytes32 public genesisHash;
    /// @dev Slot 5.
    Queue private _queue;
    /// @dev Slot 6: the validator that should go, but was the last: it goes when another joins.
    address private _stranded;
    /// @notice Slot 7: the first epoch whose list can still be told; older seats were given free.
    uint256 public firstKnownEpoch;
    /// @dev Slot 8: places in the list that hold 0.
    uint256[] private _freePlaces;
    /// @dev Slot 9.
    mapping(address account => Listing) internal _listings;

    /// @inheritdoc IValidatorSet
    function validators() external view returns (address[] memory) {
        return _validatorsOf(currentEpoch());
    }

    /// @inheritdoc IValidatorSet
    function validatorsOf(uint256 epoch) external view returns (address[] memory) {
        if (epoch < firstKnownEpoch) revert ListGone(epoch, firstKnownEpoch);
        return _validatorsOf(epoch);
    }

    /// @inheritdoc IValidatorSet
    function validatorCount() external view returns (uint256) {
        return _validatorsOf(currentEpoch()).length;
    }

    /// @inheritdoc IValidatorSet
    function validatorAt(uint256 index) external view returns (address) {
        address[] memory list = _validatorsOf(currentEpoch());
        if (index >= list.length) revert NoValidatorAt(index, list.length);
        return list[index];
    }

    /// @inheritdoc IValidatorSet
    function isValidator(address account) external view returns (bool) {
        uint256 place = _listings[account].place;
        return place != 0 && _votes(_seats[place - 1], currentEpoch());
    }

    /// @inheritdoc IValidatorSet
    function memberOf(address account) external view returns (Member memory member) {
        Listing storage listing = _listings[account];
        member.bond = listing.bond;
        member.place = listing.place;
        member.isJailed = listing.isJailed;
        if (member.place != 0) {
            (member.fromEpoch, member.untilEpoch) = _epochsOf(listing);
        }
    }

    /// @inheritdoc IValidatorSet
    function currentEpoch() public view returns (uint256) {
        return block.number / epochBlocks;
    }

    /// @dev List an account that is not listed, with its bond.
    function _seat(address account, uint256 amount) internal {
        uint256 epoch = _change(0, true);
        uint256 seat = uint160(account) | (epoch << _FROM_SHIFT);
        uint256 place = _freePlaces.length;
        if (place == 0) {
            _seats.push(seat);
            place = _seats.length;
        } else {
            place = _freePlaces[place - 1];
            _freePlaces.pop();
            _seats[place - 1] = seat;
        }
        _listings[account] = Listing(uint128(amount), uint64(place), false);
        emit Joined(account, epoch);
        address stranded = _stranded;
        if (stranded != address(0)) {
            _stranded = address(0);
            _unseat(stranded);
        }
    }

    /// @dev Give a listed validator, that is to stay, the epoch in which it goes.
    function _unseat(address validator) internal {
        uint256 place = _listings[validator].place;
        uint256 seat = _seats[place - 1];
        uint256 epoch = _change(_fromEpoch(seat) + 1, false);
        _seats[place - 1] = seat | (epoch << _UNTIL_SHIFT);
        emit Left(validator, epoch);
    }

    /// @dev As `_unseat`, but the last validator stays until another joins: somebody has to vote.
    function _expel(address validator) internal {
        if (_isLast()) {
            _stranded = validator;
        } else {
            _unseat(validator);
        }
    }

    /// @dev Give free the place of a validator that no longer votes.
    function _free(address validator, uint256 untilEpoch) internal {
        Listing storage listing = _listings[validator];
        uint256 place = listing.place;
        if (untilEpoch > firstKnownEpoch) firstKnownEpoch = untilEpoch;
        if (place == _seats.length) {
            _seats.pop();
        } else {
            _seats[place - 1] = 0;
            _freePlaces.push(place);
        }
        listing.place = 0;
        listing.bond = 0;
    }

    /// @dev Whether nobody would be left after one more change.
    function _isLast() internal view returns (bool) {
        return _queue.size == 1;
    }

    /// @dev The epochs of a listed account.
    function _epochsOf(Listing storage listing) internal view returns (uint256, uint256) {
        uint256 seat = _seats[listing.place - 1];
        return (_fromEpoch(seat), seat >> _UNTIL_SHIFT);
    }

    /// @dev How many validators of an epoch stand before a place in the list.
    function _indexOf(uint256 place, uint256 epoch) internal view returns (uint256 index) {
        for (uint256 i = 0; i + 1 < place; ++i) {
            if (_votes(_seats[i], epoch)) ++index;
        }
    }

    /// @dev Count a change of the list and return its epoch, `earliest` or later.
    function _change(uint256 earliest, bool isJoin) private returns (uint256) {
        Queue memory queue = _queue;
        // The last block of an epoch changes no longer what the next one begins with.
        uint256 next = (block.number + 1) / epochBlocks + 1;
        if (next > earliest) earliest = next;
        uint256 room = (uint256(queue.sizeBefore) - 1) / _VALIDATORS_PER_CHANGE;
        if (room == 0) room = 1;
        if (queue.epoch >= earliest && queue.changes >= room) earliest = uint256(queue.epoch) + 1;
        if (earliest > queue.epoch) queue = Queue(uint64(earliest), 0, queue.size, queue.size);
        queue.changes += 1;
        if (isJoin) queue.size += 1;
        else queue.size -= 1;
        _queue = queue;
        return queue.epoch;
    }

    function _validatorsOf(uint256 epoch) private view returns (address[] memory list) {
        uint256 places = _seats.length;
        list = new address[](places);
        uint256 count = 0;
        for (uint256 i = 0; i < places; ++i) {
            uint256 seat = _seats[i];
            if (_votes(seat, epoch)) list[count++] = address(uint160(seat));
        }
        assembly ("memory-safe") {
            mstore(list, count)
        }
    }

    function _votes(uint256 seat, uint256 epoch) private pure returns (bool) {
        uint256 untilEpoch = seat >> _UNTIL_SHIFT;
        return seat != 0 && _fromEpoch(seat) <= epoch && (untilEpoch == 0 || epoch < untilEpoch);
    }

    function _fromEpoch(uint256 seat) private pure returns (uint256) {
        return (seat >> _FROM_SHIFT) & _EPOCH_MASK;
    }
}
