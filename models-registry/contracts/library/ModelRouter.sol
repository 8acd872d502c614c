// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {CVM} from "../CVM.sol";
import {AnswerRule} from "./AnswerRule.sol";
import {Evaluator} from "./Evaluator.sol";

/// @title Which model to ask, by what it was measured to know
/// @notice A board holds the best models of one dataset and one rule, by complete certificates: a
/// question is answered by the best one that is ACTIVE, or by several of them together. Bittensor lets
/// validators' opinions decide whose answers count; here a count that anyone can repeat does.
contract ModelRouter {
    using AnswerRule for AnswerRule.Rule;

    /// @notice A model on a board, and how many rows it answered right.
    struct Seat {
        bytes32 modelId;
        uint64 correct;
    }

    /// @notice Models on a board.
    uint256 public constant SEATS = 8;
    /// @notice Most models of an ensemble.
    uint256 public constant MAX_MODELS = 16;

    /// @notice Whose certificates count.
    Evaluator public immutable evaluator;

    mapping(bytes32 boardId => Seat[]) private _boards;

    /// @notice A model took a place on a board, 0 being the best.
    event Seated(bytes32 indexed boardId, bytes32 indexed modelId, uint64 correct, uint256 place);
    /// @notice A model left a board: it is not ACTIVE any more, or the least of too many.
    event Unseated(bytes32 indexed boardId, bytes32 indexed modelId);

    error NotCertified(bytes32 certificateId, uint256 counted, uint256 rows);
    error AlreadySeated(bytes32 modelId, uint256 place);
    error NotBetter(uint256 correct, uint256 least);
    error NoActiveModel(bytes32 boardId);
    error BadEnsemble(uint256 given, uint256 max);
    error NoAnswer();
    error WrongKind(AnswerRule.Kind kind);

    constructor(Evaluator evaluator_) {
        evaluator = evaluator_;
    }

    /// @notice Put a model on a board by its complete certificate; anyone may.
    /// @dev Of equally good models the one that came first stays ahead.
    function enter(bytes32 modelId, bytes32 datasetId, AnswerRule.Rule calldata rule) external {
        uint64 correct = _certified(modelId, datasetId, rule);
        if (!CVM.isActive(modelId)) revert CVM.ModelNotActive();
        bytes32 id = boardId(datasetId, rule);
        Seat[] storage seats = _boards[id];
        _clear(id, seats);
        uint256 count = seats.length;
        for (uint256 i = 0; i < count; ++i) {
            if (seats[i].modelId == modelId) revert AlreadySeated(modelId, i);
        }
        if (count == SEATS) {
            Seat memory last = seats[count - 1];
            if (correct <= last.correct) revert NotBetter(correct, last.correct);
            seats.pop();
            emit Unseated(id, last.modelId);
        }
        emit Seated(id, modelId, correct, _insert(seats, Seat(modelId, correct)));
    }

    /// @notice The models of a board, the best one first; some may have retired.
    function board(bytes32 datasetId, AnswerRule.Rule calldata rule)
        external
        view
        returns (Seat[] memory)
    {
        return _boards[boardId(datasetId, rule)];
    }

    /// @notice Run the best model of a board.
    function infer(bytes32 datasetId, AnswerRule.Rule calldata rule, bytes calldata input)
        external
        view
        returns (bytes32 modelId, bytes memory output)
    {
        modelId = best(datasetId, rule);
        output = CVM.infer(modelId, input);
    }

    /// @notice The class that most of a board's best `count` ACTIVE models give to one item.
    function majority(
        bytes32 datasetId,
        AnswerRule.Rule calldata rule,
        uint256 count,
        bytes calldata input
    ) external view returns (int256 answer, uint256 votes, uint256 answers) {
        return majorityOf(_active(datasetId, rule, count), rule, input);
    }

    /// @notice The median of what a board's best `count` ACTIVE models give to one item.
    function median(
        bytes32 datasetId,
        AnswerRule.Rule calldata rule,
        uint256 count,
        bytes calldata input
    ) external view returns (int256 answer, uint256 answers) {
        return medianOf(_active(datasetId, rule, count), rule, input);
    }

    /// @notice The best ACTIVE model of a board.
    function best(bytes32 datasetId, AnswerRule.Rule calldata rule) public view returns (bytes32) {
        return _active(datasetId, rule, 1)[0];
    }

    /// @notice The class that most models give to one item; of equal ones that of the model listed first.
    /// @dev A model that refuses the item has no vote. One that is listed twice has two.
    function majorityOf(bytes32[] memory modelIds, AnswerRule.Rule calldata rule, bytes calldata input)
        public
        view
        returns (int256 answer, uint256 votes, uint256 answers)
    {
        if (rule.kind == AnswerRule.Kind.NEAR) revert WrongKind(rule.kind);
        int256[] memory given = _ask(modelIds, rule, input);
        answers = given.length;
        for (uint256 i = 0; i < answers; ++i) {
            uint256 same = 0;
            for (uint256 j = 0; j < answers; ++j) {
                if (given[j] == given[i]) ++same;
            }
            if (same > votes) (answer, votes) = (given[i], same);
        }
    }

    /// @notice The median of what models give to one item; of an even number the lower one of the middle.
    /// @dev A float32 is its IEEE-754 bits, NaN being the largest.
    function medianOf(bytes32[] memory modelIds, AnswerRule.Rule calldata rule, bytes calldata input)
        public
        view
        returns (int256 answer, uint256 answers)
    {
        if (rule.kind != AnswerRule.Kind.NEAR) revert WrongKind(rule.kind);
        int256[] memory given = _ask(modelIds, rule, input);
        answers = given.length;
        for (uint256 i = 1; i < answers; ++i) {
            int256 moved = given[i];
            uint256 place = i;
            for (; place > 0 && rule.rankOf(given[place - 1]) > rule.rankOf(moved); --place) {
                given[place] = given[place - 1];
            }
            given[place] = moved;
        }
        answer = given[(answers - 1) / 2];
    }

    /// @notice The id of a board.
    function boardId(bytes32 datasetId, AnswerRule.Rule calldata rule) public pure returns (bytes32) {
        return keccak256(abi.encode(datasetId, rule));
    }

    function _certified(bytes32 modelId, bytes32 datasetId, AnswerRule.Rule calldata rule)
        private
        view
        returns (uint64)
    {
        bytes32 id = evaluator.certificateId(modelId, datasetId, rule);
        (uint64 counted, uint64 correct, uint64 rows) = evaluator.score(id);
        if (rows == 0 || counted != rows) revert NotCertified(id, counted, rows);
        return correct;
    }

    /// @dev Takes the models that are not ACTIVE off a board; the others keep their order.
    function _clear(bytes32 id, Seat[] storage seats) private {
        uint256 kept = 0;
        uint256 count = seats.length;
        for (uint256 i = 0; i < count; ++i) {
            Seat memory seat = seats[i];
            if (!CVM.isActive(seat.modelId)) {
                emit Unseated(id, seat.modelId);
                continue;
            }
            if (kept != i) seats[kept] = seat;
            ++kept;
        }
        for (; count > kept; --count) {
            seats.pop();
        }
    }

    function _insert(Seat[] storage seats, Seat memory seat) private returns (uint256 place) {
        place = seats.length;
        seats.push(seat);
        for (; place > 0 && seats[place - 1].correct < seat.correct; --place) {
            seats[place] = seats[place - 1];
        }
        seats[place] = seat;
    }

    function _active(bytes32 datasetId, AnswerRule.Rule calldata rule, uint256 count)
        private
        view
        returns (bytes32[] memory modelIds)
    {
        if (count == 0 || count > SEATS) revert BadEnsemble(count, SEATS);
        bytes32 id = boardId(datasetId, rule);
        Seat[] storage seats = _boards[id];
        modelIds = new bytes32[](count);
        uint256 found = 0;
        for (uint256 i = 0; i < seats.length && found < count; ++i) {
            if (CVM.isActive(seats[i].modelId)) modelIds[found++] = seats[i].modelId;
        }
        if (found == 0) revert NoActiveModel(id);
        assembly ("memory-safe") {
            mstore(modelIds, found)
        }
    }

    function _ask(bytes32[] memory modelIds, AnswerRule.Rule memory rule, bytes memory input)
        private
        view
        returns (int256[] memory given)
    {
        uint256 count = modelIds.length;
        if (count == 0 || count > MAX_MODELS) revert BadEnsemble(count, MAX_MODELS);
        given = new int256[](count);
        uint256 answers = 0;
        for (uint256 i = 0; i < count; ++i) {
            (bool ok, bytes memory output) = CVM.tryInfer(modelIds[i], input);
            // Whoever calls with too little gas must not choose whose votes are lost.
            if (!ok && output.length == 0) revert CVM.InferenceOutOfGas();
            if (!ok) continue;
            rule.checkForm(output.length);
            given[answers++] = rule.answerOf(output, 0);
        }
        if (answers == 0) revert NoAnswer();
        assembly ("memory-safe") {
            mstore(given, answers)
        }
    }
}
