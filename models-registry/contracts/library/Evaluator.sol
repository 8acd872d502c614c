// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Multicall} from "@openzeppelin/contracts/utils/Multicall.sol";
import {BitMaps} from "@openzeppelin/contracts/utils/structs/BitMaps.sol";

import {CVM} from "../CVM.sol";
import {AnswerRule} from "./AnswerRule.sol";
import {DatasetRegistry} from "./DatasetRegistry.sol";
import {RowTree} from "./RowTree.sol";

/// @title How well a model does on a dataset, counted by the chain
/// @notice Anyone submits runs of rows with a proof; the contract runs the model on them and counts right
/// answers. Each row counts once per certificate, which is one model, one dataset and one rule. A
/// certificate is complete when every row was counted.
contract Evaluator is Multicall {
    using AnswerRule for AnswerRule.Rule;
    using BitMaps for BitMaps.BitMap;

    /// @notice What was counted so far; complete when `counted` is `rows`.
    struct Certificate {
        bytes32 modelId;
        bytes32 datasetId;
        AnswerRule.Rule rule;
        uint64 rows;
        uint64 counted;
        uint64 correct;
        uint32 outputBytes;
    }

    /// @notice Where rows and labels are from.
    DatasetRegistry public immutable datasets;

    mapping(bytes32 certificateId => Certificate) private _certificates;
    mapping(bytes32 certificateId => BitMaps.BitMap) private _counted;

    /// @notice A certificate's first rows are being counted.
    event CertificateOpened(
        bytes32 indexed certificateId,
        bytes32 indexed modelId,
        bytes32 indexed datasetId,
        AnswerRule.Rule rule
    );
    /// @notice A run of rows was evaluated; `counted` of them for the first time, `correct` of those right.
    event RowsEvaluated(
        bytes32 indexed certificateId,
        address indexed sender,
        uint64 first,
        uint64 rows,
        uint64 counted,
        uint64 correct
    );
    /// @notice Every row was counted.
    event Certified(bytes32 indexed certificateId, uint64 correct, uint64 rows);

    /// @notice A row of the dataset is no item of the model's input.
    error WrongRowBytes(uint256 rowBytes, uint256 inputBytes);
    /// @notice Every row of the run was counted before.
    error NothingNew(uint256 first, uint256 rows);
    /// @notice No row was ever counted for this certificate.
    error NoCertificate(bytes32 certificateId);

    constructor(DatasetRegistry datasets_) {
        datasets = datasets_;
    }

    /// @notice Run a model on a run of rows and count its right answers; rows counted before are not
    /// counted again. A row that the model refuses (`InputOutOfRange`) is a wrong answer if it is
    /// submitted alone. A model that takes no batches gets one row a call; `multicall` joins calls.
    /// @param modelId An ACTIVE model.
    /// @param datasetId The dataset that the rows are from.
    /// @param rule What the output says.
    /// @param batch The rows, their labels and their proof.
    /// @return counted How many rows were counted for the first time.
    /// @return correct How many of those the model answered right.
    function submit(
        bytes32 modelId,
        bytes32 datasetId,
        AnswerRule.Rule calldata rule,
        RowTree.Batch calldata batch
    ) external returns (uint64 counted, uint64 correct) {
        bytes32 id = certificateId(modelId, datasetId, rule);
        uint256 rows = _checkRows(id, modelId, datasetId, rule, batch);
        (bytes memory output, bool isRefused) = _infer(modelId, batch.rows, rows);
        if (!isRefused) {
            (counted, correct) = _count(id, output, batch, rows);
        } else if (!_counted[id].get(batch.first)) {
            _counted[id].set(batch.first);
            counted = 1;
        }
        if (counted == 0) revert NothingNew(batch.first, rows);
        _record(id, batch.first, rows, counted, correct);
    }

    /// @notice A certificate; reverts where nothing was counted.
    function certificate(bytes32 id) external view returns (Certificate memory found) {
        found = _certificates[id];
        if (found.rows == 0) revert NoCertificate(id);
    }

    /// @notice How a certificate stands; all 0 where nothing was counted.
    function score(bytes32 id) external view returns (uint64 counted, uint64 correct, uint64 rows) {
        Certificate storage found = _certificates[id];
        return (found.counted, found.correct, found.rows);
    }

    /// @notice Whether a row was counted.
    function isCounted(bytes32 id, uint256 row) external view returns (bool) {
        return _counted[id].get(row);
    }

    /// @notice The id of a certificate.
    function certificateId(bytes32 modelId, bytes32 datasetId, AnswerRule.Rule calldata rule)
        public
        pure
        returns (bytes32)
    {
        return keccak256(abi.encode(modelId, datasetId, rule));
    }

    function _checkRows(
        bytes32 id,
        bytes32 modelId,
        bytes32 datasetId,
        AnswerRule.Rule calldata rule,
        RowTree.Batch calldata batch
    ) private returns (uint256) {
        (bytes32 root, uint256 rows, uint256 rowBytes, DatasetRegistry.LabelType labelType) =
            datasets.shape(datasetId);
        if (_certificates[id].rows == 0) {
            uint256 outputBytes = _checkModel(modelId, rowBytes);
            rule.check(outputBytes, labelType);
            _certificates[id] = Certificate({
                modelId: modelId,
                datasetId: datasetId,
                rule: rule,
                rows: uint64(rows),
                counted: 0,
                correct: 0,
                outputBytes: uint32(outputBytes)
            });
            emit CertificateOpened(id, modelId, datasetId, rule);
        }
        return RowTree.check(batch, root, rows, rowBytes);
    }

    function _checkModel(bytes32 modelId, uint256 rowBytes) private view returns (uint256) {
        if (!CVM.isActive(modelId)) revert CVM.ModelNotActive();
        uint256 inputBytes = CVM.inputBytes(modelId);
        if (inputBytes != rowBytes) revert WrongRowBytes(rowBytes, inputBytes);
        return CVM.outputBytes(modelId);
    }

    /// @dev Only a row that was submitted alone can be refused; anything else reverts.
    function _infer(bytes32 modelId, bytes calldata rows, uint256 count)
        private
        view
        returns (bytes memory output, bool isRefused)
    {
        if (count != 1) return (CVM.infer(modelId, rows), false);
        bool ok;
        (ok, output) = CVM.tryInfer(modelId, rows);
        if (ok) return (output, false);
        if (bytes4(output) == CVM.InputOutOfRange.selector) return (output, true);
        if (output.length == 0) revert CVM.InferenceOutOfGas();
        assembly ("memory-safe") {
            revert(add(output, 32), mload(output))
        }
    }

    function _count(
        bytes32 id,
        bytes memory output,
        RowTree.Batch calldata batch,
        uint256 rows
    ) private returns (uint64 counted, uint64 correct) {
        AnswerRule.Rule memory rule = _certificates[id].rule;
        uint256 outputBytes = _certificates[id].outputBytes;
        mapping(uint256 => uint256) storage words = _counted[id]._data;
        uint256 word = words[batch.first >> 8];
        for (uint256 i = 0; i < rows; ++i) {
            uint256 row = batch.first + i;
            if (i != 0 && row & 0xff == 0) {
                words[(row - 1) >> 8] = word;
                word = words[row >> 8];
            }
            uint256 bit = 1 << (row & 0xff);
            if (word & bit != 0) continue;
            word |= bit;
            ++counted;
            if (rule.isRight(output, i * outputBytes, RowTree.labelAt(batch.labels, i))) ++correct;
        }
        words[(batch.first + rows - 1) >> 8] = word;
    }

    function _record(bytes32 id, uint64 first, uint256 rows, uint64 counted, uint64 correct) private {
        Certificate storage found = _certificates[id];
        found.counted += counted;
        found.correct += correct;
        emit RowsEvaluated(id, msg.sender, first, uint64(rows), counted, correct);
        if (found.counted == found.rows) emit Certified(id, found.correct, found.rows);
    }
}
