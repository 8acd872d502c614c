// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

/// @title Who votes on blocks and attests models: functions, events and errors
/// @notice Equal bonds, one validator one vote. The list of an epoch is fixed before the last block of
/// the epoch before it; joining and leaving wait for the first epoch that has room for a change.
interface IValidatorSet {
    /// @notice What is kept of an account that is listed or jailed for ever.
    /// @param bond Wei held for it.
    /// @param place Its place in the list, from 1; 0 where it is not listed.
    /// @param fromEpoch The first epoch in which it votes.
    /// @param untilEpoch The first epoch in which it no longer votes; 0 while it is to stay.
    /// @param isJailed Whether it signed two votes, and may never join again.
    struct Member {
        uint256 bond;
        uint256 place;
        uint256 fromEpoch;
        uint256 untilEpoch;
        bool isJailed;
    }

    event Joined(address indexed validator, uint256 fromEpoch);
    event Left(address indexed validator, uint256 untilEpoch);
    event Withdrawn(address indexed validator, address indexed to, uint256 amount);
    event Vacated(address indexed validator);
    /// @notice Half of the bond went to the reporter, the rest is burned.
    event Slashed(
        address indexed validator,
        address indexed reporter,
        uint8 code,
        uint256 height,
        uint256 round,
        uint256 reward,
        uint256 burned
    );
    event AbsenceReported(address indexed validator, uint256 indexed window, uint256 heights);
    event JailedForAbsence(address indexed validator, uint256 indexed window, uint256 heights);
    event GenesisHashRecorded(bytes32 genesisHash);

    error NoValidatorAt(uint256 index, uint256 count);
    error WrongBond(uint256 given, uint256 due);
    error Jailed(address validator);
    error AlreadyListed(address validator);
    error NotListed(address account);
    error NotLeaving(address validator);
    error AlreadyLeaving(address validator, uint256 untilEpoch);
    error LastValidator(address validator);
    error StillBonded(address validator, uint256 firstHeight);
    error NothingBonded(address account);
    error PaymentFailed(address to, uint256 amount);
    error GenesisHashUnknown();
    error GenesisHashGone(uint256 height, uint256 lastHeight);
    error BadVoteCode(uint8 code);
    error BadVote(uint256 offset);
    error NotOneRound(uint256 heightA, uint256 roundA, uint256 heightB, uint256 roundB);
    error SameDigest(bytes32 digest);
    error BadSignature(bytes32 digest);
    error NotOneSigner(address signerA, address signerB);
    error NoCertificates(uint256 timestamps, uint256 certificates);
    error UnprovenCertificate(uint256 timestamp);
    error NotOneWindow(uint256 window, uint256 height);
    error NotMemberAt(address validator, uint256 height);
    error ListGone(uint256 epoch, uint256 firstEpoch);
    error NotAbsent(address validator, uint256 height);

    /// @notice Every validator of this block, in the order of turns.
    function validators() external view returns (address[] memory);

    /// @notice Every validator of an epoch, as far as it is known; reverts where it is forgotten.
    function validatorsOf(uint256 epoch) external view returns (address[] memory);

    /// @notice How many validators this block has; each has one vote.
    function validatorCount() external view returns (uint256);

    /// @notice The validator of this block at a place in the order of turns.
    function validatorAt(uint256 index) external view returns (address);

    /// @notice Whether an account is a validator of this block.
    function isValidator(address account) external view returns (bool);

    /// @notice What is kept of an account.
    function memberOf(address account) external view returns (Member memory);

    /// @notice The epoch of this block.
    function currentEpoch() external view returns (uint256);

    /// @notice In how many heights of a window of 1,000 a validator was shown to be absent.
    function absencesOf(address validator, uint256 window) external view returns (uint256);

    /// @notice Join with exactly the bond; the sender is the key that will vote.
    function join() external payable;

    /// @notice Leave in the first epoch with room; the bond stays for the time of unbonding.
    function leave() external;

    /// @notice Take the bond back, `unbondingBlocks` after the first height without a vote.
    function withdraw(address payable to) external;

    /// @notice Give the place of a slashed validator free, once it no longer votes.
    function vacate(address validator) external;

    /// @notice Show two votes of one validator of one kind, height and round, for different blocks.
    /// @param code The kind of message: 0x12 proposal, 0x13 prepare, 0x14 commit, 0x15 round change.
    /// @param payloadA The RLP that was signed; the signature is r, s and v (0 or 1), low s.
    function report(
        uint8 code,
        bytes calldata payloadA,
        bytes calldata signatureA,
        bytes calldata payloadB,
        bytes calldata signatureB
    ) external;

    /// @notice Show certificates of one window without a validator; several calls add up.
    /// @param timestamps Of the blocks after the certified ones, as EIP-4788's contract knows them.
    /// @param certificates The certificates whose hashes those blocks carry.
    function reportAbsence(
        address validator,
        uint256[] calldata timestamps,
        bytes[] calldata certificates
    ) external;

    /// @notice Keep block 0's hash, which signed votes name; possible in the first 8,191 blocks.
    function recordGenesisHash() external;
}
