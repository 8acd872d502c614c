// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {StrictRlp} from "./StrictRlp.sol";
import {IValidatorSet} from "./IValidatorSet.sol";
import {ValidatorSeats} from "./ValidatorSeats.sol";

/// @title Which validators the certificates of past blocks lack
/// @notice A block's certificate lies in no state, but the next block's `parentBeaconBlockRoot` is its
/// hash, which EIP-4788's contract knows for 8,191 seconds. What is shown in several calls adds up,
/// because the certificates of a large set do not fit one transaction.
abstract contract CertificateAbsence is ValidatorSeats {
    /// @notice Heights of a window; windows begin at its multiples.
    uint256 public constant ABSENCE_WINDOW = 1_000;
    /// @notice Who is absent from more than so many of a window is jailed.
    uint256 public constant MAX_ABSENCES = ABSENCE_WINDOW / 2;

    address private constant _BEACON_ROOTS = 0x000F3df6D732807Ef1319fB7B8bB8522d0Beac02;
    uint256 private constant _WORDS = 4;
    uint256 private constant _WORD_BITS = 256;

    /// @dev A bit for each height of a window, and how many are set.
    struct Absences {
        uint256[_WORDS] heights;
        uint256 count;
    }

    /// @dev What stays the same from one certificate to the next: whose absence, in which window, and
    /// its index in the bitmaps of an epoch.
    struct Search {
        address validator;
        uint256 place;
        uint256 fromEpoch;
        uint256 window;
        uint256 epoch;
        uint256 index;
    }

    /// @dev Slot 10.
    mapping(bytes32 key => Absences) private _absences;

    /// @inheritdoc IValidatorSet
    function absencesOf(address validator, uint256 window)
        external
        view
        override
        returns (uint256)
    {
        Listing storage listing = _listings[validator];
        if (listing.place == 0) return 0;
        (uint256 fromEpoch,) = _epochsOf(listing);
        return _absences[_key(validator, fromEpoch, window)].count;
    }

    /// @inheritdoc IValidatorSet
    function reportAbsence(
        address validator,
        uint256[] calldata timestamps,
        bytes[] calldata certificates
    ) external override {
        if (certificates.length == 0 || timestamps.length != certificates.length) {
            revert NoCertificates(timestamps.length, certificates.length);
        }
        Search memory search = _searchFor(validator);
        (uint256 height,) = _readCertificate(certificates[0]);
        search.window = height / ABSENCE_WINDOW;
        Absences storage absences = _absences[_key(validator, search.fromEpoch, search.window)];
        uint256[_WORDS] memory heights = absences.heights;
        uint256 count = absences.count;
        for (uint256 i = 0; i < certificates.length; ++i) {
            height = _absentHeight(search, timestamps[i], certificates[i]);
            uint256 bit = height % ABSENCE_WINDOW;
            uint256 mask = 1 << (bit % _WORD_BITS);
            // Others may have shown the same: it counts once, and their call does not undo this one.
            if (heights[bit / _WORD_BITS] & mask == 0) ++count;
            heights[bit / _WORD_BITS] |= mask;
        }
        absences.heights = heights;
        absences.count = count;
        emit AbsenceReported(validator, search.window, count);
        if (count > MAX_ABSENCES) {
            emit JailedForAbsence(validator, search.window, count);
            _expel(validator);
        }
    }

    function _searchFor(address validator) private view returns (Search memory search) {
        Listing storage listing = _listings[validator];
        if (listing.place == 0) revert NotListed(validator);
        uint256 untilEpoch;
        (search.fromEpoch, untilEpoch) = _epochsOf(listing);
        if (untilEpoch != 0) revert AlreadyLeaving(validator, untilEpoch);
        search.validator = validator;
        search.place = listing.place;
        search.epoch = type(uint256).max;
    }

    /// @dev The height of a proven certificate without the validator; reverts where it has none.
    function _absentHeight(Search memory search, uint256 timestamp, bytes calldata certificate)
        private
        view
        returns (uint256 height)
    {
        if (_beaconRoot(timestamp) != keccak256(certificate)) revert UnprovenCertificate(timestamp);
        StrictRlp.Item memory signers;
        (height, signers) = _readCertificate(certificate);
        if (height / ABSENCE_WINDOW != search.window) revert NotOneWindow(search.window, height);
        _moveTo(search, height);
        uint256 bytesBefore = search.index / 8 + 1;
        if (signers.end - signers.start >= bytesBefore) {
            uint256 byteOfIndex = uint8(certificate[signers.end - bytesBefore]);
            if ((byteOfIndex >> (search.index % 8)) & 1 == 1) {
                revert NotAbsent(search.validator, height);
            }
        }
    }

    /// @dev Find the validator's index in the epoch of a height.
    function _moveTo(Search memory search, uint256 height) private view {
        uint256 epoch = height / epochBlocks;
        if (epoch == search.epoch) return;
        if (epoch < firstKnownEpoch) revert ListGone(epoch, firstKnownEpoch);
        if (epoch < search.fromEpoch) revert NotMemberAt(search.validator, height);
        search.epoch = epoch;
        search.index = _indexOf(search.place, epoch);
    }

    function _beaconRoot(uint256 timestamp) private view returns (bytes32) {
        (bool ok, bytes memory answer) = _BEACON_ROOTS.staticcall(abi.encode(timestamp));
        if (!ok || answer.length != 32) revert UnprovenCertificate(timestamp);
        return bytes32(answer);
    }

    /// @dev rlp[height, round, headerHash, signer bitmap, seals]; the bitmap is one big number.
    function _readCertificate(bytes calldata certificate)
        private
        pure
        returns (uint256 height, StrictRlp.Item memory signers)
    {
        StrictRlp.Item memory whole = StrictRlp.read(certificate, 0, certificate.length);
        uint256 next;
        (height, next) = StrictRlp.readUint64(certificate, whole.start, whole.end);
        next = StrictRlp.read(certificate, next, whole.end).end;
        next = StrictRlp.read(certificate, next, whole.end).end;
        signers = StrictRlp.read(certificate, next, whole.end);
    }

    function _key(address validator, uint256 fromEpoch, uint256 window)
        private
        pure
        returns (bytes32)
    {
        return keccak256(abi.encode(validator, fromEpoch, window));
    }
}
