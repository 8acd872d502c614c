// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";

import {AnswerRule} from "./AnswerRule.sol";
import {Evaluator} from "./Evaluator.sol";
import {Purse} from "./Purse.sol";

/// @title Rounds in which model makers bet on their models
/// @notice Entrants stake on a model before anyone sees the rows. The chain scores it; above the benchmark
/// a stake earns, below it burns, both in proportion and up to a cap. The mechanism is Numerai's; scores
/// come from certificates, so nobody needs to trust the organiser's arithmetic.
contract Tournament is Purse {
    /// @notice What the organiser promises. Heights are the last blocks of each phase: commit, reveal,
    /// publish the rows, score. `margin` rows away from the benchmark a stake moves by `capBasisPoints`.
    struct Terms {
        bytes32 datasetId;
        AnswerRule.Rule rule;
        uint64 benchmark;
        uint64 margin;
        uint16 capBasisPoints;
        uint64 commitEnd;
        uint64 revealEnd;
        uint64 publishEnd;
        uint64 scoreEnd;
        uint128 leastStake;
    }

    /// @notice A round; `prizeLeft` is what was not paid yet. Where no entry was scored and nobody showed
    /// the rows by `publishEnd` they were withheld, and all who revealed share the prize.
    struct Round {
        address organiser;
        bool isPublished;
        bool isClosed;
        uint256 prize;
        uint256 prizeLeft;
        uint256 gains;
        uint256 revealedStakes;
        Terms terms;
    }

    /// @notice An entry; `correct` counts once `isScored`.
    struct Entry {
        uint128 stake;
        bool isScored;
        bool isSettled;
        uint64 correct;
        bytes32 commitment;
        bytes32 modelId;
    }

    uint256 private constant _BASIS_POINTS = 10_000;

    /// @notice Whose certificates count.
    Evaluator public immutable evaluator;

    Round[] private _rounds;
    mapping(uint256 roundId => mapping(address entrant => Entry)) private _entries;

    /// @notice A round is open for commitments.
    event RoundOpened(uint256 indexed roundId, address indexed organiser, uint256 prize, Terms terms);
    /// @notice Somebody staked on a model that nobody else knows.
    event Committed(uint256 indexed roundId, address indexed entrant, uint256 stake);
    /// @notice An entrant named his model.
    event Revealed(uint256 indexed roundId, address indexed entrant, bytes32 indexed modelId);
    /// @notice This certificate shows that every row is out.
    event RowsPublished(uint256 indexed roundId, bytes32 indexed certificateId);
    /// @notice A model's certificate was read.
    event Scored(uint256 indexed roundId, address indexed entrant, uint64 correct);
    /// @notice An entry ended: what came on top of the stake, or what of it was burned.
    event Settled(uint256 indexed roundId, address indexed entrant, uint256 gain, uint256 loss);
    /// @notice The organiser has the part of the prize that nobody earned.
    event RoundClosed(uint256 indexed roundId, uint256 returned);

    error NoRound(uint256 roundId);
    error BadPhases(uint256 height, uint256 commitEnd, uint256 revealEnd, uint256 publishEnd, uint256 scoreEnd);
    error BadBenchmark(uint256 given, uint256 rows);
    error BadMargin(uint256 given, uint256 rows);
    error BadCap(uint256 given, uint256 max);
    error PhaseOver(uint256 height, uint256 lastHeight);
    error PhaseNotBegun(uint256 height, uint256 firstHeight);
    error StakeTooSmall(uint256 given, uint256 least);
    error StakeTooLarge(uint256 given, uint256 max);
    error AlreadyCommitted(uint256 roundId, address entrant);
    error NoEntry(uint256 roundId, address entrant);
    error WrongCommitment(bytes32 given, bytes32 expected);
    error NoModel();
    error AlreadyRevealed(bytes32 modelId);
    error NotRevealed(uint256 roundId, address entrant);
    error AlreadyScored(uint256 roundId, address entrant);
    error NotCertified(bytes32 certificateId, uint256 counted, uint256 rows);
    error OtherDataset(bytes32 given, bytes32 expected);
    error RowsWithheld(uint256 roundId, uint256 publishEnd);
    error AlreadySettled(uint256 roundId, address entrant);
    error AlreadyClosed(uint256 roundId);

    constructor(Evaluator evaluator_) {
        evaluator = evaluator_;
    }

    /// @notice Open a round; the value is its prize.
    function open(Terms calldata terms) external payable returns (uint256 roundId) {
        if (
            terms.commitEnd <= block.number || terms.revealEnd <= terms.commitEnd
                || terms.publishEnd <= terms.revealEnd || terms.scoreEnd <= terms.publishEnd
        ) {
            revert BadPhases(
                block.number, terms.commitEnd, terms.revealEnd, terms.publishEnd, terms.scoreEnd
            );
        }
        (, uint256 rows,,) = evaluator.datasets().shape(terms.datasetId);
        if (terms.benchmark > rows) revert BadBenchmark(terms.benchmark, rows);
        if (terms.margin == 0 || terms.margin > rows) revert BadMargin(terms.margin, rows);
        if (terms.capBasisPoints == 0 || terms.capBasisPoints > _BASIS_POINTS) {
            revert BadCap(terms.capBasisPoints, _BASIS_POINTS);
        }
        roundId = _rounds.length;
        Round storage round = _rounds.push();
        round.organiser = msg.sender;
        round.prize = msg.value;
        round.prizeLeft = msg.value;
        round.terms = terms;
        emit RoundOpened(roundId, msg.sender, msg.value, terms);
    }

    /// @notice Stake the value on a model that is not named yet; one entry per account and round.
    /// @param commitment keccak256(abi.encode(roundId, entrant, modelId, salt)).
    function commit(uint256 roundId, bytes32 commitment) external payable {
        Terms storage terms = _round(roundId).terms;
        _checkNotOver(terms.commitEnd);
        // An entry is there once its stake is not 0.
        uint256 least = Math.max(terms.leastStake, 1);
        if (msg.value < least) revert StakeTooSmall(msg.value, least);
        if (msg.value > type(uint128).max) revert StakeTooLarge(msg.value, type(uint128).max);
        Entry storage entry = _entries[roundId][msg.sender];
        if (entry.stake != 0) revert AlreadyCommitted(roundId, msg.sender);
        entry.stake = uint128(msg.value);
        entry.commitment = commitment;
        emit Committed(roundId, msg.sender, msg.value);
    }

    /// @notice Name the model that was committed to.
    function reveal(uint256 roundId, bytes32 modelId, bytes32 salt) external {
        Round storage round = _round(roundId);
        _checkBegun(round.terms.commitEnd + 1);
        _checkNotOver(round.terms.revealEnd);
        Entry storage entry = _entry(roundId, msg.sender);
        if (modelId == 0) revert NoModel();
        if (entry.modelId != 0) revert AlreadyRevealed(entry.modelId);
        bytes32 opened = keccak256(abi.encode(roundId, msg.sender, modelId, salt));
        if (opened != entry.commitment) revert WrongCommitment(opened, entry.commitment);
        entry.modelId = modelId;
        round.revealedStakes += entry.stake;
        emit Revealed(roundId, msg.sender, modelId);
    }

    /// @notice Show that the rows are out, by a complete certificate of any model and rule; anyone may.
    /// @dev Entries whose models do not exist, retired, or do not take the rows cannot be scored: without
    /// this they could make the rows look withheld, and share the prize.
    function publish(uint256 roundId, bytes32 certificateId) external {
        Round storage round = _round(roundId);
        _checkBegun(round.terms.revealEnd + 1);
        _checkNotOver(round.terms.publishEnd);
        Evaluator.Certificate memory found = evaluator.certificate(certificateId);
        if (found.datasetId != round.terms.datasetId) {
            revert OtherDataset(found.datasetId, round.terms.datasetId);
        }
        if (found.counted != found.rows) {
            revert NotCertified(certificateId, found.counted, found.rows);
        }
        round.isPublished = true;
        emit RowsPublished(roundId, certificateId);
    }

    /// @notice Take a revealed model's complete certificate as the score of an entry; anyone may.
    function score(uint256 roundId, address entrant) external {
        Round storage round = _round(roundId);
        Terms memory terms = round.terms;
        _checkBegun(terms.revealEnd + 1);
        _checkNotOver(terms.scoreEnd);
        Entry storage entry = _entry(roundId, entrant);
        if (entry.modelId == 0) revert NotRevealed(roundId, entrant);
        if (entry.isScored) revert AlreadyScored(roundId, entrant);
        if (!round.isPublished && block.number > terms.publishEnd) {
            revert RowsWithheld(roundId, terms.publishEnd);
        }
        bytes32 id = evaluator.certificateId(entry.modelId, terms.datasetId, terms.rule);
        (uint64 counted, uint64 correct, uint64 rows) = evaluator.score(id);
        if (rows == 0 || counted != rows) revert NotCertified(id, counted, rows);
        entry.isScored = true;
        entry.correct = correct;
        round.isPublished = true;
        if (correct > terms.benchmark) {
            round.gains += _share(entry.stake, correct - terms.benchmark, terms);
        }
        emit Scored(roundId, entrant, correct);
    }

    /// @notice End an entry after the round: credits the entrant, burns what he lost; anyone may.
    function settle(uint256 roundId, address entrant) external nonReentrant {
        Round storage round = _round(roundId);
        _checkBegun(round.terms.scoreEnd + 1);
        Entry storage entry = _entry(roundId, entrant);
        if (entry.isSettled) revert AlreadySettled(roundId, entrant);
        entry.isSettled = true;
        (uint256 gain, uint256 loss) = _outcome(round, entry);
        round.prizeLeft -= gain;
        emit Settled(roundId, entrant, gain, loss);
        _credit(entrant, entry.stake + gain - loss);
        _burnEther(loss);
    }

    /// @notice Give the organiser the part of the prize that no entry can have earned; anyone may.
    function close(uint256 roundId) external {
        Round storage round = _round(roundId);
        _checkBegun(round.terms.scoreEnd + 1);
        if (round.isClosed) revert AlreadyClosed(roundId);
        round.isClosed = true;
        uint256 earned = round.isPublished
            ? Math.min(round.gains, round.prize)
            : round.revealedStakes == 0 ? 0 : round.prize;
        uint256 returned = round.prize - earned;
        round.prizeLeft -= returned;
        emit RoundClosed(roundId, returned);
        _credit(round.organiser, returned);
    }

    /// @notice A round.
    function roundAt(uint256 roundId) external view returns (Round memory) {
        return _round(roundId);
    }

    /// @notice How many rounds there are.
    function roundCount() external view returns (uint256) {
        return _rounds.length;
    }

    /// @notice An entry; reverts where there is none.
    function entryOf(uint256 roundId, address entrant) external view returns (Entry memory) {
        return _entry(roundId, entrant);
    }

    /// @dev Whoever did not reveal, or was not scored although the rows were out, ends as the worst did.
    function _outcome(Round storage round, Entry storage entry)
        private
        view
        returns (uint256 gain, uint256 loss)
    {
        Terms memory terms = round.terms;
        uint256 stake = entry.stake;
        if (!round.isPublished) {
            if (entry.modelId != 0) gain = Math.mulDiv(round.prize, stake, round.revealedStakes);
        } else if (!entry.isScored) {
            loss = _share(stake, terms.margin, terms);
        } else if (entry.correct > terms.benchmark) {
            gain = _share(stake, entry.correct - terms.benchmark, terms);
            if (round.gains > round.prize) gain = Math.mulDiv(gain, round.prize, round.gains);
        } else {
            loss = _share(stake, terms.benchmark - entry.correct, terms);
        }
    }

    /// @dev stake * cap * distance / margin, at most stake * cap; rounded down.
    function _share(uint256 stake, uint256 distance, Terms memory terms) private pure returns (uint256) {
        uint256 moved = Math.min(distance, terms.margin);
        return stake * terms.capBasisPoints * moved / (uint256(terms.margin) * _BASIS_POINTS);
    }

    function _checkNotOver(uint256 lastHeight) private view {
        if (block.number > lastHeight) revert PhaseOver(block.number, lastHeight);
    }

    function _checkBegun(uint256 firstHeight) private view {
        if (block.number < firstHeight) revert PhaseNotBegun(block.number, firstHeight);
    }

    function _round(uint256 roundId) private view returns (Round storage) {
        if (roundId >= _rounds.length) revert NoRound(roundId);
        return _rounds[roundId];
    }

    function _entry(uint256 roundId, address entrant) private view returns (Entry storage entry) {
        entry = _entries[roundId][entrant];
        if (entry.stake == 0) revert NoEntry(roundId, entrant);
    }
}
