// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

/// @title Run neural networks from a contract
/// @notice Calls the INFER and MODELINFO precompiles and reads outputs; CVMInput.sol writes inputs.
/// @dev A tensor is packed big-endian elements in C order; the inputs of an item follow each other in
/// the graph's order, so do its outputs, and so do the items of a batch. Elements are int8, uint8,
/// int32, int64, bool (one byte, 0 or 1) or float32 (its IEEE-754 bits, as uint32; see Float32.sol).
/// Every offset is in bytes. Stock solc knows no INFERARRAY: for `bytes` in storage, pass them to
/// `infer` (Solidity copies them into memory), or see InferArray.sol.
library CVM {
    /// @notice Takes modelId (32 bytes) || input and returns the output.
    address internal constant INFER = 0x0000000000000000000000000000000000000c00;
    /// @notice Takes modelId (32 bytes) || field (32 bytes) and returns 32 bytes.
    address internal constant MODELINFO = 0x0000000000000000000000000000000000000C01;
    /// @notice The most items that one call takes.
    uint256 internal constant MAX_BATCH = 4096;

    /// @notice Where a model stands; only an ACTIVE one can be called.
    enum Status {
        NONE,
        PENDING,
        ACTIVE,
        EXPIRED,
        RETIRED
    }

    /// @notice What `info` can be asked; the numbers are MODELINFO's.
    uint256 internal constant STATUS = 0;
    uint256 internal constant COMPUTE_GAS = 1;
    uint256 internal constant LOAD_GAS = 2;
    uint256 internal constant INPUT_BYTES = 3;
    uint256 internal constant OUTPUT_BYTES = 4;
    uint256 internal constant OWNER = 5;
    uint256 internal constant ROYALTY_GAS = 6;
    uint256 internal constant BATCHABLE = 7;
    uint256 internal constant ENGINE = 8;
    uint256 internal constant ACTIVATION_HEIGHT = 9;

    /// @dev INFER's base and its price of a word of input or output, at this fork.
    uint256 private constant _BASE_GAS = 3000;
    uint256 private constant _WORD_GAS = 3;

    /// @dev How `_argmax` orders elements.
    uint256 private constant _SIGNED = 0;
    uint256 private constant _UNSIGNED = 1;
    uint256 private constant _FLOAT = 2;

    /// @notice The model is not ACTIVE at this height.
    error ModelNotActive();
    /// @notice The input is not a whole number of items, or too many of them.
    error BadInputSize();
    /// @notice A value of the input is one that the model cannot take.
    error InputOutOfRange();
    /// @notice MODELINFO has no such field.
    error BadField();
    /// @notice The slot that INFERARRAY was given holds no `bytes`.
    error BadStorageArray();
    /// @notice The call ran out of gas; nothing else makes it fail without a reason.
    error InferenceOutOfGas();
    /// @notice This chain has no such precompile.
    error NoInference();
    /// @notice There is no element of `width` bytes at `offset`.
    error NoElementAt(uint256 offset, uint256 width, uint256 length);
    /// @notice There are no `count` elements of `width` bytes from `offset` on.
    error NoElementsAt(uint256 offset, uint256 count, uint256 width, uint256 length);
    /// @notice The byte at `offset` is neither 0 nor 1.
    error NotABool(uint256 offset, uint256 value);
    /// @notice No element is the largest of none.
    error NoElements();

    /// @notice Run a model; reverts with the reason where it cannot.
    /// @param modelId An ACTIVE model.
    /// @param input One item, or several one after the other where the model is batchable.
    /// @return output The outputs of every item.
    function infer(bytes32 modelId, bytes memory input) internal view returns (bytes memory output) {
        bool ok;
        (ok, output) = tryInfer(modelId, input);
        if (ok) return output;
        if (output.length == 0) revert InferenceOutOfGas();
        assembly ("memory-safe") {
            revert(add(output, 32), mload(output))
        }
    }

    /// @notice Run a model; `ok` false comes with the error's selector, or nothing if out of gas.
    function tryInfer(bytes32 modelId, bytes memory input)
        internal
        view
        returns (bool ok, bytes memory result)
    {
        assembly ("memory-safe") {
            // The word before the bytes holds their length: for the time of the call it holds the
            // model id, so that calldata need not be copied together.
            let size := mload(input)
            mstore(input, modelId)
            ok := staticcall(gas(), INFER, input, add(size, 32), 0, 0)
            mstore(input, size)
            result := mload(0x40)
            mstore(result, returndatasize())
            returndatacopy(add(result, 32), 0, returndatasize())
            mstore(0x40, and(add(add(result, returndatasize()), 63), not(31)))
        }
        // An account without code answers every call with nothing; a model never does.
        if (ok && result.length == 0) revert NoInference();
    }

    /// @notice A fact about a model; 0 where it was never registered. Reverts with `BadField`.
    function info(bytes32 modelId, uint256 field) internal view returns (uint256) {
        (bool ok, bytes memory answer) = MODELINFO.staticcall(abi.encode(modelId, field));
        if (!ok) {
            if (answer.length == 0) revert InferenceOutOfGas();
            assembly ("memory-safe") {
                revert(add(answer, 32), mload(answer))
            }
        }
        if (answer.length != 32) revert NoInference();
        return uint256(bytes32(answer));
    }

    /// @notice Where a model stands at this height.
    function status(bytes32 modelId) internal view returns (Status) {
        return Status(info(modelId, STATUS));
    }

    /// @notice Whether a model can be called at this height.
    function isActive(bytes32 modelId) internal view returns (bool) {
        return status(modelId) == Status.ACTIVE;
    }

    /// @notice Who owns a model, and is paid its royalties.
    function ownerOf(bytes32 modelId) internal view returns (address) {
        return address(uint160(info(modelId, OWNER)));
    }

    /// @notice Bytes of one item of input.
    function inputBytes(bytes32 modelId) internal view returns (uint256) {
        return info(modelId, INPUT_BYTES);
    }

    /// @notice Bytes of one item of output.
    function outputBytes(bytes32 modelId) internal view returns (uint256) {
        return info(modelId, OUTPUT_BYTES);
    }

    /// @notice What INFER charges for a call with `batch` items at this height.
    /// @dev With the load gas of a first touch in the transaction, with royalties, and at this fork's
    /// prices; without the call itself and memory. Reverts where INFER would.
    function gasOf(bytes32 modelId, uint256 batch) internal view returns (uint256) {
        if (!isActive(modelId)) revert ModelNotActive();
        if (batch == 0 || batch > MAX_BATCH || (batch > 1 && info(modelId, BATCHABLE) == 0)) {
            revert BadInputSize();
        }
        uint256 item = info(modelId, COMPUTE_GAS) + info(modelId, ROYALTY_GAS);
        uint256 words = (batch * inputBytes(modelId) + 31) / 32 + (batch * outputBytes(modelId) + 31) / 32;
        return _BASE_GAS + info(modelId, LOAD_GAS) + batch * item + words * _WORD_GAS;
    }

    /// @notice The int64 element at a byte offset.
    function toInt64(bytes memory data, uint256 offset) internal pure returns (int64) {
        return int64(uint64(_element(data, offset, 8)));
    }

    /// @notice The int32 element at a byte offset.
    function toInt32(bytes memory data, uint256 offset) internal pure returns (int32) {
        return int32(uint32(_element(data, offset, 4)));
    }

    /// @notice The int8 element at a byte offset.
    function toInt8(bytes memory data, uint256 offset) internal pure returns (int8) {
        return int8(uint8(_element(data, offset, 1)));
    }

    /// @notice The uint8 element at a byte offset.
    function toUint8(bytes memory data, uint256 offset) internal pure returns (uint8) {
        return uint8(_element(data, offset, 1));
    }

    /// @notice The bool element at a byte offset; reverts with `NotABool` where it is above 1.
    function toBool(bytes memory data, uint256 offset) internal pure returns (bool) {
        uint256 value = _element(data, offset, 1);
        if (value > 1) revert NotABool(offset, value);
        return value == 1;
    }

    /// @notice The IEEE-754 bits of the float32 element at a byte offset.
    function toFloat32Bits(bytes memory data, uint256 offset) internal pure returns (uint32) {
        return uint32(_element(data, offset, 4));
    }

    /// @notice `count` int64 elements from a byte offset on.
    function toInt64Array(bytes memory data, uint256 offset, uint256 count)
        internal
        pure
        returns (int64[] memory values)
    {
        uint256[] memory words = _elements(data, offset, count, 8, true);
        assembly ("memory-safe") {
            values := words
        }
    }

    /// @notice `count` int32 elements from a byte offset on.
    function toInt32Array(bytes memory data, uint256 offset, uint256 count)
        internal
        pure
        returns (int32[] memory values)
    {
        uint256[] memory words = _elements(data, offset, count, 4, true);
        assembly ("memory-safe") {
            values := words
        }
    }

    /// @notice `count` int8 elements from a byte offset on.
    function toInt8Array(bytes memory data, uint256 offset, uint256 count)
        internal
        pure
        returns (int8[] memory values)
    {
        uint256[] memory words = _elements(data, offset, count, 1, true);
        assembly ("memory-safe") {
            values := words
        }
    }

    /// @notice `count` uint8 elements from a byte offset on.
    function toUint8Array(bytes memory data, uint256 offset, uint256 count)
        internal
        pure
        returns (uint8[] memory values)
    {
        uint256[] memory words = _elements(data, offset, count, 1, false);
        assembly ("memory-safe") {
            values := words
        }
    }

    /// @notice `count` bool elements from a byte offset on; reverts with `NotABool`.
    function toBoolArray(bytes memory data, uint256 offset, uint256 count)
        internal
        pure
        returns (bool[] memory values)
    {
        uint256[] memory words = _elements(data, offset, count, 1, false);
        uint256 all = 0;
        assembly ("memory-safe") {
            let from := add(words, 32)
            let end := add(from, mul(32, count))
            for {} lt(from, end) { from := add(from, 32) } { all := or(all, mload(from)) }
        }
        for (uint256 i = 0; all > 1; ++i) {
            if (words[i] > 1) revert NotABool(offset + i, words[i]);
        }
        assembly ("memory-safe") {
            values := words
        }
    }

    /// @notice The IEEE-754 bits of `count` float32 elements from a byte offset on.
    function toFloat32BitsArray(bytes memory data, uint256 offset, uint256 count)
        internal
        pure
        returns (uint32[] memory values)
    {
        uint256[] memory words = _elements(data, offset, count, 4, false);
        assembly ("memory-safe") {
            values := words
        }
    }

    /// @notice `length` bytes from `offset` on: a tensor of an item, or an item of a batch.
    function slice(bytes memory data, uint256 offset, uint256 length)
        internal
        pure
        returns (bytes memory part)
    {
        _require(data, offset, length, 1);
        part = new bytes(length);
        assembly ("memory-safe") {
            mcopy(add(part, 32), add(add(data, 32), offset), length)
        }
    }

    /// @notice Which of `count` int64 elements is the largest; of equal ones the first.
    function argmaxInt64(bytes memory data, uint256 offset, uint256 count) internal pure returns (uint256) {
        return _argmax(data, offset, count, 8, _SIGNED);
    }

    /// @notice Which of `count` int32 elements is the largest; of equal ones the first.
    function argmaxInt32(bytes memory data, uint256 offset, uint256 count) internal pure returns (uint256) {
        return _argmax(data, offset, count, 4, _SIGNED);
    }

    /// @notice Which of `count` int8 elements is the largest; of equal ones the first.
    function argmaxInt8(bytes memory data, uint256 offset, uint256 count) internal pure returns (uint256) {
        return _argmax(data, offset, count, 1, _SIGNED);
    }

    /// @notice Which of `count` uint8 elements is the largest; of equal ones the first.
    function argmaxUint8(bytes memory data, uint256 offset, uint256 count) internal pure returns (uint256) {
        return _argmax(data, offset, count, 1, _UNSIGNED);
    }

    /// @notice Which of `count` float32 elements is the largest; of equal ones the first.
    /// @dev As the engine's ArgMax: every NaN is equal and above +inf, and -0 equals +0.
    function argmaxFloat32(bytes memory data, uint256 offset, uint256 count) internal pure returns (uint256) {
        return _argmax(data, offset, count, 4, _FLOAT);
    }

    function _element(bytes memory data, uint256 offset, uint256 width)
        private
        pure
        returns (uint256 value)
    {
        if (offset >= data.length || data.length - offset < width) {
            revert NoElementAt(offset, width, data.length);
        }
        assembly ("memory-safe") {
            value := shr(sub(256, mul(8, width)), mload(add(add(data, 32), offset)))
        }
    }

    /// @dev One word per element, as Solidity lays out an array of any value type in memory.
    function _elements(bytes memory data, uint256 offset, uint256 count, uint256 width, bool isSigned)
        private
        pure
        returns (uint256[] memory words)
    {
        _require(data, offset, count, width);
        words = new uint256[](count);
        assembly ("memory-safe") {
            let from := add(add(data, 32), offset)
            let shift := sub(256, mul(8, width))
            let to := add(words, 32)
            let end := add(to, mul(32, count))
            switch isSigned
            case 0 {
                for {} lt(to, end) { to := add(to, 32) } {
                    mstore(to, shr(shift, mload(from)))
                    from := add(from, width)
                }
            }
            default {
                for {} lt(to, end) { to := add(to, 32) } {
                    mstore(to, sar(shift, mload(from)))
                    from := add(from, width)
                }
            }
        }
    }

    function _argmax(bytes memory data, uint256 offset, uint256 count, uint256 width, uint256 kind)
        private
        pure
        returns (uint256 index)
    {
        _require(data, offset, count, width);
        if (count == 0) revert NoElements();
        assembly ("memory-safe") {
            let from := add(add(data, 32), offset)
            let shift := sub(256, mul(8, width))
            let end := add(from, mul(width, count))
            let winner := from
            // Below every element, so that the first one is larger.
            let best := shl(255, 1)
            for {} lt(from, end) { from := add(from, width) } {
                let key := sar(shift, mload(from))
                if kind {
                    key := shr(shift, mload(from))
                    if eq(kind, _FLOAT) {
                        let magnitude := and(key, 0x7fffffff)
                        if gt(key, magnitude) { key := sub(0, magnitude) }
                        if gt(magnitude, 0x7f800000) { key := 0x80000000 }
                    }
                }
                if sgt(key, best) {
                    best := key
                    winner := from
                }
            }
            index := div(sub(sub(winner, add(data, 32)), offset), width)
        }
    }

    /// @dev Reverts where `count` elements do not lie in the data; no number makes it overflow.
    function _require(bytes memory data, uint256 offset, uint256 count, uint256 width) private pure {
        if (offset > data.length || count > (data.length - offset) / width) {
            revert NoElementsAt(offset, count, width, data.length);
        }
    }
}
