// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {CVM} from "../CVM.sol";
import {DatasetRegistry} from "./DatasetRegistry.sol";
import {InferenceReferee} from "./InferenceReferee.sol";
import {RowTree} from "./RowTree.sol";
import {VerifierJobs} from "./VerifierJobs.sol";

/// @title Inference that is computed off the chain and judged on it
/// @notice A requester posts a job; a solver claims it with a bond and says what the model answers; during
/// a window anyone may put up a bond and the input, and this contract runs the model: who was wrong pays.
/// The roles are Gensyn's (submitter, solver, verifier, whistle-blower), the referee is INFER.
/// @dev Traps keep verifiers awake: with odds of one in `trapOdds`, drawn from a secret of the solver and
/// the hash of the block of its claim, the solver has to give a wrong answer, with the true one sealed
/// beside it, and who reports it gets the jackpot. They are the forced errors of Teutsch and Reitwiessner,
/// "A scalable verification solution for blockchains" (arXiv:1908.04756), but here the jackpot is the
/// solver's own, so that solvers gain nothing by reporting themselves.
contract VerifierEscrow is VerifierJobs {
    constructor(DatasetRegistry datasets_) VerifierJobs(datasets_) {}

    /// @notice Post a job; the value is the reward. `uri` says where solvers find the input.
    /// @dev A job whose challenge would need more gas than a transaction may have is refused: its answer
    /// could never be judged.
    function post(Terms calldata terms, string calldata uri) external payable returns (uint256 jobId) {
        _checkTerms(terms);
        _checkUri(uri);
        jobId = _jobs.length;
        Job storage job = _jobs.push();
        job.inputBytes = _checkSize(terms);
        job.terms = terms;
        job.requester = msg.sender;
        job.phase = Phase.OPEN;
        job.reward = msg.value;
        emit Posted(jobId, msg.sender, terms, msg.value, uri);
    }

    /// @notice Take a job back that no solver has.
    function cancel(uint256 jobId) external {
        Job storage job = _in(jobId, Phase.OPEN);
        if (msg.sender != job.requester) revert NotTheRequester(msg.sender, job.requester);
        _close(jobId, job);
    }

    /// @notice Promise an answer; the value is the solver's bond.
    /// @param secretHash The hash of a secret word of the solver where the job has traps, else 0.
    function claim(uint256 jobId, bytes32 secretHash) external payable {
        Job storage job = _in(jobId, Phase.OPEN);
        Terms storage terms = job.terms;
        if (block.number > terms.lastClaim) revert LastClaimPassed(terms.lastClaim, block.number);
        if (msg.value != terms.solverBond) revert WrongPayment(msg.value, terms.solverBond);
        bool hasTraps = terms.trapOdds != 0;
        if (hasTraps != (secretHash != 0)) revert WrongSecretHash(secretHash, terms.trapOdds);
        if (!CVM.isActive(terms.modelId)) revert CVM.ModelNotActive();
        job.phase = Phase.CLAIMED;
        Attempt storage attempt = job.attempt;
        attempt.solver = msg.sender;
        attempt.claimedAt = uint64(block.number);
        attempt.dueAt = uint64(block.number + terms.answerBlocks);
        attempt.hasSeal = hasTraps;
        attempt.secretHash = secretHash;
        emit Claimed(jobId, msg.sender, attempt.dueAt);
    }

    /// @notice Say what the model answers.
    /// @param answer The keccak256 of the output, or the selector of the error that INFER gives.
    /// @param seal keccak256(jobId, true answer, secret) where the job has traps, else 0.
    /// @param output The output itself; may be empty where the job does not want it on the chain.
    /// @param uri Where the output is, if it is not given.
    function submitAnswer(
        uint256 jobId,
        bytes32 answer,
        bytes32 seal,
        bytes calldata output,
        string calldata uri
    ) external {
        Job storage job = _in(jobId, Phase.CLAIMED);
        Attempt storage attempt = job.attempt;
        _checkSolver(attempt);
        if (block.number > attempt.dueAt) revert TooLate(jobId, attempt.dueAt);
        if (attempt.hasSeal) {
            if (block.number == attempt.claimedAt) revert TooEarly(block.number);
            attempt.seed = blockhash(attempt.claimedAt);
        }
        attempt.seal = seal;
        _checkOutput(jobId, job.terms.isOnChain, answer, output, uri);
        _setAnswer(jobId, job, answer, uri);
    }

    /// @notice Announce a challenge without showing it, so that nobody can copy it into a block before.
    /// @param announcement keccak256(abi.encode(jobId, sender, true answer, salt)): it takes the work.
    function announce(bytes32 announcement) external {
        uint256 height = announcedAt[announcement];
        if (height != 0) revert AlreadyAnnounced(announcement, height);
        announcedAt[announcement] = block.number;
        emit Announced(announcement, msg.sender);
    }

    /// @notice Say that an answer is wrong, and open the input; the value is the challenger's bond. Where
    /// it is wrong indeed, the challenge must have been announced in an earlier block.
    /// @dev Takes the gas that MODELINFO says and more; with less it reverts and judges nobody.
    function challenge(uint256 jobId, bytes calldata input, bytes32 salt) external payable {
        Job storage job = _challenged(jobId, false);
        bytes32 given = keccak256(input);
        if (given != job.terms.source) revert WrongInput(given, job.terms.source);
        _judge(jobId, job, input, salt);
    }

    /// @notice Say that an answer on rows of a dataset is wrong, as `challenge` does.
    function challengeRows(uint256 jobId, RowTree.Batch calldata batch, bytes32 salt) external payable {
        Job storage job = _challenged(jobId, true);
        Terms storage terms = job.terms;
        if (batch.first != terms.firstRow || batch.height != terms.height) {
            revert WrongRun(batch.first, batch.height, terms.firstRow, terms.height);
        }
        (bytes32 root, uint256 rows, uint256 rowBytes,) = datasets.shape(terms.source);
        RowTree.check(batch, root, rows, rowBytes);
        _judge(jobId, job, batch.rows, salt);
    }

    /// @notice Open the seal of an answer: what is owed after the window, and the defence of the accused.
    /// A trap that nobody reported is replaced by the true answer, which has a window of its own.
    /// @param truth The true answer; `output` and `uri` are of it, and only used after a trap.
    function open(
        uint256 jobId,
        bytes32 secret,
        bytes32 truth,
        bytes calldata output,
        string calldata uri
    ) external {
        Job storage job = _job(jobId);
        Attempt storage attempt = job.attempt;
        _checkOpening(jobId, job.phase, attempt, job.terms.answerBlocks);
        bool isTrap = _openSeal(jobId, attempt, secret, truth, job.terms.trapOdds);
        emit Opened(jobId, truth, isTrap);
        attempt.hasSeal = false;
        if (job.phase == Phase.ACCUSED) {
            if (!isTrap || truth != attempt.truth) revert NotAsDrawn(jobId, isTrap);
            _checkOutput(jobId, job.terms.isOnChain, truth, output, uri);
            _payJackpot(jobId, job, truth);
        } else if (isTrap) {
            if (truth == attempt.answer || attempt.isProven) revert NotAsDrawn(jobId, isTrap);
            _checkOutput(jobId, job.terms.isOnChain, truth, output, uri);
            _setAnswer(jobId, job, truth, uri);
        } else {
            if (truth != attempt.answer) revert NotAsDrawn(jobId, isTrap);
            _solve(jobId, job, job.terms.solverBond);
        }
    }

    /// @notice Pay the solver of an answer without a seal, when its window is over.
    function settle(uint256 jobId) external {
        Job storage job = _in(jobId, Phase.ANSWERED);
        Attempt storage attempt = job.attempt;
        if (attempt.hasSeal) revert SealNotOpened(jobId);
        if (block.number <= attempt.dueAt) revert NotOver(jobId, attempt.dueAt);
        _solve(jobId, job, job.terms.solverBond);
    }

    /// @notice Take the bond of a solver that is late with its answer or with an opening.
    function forfeit(uint256 jobId) external {
        Job storage job = _job(jobId);
        Attempt storage attempt = job.attempt;
        bool isOpening = job.phase == Phase.ANSWERED && attempt.hasSeal;
        if (job.phase != Phase.CLAIMED && job.phase != Phase.ACCUSED && !isOpening) {
            revert WrongPhase(jobId, job.phase);
        }
        uint256 dueAt = isOpening ? attempt.dueAt + job.terms.answerBlocks : attempt.dueAt;
        if (block.number <= dueAt) revert NotOver(jobId, dueAt);
        _slash(jobId, job, job.phase == Phase.ACCUSED ? attempt.challenger : job.requester);
    }

    /// @notice End a job whose model cannot be asked any more before the answer is judged: everybody
    /// gets back what he put in. Only until the answer, or a challenge, is late.
    function annul(uint256 jobId) external {
        Job storage job = _job(jobId);
        Attempt storage attempt = job.attempt;
        if (job.phase != Phase.CLAIMED && job.phase != Phase.ANSWERED) {
            revert WrongPhase(jobId, job.phase);
        }
        if (block.number > attempt.dueAt) revert TooLate(jobId, attempt.dueAt);
        if (attempt.isProven) revert AlreadyProven(jobId);
        if (CVM.isActive(job.terms.modelId)) revert ModelIsActive(job.terms.modelId);
        _credit(attempt.solver, job.terms.solverBond);
        _close(jobId, job);
    }

    /// @dev Judged at once: nobody waits for anything.
    function _judge(uint256 jobId, Job storage job, bytes calldata input, bytes32 salt) private {
        Terms storage terms = job.terms;
        Attempt storage attempt = job.attempt;
        bytes32 truth =
            InferenceReferee.answerOf(terms.modelId, terms.items, job.inputBytes, input);
        emit Judged(jobId, msg.sender, attempt.answer, truth);
        if (truth == attempt.answer) {
            attempt.isProven = true;
            _credit(attempt.solver, msg.value);
            if (!attempt.hasSeal) _solve(jobId, job, terms.solverBond);
            return;
        }
        _openAnnouncement(keccak256(abi.encode(jobId, msg.sender, truth, salt)));
        _credit(msg.sender, msg.value);
        if (!attempt.hasSeal) return _slash(jobId, job, msg.sender);
        job.phase = Phase.ACCUSED;
        attempt.challenger = msg.sender;
        attempt.truth = truth;
        attempt.dueAt = uint64(block.number + terms.answerBlocks);
    }

    function _openAnnouncement(bytes32 announcement) private {
        uint256 height = announcedAt[announcement];
        if (height == 0) revert NotAnnounced(announcement);
        if (height >= block.number) revert AnnouncedTooLate(announcement, height);
        delete announcedAt[announcement];
    }

    function _setAnswer(uint256 jobId, Job storage job, bytes32 answer, string calldata uri) private {
        Attempt storage attempt = job.attempt;
        job.phase = Phase.ANSWERED;
        attempt.answer = answer;
        attempt.dueAt = uint64(block.number + job.terms.windowBlocks);
        emit Answered(jobId, attempt.solver, answer, uri, attempt.dueAt);
    }

    function _payJackpot(uint256 jobId, Job storage job, bytes32 truth) private {
        Attempt storage attempt = job.attempt;
        attempt.answer = truth;
        uint256 jackpot = job.terms.jackpot;
        (uint256 paid, uint256 burned) = _split(attempt.challenger, jackpot);
        emit JackpotPaid(jobId, attempt.challenger, paid, burned);
        _solve(jobId, job, job.terms.solverBond - jackpot);
    }

    function _solve(uint256 jobId, Job storage job, uint256 bondLeft) private {
        job.phase = Phase.SOLVED;
        _credit(job.attempt.solver, job.reward + bondLeft);
        emit Solved(jobId, job.attempt.solver, job.attempt.answer);
    }

    function _slash(uint256 jobId, Job storage job, address to) private {
        address solver = job.attempt.solver;
        (uint256 paid, uint256 burned) = _split(to, job.terms.solverBond);
        emit Slashed(jobId, solver, to, paid, burned);
        if (!job.terms.isReopened || block.number > job.terms.lastClaim) return _close(jobId, job);
        delete job.attempt;
        job.phase = Phase.OPEN;
        emit Reopened(jobId);
    }

    function _close(uint256 jobId, Job storage job) private {
        job.phase = Phase.CLOSED;
        _credit(job.requester, job.reward);
        emit Closed(jobId);
    }

    /// @dev Burning a share makes it dear for a solver to be its own challenger.
    function _split(address to, uint256 amount) private returns (uint256 paid, uint256 burned) {
        paid = amount / WINNERS_PART;
        burned = amount - paid;
        _credit(to, paid);
        _burnEther(burned);
    }

    function _challenged(uint256 jobId, bool isDataset) private view returns (Job storage job) {
        job = _in(jobId, Phase.ANSWERED);
        Attempt storage attempt = job.attempt;
        if (job.terms.isDataset != isDataset) revert WrongKindOfInput(jobId, job.terms.isDataset);
        if (block.number > attempt.dueAt) revert TooLate(jobId, attempt.dueAt);
        if (attempt.isProven) revert AlreadyProven(jobId);
        uint256 due = job.terms.challengerBond;
        if (msg.value != due) revert WrongPayment(msg.value, due);
    }

    function _checkOpening(
        uint256 jobId,
        Phase phase,
        Attempt storage attempt,
        uint256 answerBlocks
    ) private view {
        bool isAccused = phase == Phase.ACCUSED;
        if (!attempt.hasSeal || (phase != Phase.ANSWERED && !isAccused)) {
            revert WrongPhase(jobId, phase);
        }
        _checkSolver(attempt);
        bool isWaiting = !isAccused && !attempt.isProven && block.number <= attempt.dueAt;
        if (isWaiting) revert NotOver(jobId, attempt.dueAt);
        uint256 dueAt = isAccused ? attempt.dueAt : attempt.dueAt + answerBlocks;
        if (block.number > dueAt) revert TooLate(jobId, dueAt);
    }

    function _openSeal(
        uint256 jobId,
        Attempt storage attempt,
        bytes32 secret,
        bytes32 truth,
        uint256 odds
    ) private view returns (bool isTrap) {
        bytes32 given = keccak256(abi.encode(secret));
        if (given != attempt.secretHash) revert WrongSecret(given, attempt.secretHash);
        given = sealOf(jobId, truth, secret);
        if (given != attempt.seal) revert WrongSeal(given, attempt.seal);
        return isDrawn(secret, attempt.seed, odds);
    }
}
