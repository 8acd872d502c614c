// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {CVM} from "../CVM.sol";
import {DatasetRegistry} from "./DatasetRegistry.sol";
import {InferenceReferee} from "./InferenceReferee.sol";
import {Purse} from "./Purse.sol";
import {RowTree} from "./RowTree.sol";

/// @title What a job of the VerifierEscrow is, and what makes it one
/// @notice Types, events, errors and checks; what happens to a job stands in VerifierEscrow.sol.
abstract contract VerifierJobs is Purse {
    /// @notice Where a job stands. ACCUSED: the answer is wrong, and the solver may show that it was a trap.
    enum Phase {
        NONE,
        OPEN,
        CLAIMED,
        ANSWERED,
        ACCUSED,
        SOLVED,
        CLOSED
    }

    /// @notice What a job asks, and of whom. `source` is the keccak256 of the input, or a dataset's id with
    /// a run of 2^`height` rows from `firstRow` on. Claims are taken up to block `lastClaim`.
    struct Terms {
        bytes32 modelId;
        bytes32 source;
        bool isDataset;
        uint64 firstRow;
        uint8 height;
        uint32 items;
        uint64 lastClaim;
        uint32 answerBlocks;
        uint32 windowBlocks;
        bool isReopened;
        bool isOnChain;
        uint32 trapOdds;
        uint128 solverBond;
        uint128 challengerBond;
        uint128 jackpot;
    }

    /// @notice What a solver did. `dueAt` is the last block for an answer (CLAIMED), a challenge (ANSWERED)
    /// or an opening (ACCUSED); `hasSeal` while the solver still owes an opening.
    struct Attempt {
        address solver;
        uint64 claimedAt;
        address challenger;
        uint64 dueAt;
        bool hasSeal;
        bool isProven;
        bytes32 secretHash;
        bytes32 seed;
        bytes32 seal;
        bytes32 answer;
        bytes32 truth;
    }

    /// @notice A job, with its newest attempt.
    struct Job {
        Terms terms;
        address requester;
        Phase phase;
        uint64 inputBytes;
        uint256 reward;
        Attempt attempt;
    }

    /// @notice Longest time for an answer, in blocks: the EVM knows the hashes of so many.
    uint256 public constant MAX_ANSWER_BLOCKS = 256;
    /// @notice Shortest window, in blocks: one to announce a challenge in, one to show it in.
    uint256 public constant MIN_WINDOW_BLOCKS = 2;
    /// @notice Longest window, in blocks.
    uint256 public constant MAX_WINDOW_BLOCKS = 1 << 20;
    /// @notice Longest uri, in bytes.
    uint256 public constant MAX_URI_BYTES = 256;
    /// @notice Of a bond or a jackpot that is lost, the winner gets one part in so many; the rest is burned.
    uint256 public constant WINNERS_PART = 2;

    /// @notice Where rows are from.
    DatasetRegistry public immutable datasets;

    Job[] internal _jobs;

    /// @notice The height at which a challenge was announced, else 0.
    mapping(bytes32 announcement => uint256) public announcedAt;

    event Posted(uint256 indexed jobId, address indexed requester, Terms terms, uint256 reward, string uri);
    event Claimed(uint256 indexed jobId, address indexed solver, uint64 dueAt);
    /// @notice A solver says what the model answers, or, after a trap, what it truly answers.
    event Answered(uint256 indexed jobId, address indexed solver, bytes32 answer, string uri, uint64 dueAt);
    event Announced(bytes32 indexed announcement, address indexed sender);
    /// @notice The contract ran the model; the answer is right where it equals the truth.
    event Judged(uint256 indexed jobId, address indexed challenger, bytes32 answer, bytes32 truth);
    /// @notice A solver opened its seal.
    event Opened(uint256 indexed jobId, bytes32 truth, bool isTrap);
    event JackpotPaid(uint256 indexed jobId, address indexed challenger, uint256 paid, uint256 burned);
    event Solved(uint256 indexed jobId, address indexed solver, bytes32 answer);
    /// @notice A solver lost its bond.
    event Slashed(uint256 indexed jobId, address indexed solver, address to, uint256 paid, uint256 burned);
    event Reopened(uint256 indexed jobId);
    /// @notice The reward went back to the requester.
    event Closed(uint256 indexed jobId);

    error NoJob(uint256 jobId);
    error WrongPhase(uint256 jobId, Phase phase);
    error BadBlocks(uint256 given, uint256 min, uint256 max);
    error LastClaimPassed(uint256 lastClaim, uint256 height);
    error NoBond();
    error BadTrap(uint256 odds, uint256 jackpot, uint256 bond);
    error UriTooLong(uint256 given, uint256 max);
    error WrongItems(uint256 given, uint256 expected);
    error WrongRowBytes(uint256 rowBytes, uint256 inputBytes);
    error WrongPayment(uint256 given, uint256 due);
    error NotTheRequester(address sender, address requester);
    error NotTheSolver(address sender, address solver);
    /// @notice A secret goes with a job that has traps, and with no other.
    error WrongSecretHash(bytes32 given, uint256 odds);
    /// @notice The block of the claim has no hash yet.
    error TooEarly(uint256 height);
    error TooLate(uint256 jobId, uint256 dueAt);
    error NotOver(uint256 jobId, uint256 dueAt);
    error WrongKindOfInput(uint256 jobId, bool isDataset);
    error WrongInput(bytes32 given, bytes32 expected);
    error WrongRun(uint256 first, uint256 height, uint256 expectedFirst, uint256 expectedHeight);
    error AlreadyProven(uint256 jobId);
    error AlreadyAnnounced(bytes32 announcement, uint256 height);
    error NotAnnounced(bytes32 announcement);
    error AnnouncedTooLate(bytes32 announcement, uint256 height);
    error OutputMissing(uint256 jobId);
    error WrongOutput(bytes32 given, bytes32 answer);
    error WrongSecret(bytes32 given, bytes32 expected);
    error WrongSeal(bytes32 given, bytes32 expected);
    /// @notice The draw did not ask for a wrong answer, or asked for one that was not given.
    error NotAsDrawn(uint256 jobId, bool isTrap);
    error SealNotOpened(uint256 jobId);
    error ModelIsActive(bytes32 modelId);

    constructor(DatasetRegistry datasets_) {
        datasets = datasets_;
    }

    /// @notice A job with its newest attempt.
    function jobAt(uint256 jobId) external view returns (Job memory) {
        return _job(jobId);
    }

    /// @notice How many jobs there are.
    function jobCount() external view returns (uint256) {
        return _jobs.length;
    }

    /// @notice The answer of a job that is SOLVED.
    function answerOf(uint256 jobId) external view returns (bytes32) {
        return _in(jobId, Phase.SOLVED).attempt.answer;
    }

    /// @notice At least the gas of a transaction that challenges an answer.
    function challengeGas(uint256 jobId) external view returns (uint256) {
        Terms storage terms = _job(jobId).terms;
        return InferenceReferee.transactionGas(terms.modelId, terms.items, 1 << terms.height);
    }

    /// @notice Whether a solver with this secret must give a wrong answer.
    /// @param seed The hash of the block of its claim.
    function isDrawn(bytes32 secret, bytes32 seed, uint256 odds) public pure returns (bool) {
        return uint256(keccak256(abi.encode(secret, seed))) % odds == 0;
    }

    /// @notice What binds a solver to the true answer without showing it.
    function sealOf(uint256 jobId, bytes32 truth, bytes32 secret) public pure returns (bytes32) {
        return keccak256(abi.encode(jobId, truth, secret));
    }

    function _checkOutput(
        uint256 jobId,
        bool isOnChain,
        bytes32 answer,
        bytes calldata output,
        string calldata uri
    ) internal pure {
        _checkUri(uri);
        if (output.length != 0) {
            if (keccak256(output) != answer) revert WrongOutput(keccak256(output), answer);
        } else if (!InferenceReferee.isRefusal(answer)) {
            if (isOnChain || bytes(uri).length == 0) revert OutputMissing(jobId);
        }
    }

    function _checkTerms(Terms calldata terms) internal view {
        _checkBlocks(terms.answerBlocks, 1, MAX_ANSWER_BLOCKS);
        _checkBlocks(terms.windowBlocks, MIN_WINDOW_BLOCKS, MAX_WINDOW_BLOCKS);
        if (terms.lastClaim < block.number) revert LastClaimPassed(terms.lastClaim, block.number);
        if (terms.solverBond == 0) revert NoBond();
        if ((terms.trapOdds == 0) != (terms.jackpot == 0) || terms.jackpot > terms.solverBond) {
            revert BadTrap(terms.trapOdds, terms.jackpot, terms.solverBond);
        }
    }

    function _checkBlocks(uint256 given, uint256 min, uint256 max) internal pure {
        if (given < min || given > max) revert BadBlocks(given, min, max);
    }

    function _checkUri(string calldata uri) internal pure {
        if (bytes(uri).length > MAX_URI_BYTES) revert UriTooLong(bytes(uri).length, MAX_URI_BYTES);
    }

    function _checkSolver(Attempt storage attempt) internal view {
        if (msg.sender != attempt.solver) revert NotTheSolver(msg.sender, attempt.solver);
    }

    /// @dev Returns the bytes of the input: few, since a transaction can carry them. Rows are items.
    function _checkSize(Terms calldata terms) internal view returns (uint64) {
        uint256 inputBytes = CVM.inputBytes(terms.modelId);
        if (terms.isDataset) {
            (, uint256 rows, uint256 rowBytes,) = datasets.shape(terms.source);
            uint256 run = RowTree.runLength(terms.firstRow, terms.height, rows);
            if (terms.items != run) revert WrongItems(terms.items, run);
            if (rowBytes != inputBytes) revert WrongRowBytes(rowBytes, inputBytes);
        } else if (terms.firstRow != 0 || terms.height != 0) {
            revert WrongRun(terms.firstRow, terms.height, 0, 0);
        }
        InferenceReferee.checkSize(terms.modelId, terms.items, 1 << terms.height);
        return uint64(terms.items * inputBytes);
    }

    function _in(uint256 jobId, Phase phase) internal view returns (Job storage job) {
        job = _job(jobId);
        if (job.phase != phase) revert WrongPhase(jobId, job.phase);
    }

    function _job(uint256 jobId) internal view returns (Job storage) {
        if (jobId >= _jobs.length) revert NoJob(jobId);
        return _jobs[jobId];
    }
}
