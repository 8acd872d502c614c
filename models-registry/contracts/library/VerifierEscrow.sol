// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {CVM} from "../CVM.sol";
import {Purse} from "./Purse.sol";
import {RowTree} from "./RowTree.sol";

/// @title Inference done off the chain, with INFER as the referee
/// @notice A submitter pays for a batch, a solver answers it under a bond, a verifier may vouch for the
/// answers under another, and anyone who finds one wrong answer shows it and takes half of the bonds. The
/// roles are Gensyn's: submitter, solver, verifier, whistle-blower; a dispute needs no game, since the
/// chain runs the model on the one item.
contract VerifierEscrow is Purse {
    /// @notice Where a job stands.
    enum Stage {
        NONE,
        OPEN,
        SOLVING,
        SOLVED,
        PAID,
        FRAUD,
        LATE,
        WITHDRAWN,
        VOID
    }

    /// @notice What the submitter asks for. `inputRoot` is a `RowTree` over the items, labels 0. Phases are
    /// in blocks.
    struct Terms {
        bytes32 modelId;
        bytes32 inputRoot;
        uint16 items;
        uint32 solveBlocks;
        uint32 challengeBlocks;
        uint128 solverFee;
        uint128 verifierFee;
        uint128 solverBond;
        uint128 verifierBond;
    }

    /// @notice A job; `deadline` is the last block of the phase that it is in.
    struct Job {
        address submitter;
        Stage stage;
        uint64 deadline;
        address solver;
        address verifier;
        uint32 outputBytes;
        bytes32 outputRoot;
        Terms terms;
    }

    /// @notice One item of a job: what went in and what the solver says came out, each with its path.
    struct Item {
        uint16 index;
        bytes input;
        bytes32[] inputPath;
        bytes output;
        bytes32[] outputPath;
    }

    /// @notice Most items of a job.
    uint256 public constant MAX_ITEMS = 4096;

    Job[] private _jobs;

    /// @notice The height at which a challenge was announced, else 0.
    mapping(bytes32 announcement => uint256) public announcedAt;

    event Posted(uint256 indexed jobId, address indexed submitter, bytes32 indexed modelId, Terms terms);
    event Accepted(uint256 indexed jobId, address indexed solver, uint64 deadline);
    /// @notice The answers are out, item after item; they may be challenged up to `deadline`.
    event Solved(uint256 indexed jobId, bytes32 outputRoot, bytes outputs, uint64 deadline);
    event Vouched(uint256 indexed jobId, address indexed verifier);
    event Announced(bytes32 indexed announcement, address indexed sender);
    /// @notice An answer was wrong: the whistle-blower has `reward`.
    event FraudShown(uint256 indexed jobId, address indexed whistleBlower, uint16 index, uint256 reward);
    /// @notice A job ended in this stage.
    event Ended(uint256 indexed jobId, Stage stage);

    error NoJob(uint256 jobId);
    error WrongStage(uint256 jobId, Stage stage, Stage needed);
    error BadItems(uint256 given, uint256 max);
    error BadPhases(uint256 solveBlocks, uint256 challengeBlocks);
    error NoBond();
    error WrongPayment(uint256 given, uint256 due);
    error NotTheSubmitter(address sender, address submitter);
    error NotTheSolver(address sender, address solver);
    error SolverCannotVouch(address solver);
    error AlreadyVouched(address verifier);
    error DeadlinePassed(uint256 jobId, uint256 deadline);
    error DeadlineNotPassed(uint256 jobId, uint256 deadline);
    error BadOutputsLength(uint256 given, uint256 expected);
    error AlreadyAnnounced(bytes32 announcement, uint256 height);
    error NotAnnounced(bytes32 announcement);
    error AnnouncedTooLate(bytes32 announcement, uint256 height);
    error NoFraud(uint256 jobId, uint256 index);

    /// @notice Ask for a batch of answers; the value is both fees.
    function post(Terms calldata terms) external payable returns (uint256 jobId) {
        if (terms.items == 0 || terms.items > MAX_ITEMS) revert BadItems(terms.items, MAX_ITEMS);
        if (terms.solveBlocks == 0 || terms.challengeBlocks < 2) {
            revert BadPhases(terms.solveBlocks, terms.challengeBlocks);
        }
        if (terms.solverBond == 0 || terms.verifierBond == 0) revert NoBond();
        if (!CVM.isActive(terms.modelId)) revert CVM.ModelNotActive();
        _checkPayment(uint256(terms.solverFee) + terms.verifierFee);
        jobId = _jobs.length;
        Job storage job = _jobs.push();
        job.submitter = msg.sender;
        job.stage = Stage.OPEN;
        job.outputBytes = uint32(CVM.outputBytes(terms.modelId));
        job.terms = terms;
        emit Posted(jobId, msg.sender, terms.modelId, terms);
    }

    /// @notice Take an offer back that nobody accepted.
    function withdrawJob(uint256 jobId) external {
        Job storage job = _job(jobId, Stage.OPEN);
        if (msg.sender != job.submitter) revert NotTheSubmitter(msg.sender, job.submitter);
        _refundSubmitter(job);
        _end(jobId, job, Stage.WITHDRAWN);
    }

    /// @notice Become a job's solver; the value is the bond.
    function accept(uint256 jobId) external payable {
        Job storage job = _job(jobId, Stage.OPEN);
        _checkPayment(job.terms.solverBond);
        job.solver = msg.sender;
        job.stage = Stage.SOLVING;
        job.deadline = uint64(block.number) + job.terms.solveBlocks;
        emit Accepted(jobId, msg.sender, job.deadline);
    }

    /// @notice Give all answers, item after item; the right one to an item that the model refuses is zeros.
    function solve(uint256 jobId, bytes calldata outputs) external {
        Job storage job = _job(jobId, Stage.SOLVING);
        if (msg.sender != job.solver) revert NotTheSolver(msg.sender, job.solver);
        _checkNotOver(jobId, job);
        uint256 expected = uint256(job.terms.items) * job.outputBytes;
        if (outputs.length != expected) revert BadOutputsLength(outputs.length, expected);
        job.outputRoot = _rootOf(outputs, job.terms.items, job.outputBytes);
        job.stage = Stage.SOLVED;
        job.deadline = uint64(block.number) + job.terms.challengeBlocks;
        emit Solved(jobId, job.outputRoot, outputs, job.deadline);
    }

    /// @notice Vouch for all answers of a job; the value is the bond. A job has one verifier.
    function vouch(uint256 jobId) external payable {
        Job storage job = _job(jobId, Stage.SOLVED);
        _checkNotOver(jobId, job);
        if (msg.sender == job.solver) revert SolverCannotVouch(job.solver);
        if (job.verifier != address(0)) revert AlreadyVouched(job.verifier);
        _checkPayment(job.terms.verifierBond);
        job.verifier = msg.sender;
        emit Vouched(jobId, msg.sender);
    }

    /// @notice Announce a challenge without showing it, so that nobody can copy it into a block before.
    /// @param announcement keccak256(abi.encode(jobId, sender, index, keccak256(right output), salt)).
    function announce(bytes32 announcement) external {
        uint256 height = announcedAt[announcement];
        if (height != 0) revert AlreadyAnnounced(announcement, height);
        announcedAt[announcement] = block.number;
        emit Announced(announcement, msg.sender);
    }

    /// @notice Show one wrong answer, announced in an earlier block: half of the bonds goes to the sender,
    /// the other half is burned, and the submitter has the fees back.
    function challenge(uint256 jobId, Item calldata item, bytes32 salt) external nonReentrant {
        Job storage job = _job(jobId, Stage.SOLVED);
        _checkNotOver(jobId, job);
        _checkItem(job, item);
        bytes32 right = _rightOutput(job, item.input);
        if (keccak256(item.output) == right) revert NoFraud(jobId, item.index);
        _openAnnouncement(keccak256(abi.encode(jobId, msg.sender, item.index, right, salt)));
        uint256 bonds = job.terms.solverBond;
        if (job.verifier != address(0)) bonds += job.terms.verifierBond;
        uint256 reward = bonds / 2;
        emit FraudShown(jobId, msg.sender, item.index, reward);
        _refundSubmitter(job);
        _credit(msg.sender, reward);
        _end(jobId, job, Stage.FRAUD);
        _burnEther(bonds - reward);
    }

    /// @notice End a job whose solver did not answer in time: his bond burns; anyone may.
    function expire(uint256 jobId) external nonReentrant {
        Job storage job = _job(jobId, Stage.SOLVING);
        _checkOver(jobId, job);
        _refundSubmitter(job);
        _end(jobId, job, Stage.LATE);
        _burnEther(job.terms.solverBond);
    }

    /// @notice Pay for answers that nobody challenged in time; anyone may. Where the model retired, nobody
    /// can have challenged: then everybody gets his own money back.
    function finalize(uint256 jobId) external {
        Job storage job = _job(jobId, Stage.SOLVED);
        _checkOver(jobId, job);
        Terms memory terms = job.terms;
        bool isVouched = job.verifier != address(0);
        if (!CVM.isActive(terms.modelId)) {
            _refundSubmitter(job);
            _credit(job.solver, terms.solverBond);
            if (isVouched) _credit(job.verifier, terms.verifierBond);
            _end(jobId, job, Stage.VOID);
            return;
        }
        _credit(job.solver, uint256(terms.solverFee) + terms.solverBond);
        if (isVouched) _credit(job.verifier, uint256(terms.verifierFee) + terms.verifierBond);
        else _credit(job.submitter, terms.verifierFee);
        _end(jobId, job, Stage.PAID);
    }

    /// @notice A job.
    function jobAt(uint256 jobId) external view returns (Job memory) {
        if (jobId >= _jobs.length) revert NoJob(jobId);
        return _jobs[jobId];
    }

    /// @notice How many jobs there are.
    function jobCount() external view returns (uint256) {
        return _jobs.length;
    }

    function _checkItem(Job storage job, Item calldata item) private view {
        uint256 items = job.terms.items;
        RowTree.runLength(item.index, 0, items);
        bytes32 input = RowTree.leaf(item.index, 0, item.input);
        RowTree.checkPath(input, item.index, 0, item.inputPath, job.terms.inputRoot, items);
        bytes32 output = RowTree.leaf(item.index, 0, item.output);
        RowTree.checkPath(output, item.index, 0, item.outputPath, job.outputRoot, items);
    }

    /// @dev The hash of what the model gives; of zeros where it refuses the input.
    function _rightOutput(Job storage job, bytes calldata input) private view returns (bytes32) {
        (bool ok, bytes memory output) = CVM.tryInfer(job.terms.modelId, input);
        if (ok) return keccak256(output);
        bytes4 reason = bytes4(output);
        if (reason == CVM.BadInputSize.selector || reason == CVM.InputOutOfRange.selector) {
            return keccak256(new bytes(job.outputBytes));
        }
        if (output.length == 0) revert CVM.InferenceOutOfGas();
        assembly ("memory-safe") {
            revert(add(output, 32), mload(output))
        }
    }

    function _openAnnouncement(bytes32 announcement) private {
        uint256 height = announcedAt[announcement];
        if (height == 0) revert NotAnnounced(announcement);
        if (height >= block.number) revert AnnouncedTooLate(announcement, height);
        delete announcedAt[announcement];
    }

    function _rootOf(bytes calldata outputs, uint256 items, uint256 width) private pure returns (bytes32) {
        bytes32[] memory nodes = new bytes32[](1 << RowTree.depth(items));
        for (uint256 i = 0; i < items; ++i) {
            nodes[i] = RowTree.leaf(i, 0, outputs[i * width:(i + 1) * width]);
        }
        return RowTree.fold(nodes);
    }

    function _refundSubmitter(Job storage job) private {
        _credit(job.submitter, uint256(job.terms.solverFee) + job.terms.verifierFee);
    }

    function _end(uint256 jobId, Job storage job, Stage stage) private {
        job.stage = stage;
        emit Ended(jobId, stage);
    }

    function _checkPayment(uint256 due) private view {
        if (msg.value != due) revert WrongPayment(msg.value, due);
    }

    function _checkNotOver(uint256 jobId, Job storage job) private view {
        if (block.number > job.deadline) revert DeadlinePassed(jobId, job.deadline);
    }

    function _checkOver(uint256 jobId, Job storage job) private view {
        if (block.number <= job.deadline) revert DeadlineNotPassed(jobId, job.deadline);
    }

    function _job(uint256 jobId, Stage needed) private view returns (Job storage job) {
        if (jobId >= _jobs.length) revert NoJob(jobId);
        job = _jobs[jobId];
        if (job.stage != needed) revert WrongStage(jobId, job.stage, needed);
    }
}
