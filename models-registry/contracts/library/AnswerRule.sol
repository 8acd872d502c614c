// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {CVM} from "../CVM.sol";
import {Float32} from "../Float32.sol";
import {DatasetRegistry} from "./DatasetRegistry.sol";

/// @title What a model's output says, and whether that is right
/// @notice A closed set of three rules over packed big-endian elements. INDEX: the element at `offset` is
/// the class. ARGMAX: the class is the place of the largest of `classes` elements from `offset` on, the
/// lowest of several; NaN counts as the largest and -0 as 0, as in the engine's ArgMax. NEAR: the element
/// at `offset` is at most `tolerance` away from the label, computed exactly.
/// @dev For float32, `tolerance` is the IEEE-754 bits of one. A NaN, and a magnitude of 2^105 or more, is
/// near nothing: exact differences below that fit an int256 in units of 2^-149.
library AnswerRule {
    /// @notice How an output is read.
    enum Kind {
        INDEX,
        ARGMAX,
        NEAR
    }

    /// @notice The dtype of the elements that are read.
    enum Element {
        INT8,
        UINT8,
        INT32,
        INT64,
        FLOAT32
    }

    /// @notice A rule; what its kind does not use must be 0.
    struct Rule {
        Kind kind;
        Element element;
        uint32 offset;
        uint32 classes;
        uint64 tolerance;
    }

    /// @notice Most elements that ARGMAX compares.
    uint256 internal constant MAX_CLASSES = 1 << 16;
    /// @dev A float32 with this exponent field or a larger one is too large to be compared exactly.
    uint256 private constant FIRST_LARGE_EXPONENT = 232;

    /// @notice INDEX reads an integer.
    error IndexNotInteger(Element element);
    /// @notice ARGMAX compares 2 to `MAX_CLASSES` elements, other rules none.
    error BadClasses(uint256 given, uint256 max);
    /// @notice Only NEAR has a tolerance; a float32 is not negative and below 2^105.
    error BadTolerance(uint256 given);
    /// @notice The rule reads up to byte `end` of an output of `outputBytes`.
    error OutsideOutput(uint256 end, uint256 outputBytes);
    /// @notice The rule does not fit the dataset's labels.
    error WrongLabels(Kind kind, Element element, DatasetRegistry.LabelType labelType);

    /// @notice Refuse a rule that is none, or does not fit an item of output or a kind of label.
    function check(Rule memory rule, uint256 outputBytes, DatasetRegistry.LabelType labelType)
        internal
        pure
    {
        checkForm(rule, outputBytes);
        if (labelType != _labelsOf(rule)) revert WrongLabels(rule.kind, rule.element, labelType);
    }

    /// @notice Refuse a rule that is none, or does not fit an item of output.
    function checkForm(Rule memory rule, uint256 outputBytes) internal pure {
        if (rule.kind == Kind.INDEX && rule.element == Element.FLOAT32) {
            revert IndexNotInteger(rule.element);
        }
        bool isArgmax = rule.kind == Kind.ARGMAX;
        if (isArgmax ? rule.classes < 2 || rule.classes > MAX_CLASSES : rule.classes != 0) {
            revert BadClasses(rule.classes, MAX_CLASSES);
        }
        if (!_isTolerance(rule)) revert BadTolerance(rule.tolerance);
        uint256 end = rule.offset + (isArgmax ? rule.classes : 1) * widthOf(rule.element);
        if (end > outputBytes) revert OutsideOutput(end, outputBytes);
    }

    /// @notice Whether an item's output is right; `start` is where the item begins in the output.
    function isRight(Rule memory rule, bytes memory output, uint256 start, int64 label)
        internal
        pure
        returns (bool)
    {
        uint256 at = start + rule.offset;
        if (rule.kind == Kind.INDEX) return _integer(rule.element, output, at) == label;
        if (rule.kind == Kind.ARGMAX) return int256(_argmax(rule, output, at)) == label;
        if (rule.element == Element.FLOAT32) return _isNear(rule, output, at, label);
        int256 difference = _integer(rule.element, output, at) - label;
        return uint256(difference < 0 ? -difference : difference) <= rule.tolerance;
    }

    /// @notice What an item's output says: the class, the integer, or the IEEE-754 bits.
    function answerOf(Rule memory rule, bytes memory output, uint256 start)
        internal
        pure
        returns (int256)
    {
        uint256 at = start + rule.offset;
        if (rule.kind == Kind.ARGMAX) return int256(_argmax(rule, output, at));
        if (rule.element == Element.FLOAT32) return int256(uint256(CVM.toFloat32Bits(output, at)));
        return _integer(rule.element, output, at);
    }

    /// @notice Where an answer stands in the order of answers, NaN last.
    function rankOf(Rule memory rule, int256 answer) internal pure returns (int256) {
        bool isFloat = rule.kind != Kind.ARGMAX && rule.element == Element.FLOAT32;
        return isFloat ? Float32.order(uint32(uint256(answer))) : answer;
    }

    /// @notice Bytes of an element.
    function widthOf(Element element) internal pure returns (uint256) {
        if (element == Element.INT64) return 8;
        return element == Element.INT8 || element == Element.UINT8 ? 1 : 4;
    }

    function _labelsOf(Rule memory rule) private pure returns (DatasetRegistry.LabelType) {
        if (rule.kind != Kind.NEAR) return DatasetRegistry.LabelType.CLASS;
        return rule.element == Element.FLOAT32
            ? DatasetRegistry.LabelType.FLOAT32
            : DatasetRegistry.LabelType.INTEGER;
    }

    function _isTolerance(Rule memory rule) private pure returns (bool) {
        if (rule.kind != Kind.NEAR) return rule.tolerance == 0;
        return rule.element != Element.FLOAT32 || rule.tolerance < FIRST_LARGE_EXPONENT << 23;
    }

    function _argmax(Rule memory rule, bytes memory output, uint256 at) private pure returns (uint256) {
        if (rule.element == Element.INT8) return CVM.argmaxInt8(output, at, rule.classes);
        if (rule.element == Element.UINT8) return CVM.argmaxUint8(output, at, rule.classes);
        if (rule.element == Element.INT32) return CVM.argmaxInt32(output, at, rule.classes);
        if (rule.element == Element.INT64) return CVM.argmaxInt64(output, at, rule.classes);
        return CVM.argmaxFloat32(output, at, rule.classes);
    }

    function _isNear(Rule memory rule, bytes memory output, uint256 at, int64 label)
        private
        pure
        returns (bool)
    {
        uint256 bits = CVM.toFloat32Bits(output, at);
        if (label < 0 || label > int64(uint64(type(uint32).max))) return false;
        uint256 wanted = uint64(label);
        if (_isLarge(bits) || _isLarge(wanted)) return false;
        int256 difference = _exact(bits) - _exact(wanted);
        int256 most = _exact(rule.tolerance);
        return difference <= most && -difference <= most;
    }

    function _isLarge(uint256 bits) private pure returns (bool) {
        return (bits >> 23) & 0xff >= FIRST_LARGE_EXPONENT;
    }

    /// @dev A float32 in units of 2^-149: below 2^254 where it is not large.
    function _exact(uint256 bits) private pure returns (int256) {
        uint256 exponent = (bits >> 23) & 0xff;
        uint256 fraction = bits & 0x7fffff;
        uint256 magnitude = exponent == 0 ? fraction : (fraction | 0x800000) << (exponent - 1);
        return bits >> 31 == 0 ? int256(magnitude) : -int256(magnitude);
    }

    function _integer(Element element, bytes memory output, uint256 at) private pure returns (int256) {
        if (element == Element.INT64) return CVM.toInt64(output, at);
        if (element == Element.INT32) return CVM.toInt32(output, at);
        if (element == Element.INT8) return CVM.toInt8(output, at);
        return int256(uint256(CVM.toUint8(output, at)));
    }
}
